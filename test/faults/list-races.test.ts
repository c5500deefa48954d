import { createHash } from "node:crypto";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, expect, it, vi } from "vitest";

import { checkInvariants } from "../../src/ca/invariants.ts";
import { readIssuer, type Issuer } from "../../src/ca/issuer.ts";
import { publishLists } from "../../src/ca/list-publishing.ts";
import type { Signer } from "../../src/ca/signer.ts";
import { type CrlView, readCrl } from "../../src/pki/crl-reader.ts";
import { buildOcspRequest } from "../../src/pki/ocsp-client.ts";
import type { Serial } from "../../src/pki/serial.ts";
import type { Database } from "../../src/storage/database.ts";
import { Dice, seedOf } from "../support/dice.ts";
import { system, TestCa } from "../support/signer.ts";
import { VaChild } from "../support/va-child.ts";

const ISSUER = "issuing-g1";
const RACES = 200;

let ca: TestCa;
let signer: Signer;
let issuer: Issuer;
let workers: readonly Database[];
let vas: readonly VaChild[];

beforeAll(async () => {
  ca = await TestCa.create();
  signer = await ca.start();
  workers = [ca.connect("suido_worker"), ca.connect("suido_worker")];
  const found = await readIssuer(ca.database, ISSUER);
  if (found === undefined) throw new Error("no issuer");
  issuer = found;
  vas = await Promise.all(
    [1, 2, 3].map((number) =>
      VaChild.start({
        url: ca.fresh.url,
        folder: path.join(ca.folder, `va-${number}`),
        delegate: (issuerId, spki) => signer.delegate(issuerId, spki),
      }),
    ),
  );
});

afterAll(async () => {
  for (const va of vas) await va.end();
  await signer.close();
  for (const worker of workers) await worker.close();
  await ca.drop();
});

/** What each VA says of a certificate. */
function statuses(serial: Serial): Promise<string[]> {
  const { spki, facts } = issuer;
  const question = { issuerName: facts.subject, issuerSpki: spki, serial } as const;
  const request = buildOcspRequest({ ...question, digestName: "sha1" }, system.digest);
  return Promise.all(vas.map((va) => va.status(request)));
}

async function issued(count: number): Promise<Serial[]> {
  const serials = await ca.reserveMany(count);
  await signer.issue(serials);
  return serials;
}

const publish = (worker: Database | undefined): ReturnType<typeof publishLists> => {
  if (worker === undefined) throw new Error("no worker");
  return publishLists(ISSUER, { ...system, clock: ca.clock, signer, database: worker });
};

/** Reads a list from a VA until told to stop. Every reading is whole and signed; numbers only rise, and one number has one list. */
class Reader {
  readonly findings: string[] = [];
  readings = 0;
  readonly numbers = new Set<bigint>();
  readonly #va: VaChild;
  readonly #name: string;
  #last = 0n;
  #sha256 = "";

  constructor(va: VaChild, name: string) {
    this.#va = va;
    this.#name = name;
  }

  async until(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const bytes = await this.#va.file(this.#name);
      if (bytes !== undefined) this.#read(bytes);
      await sleep(2);
    }
  }

  #read(bytes: Uint8Array): void {
    const view = this.#parsed(bytes);
    if (view === undefined) return;
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const number = view.number ?? 0n;
    this.readings++;
    this.numbers.add(number);
    if (number < this.#last) this.findings.push(`${number} after ${this.#last}`);
    if (number === this.#last && sha256 !== this.#sha256)
      this.findings.push(`two lists of the number ${number}`);
    this.#last = number;
    this.#sha256 = sha256;
  }

  #parsed(bytes: Uint8Array): CrlView | undefined {
    try {
      const view = readCrl(bytes);
      const isSigned = system.verify(
        issuer.spki,
        issuer.facts.signatureAlgorithm,
        view.tbs,
        view.signature,
      );
      if (!isSigned) this.findings.push("the signature does not verify");
      return view;
    } catch (error) {
      this.findings.push(String(error));
      return undefined;
    }
  }
}

it(`R04 ${RACES} races of two workers, read by three VA processes: no number twice, none falls, no reading is torn`, async () => {
  const seed = seedOf();
  console.log(`SUIDO_TEST_SEED=${seed}`);
  const dice = new Dice(seed);
  const pool = await issued(60);
  let isOver = false;
  const readers = vas.flatMap((va) => [
    new Reader(va, `crl/${ISSUER}.crl`),
    new Reader(va, `crl/${ISSUER}-0a.crl`),
  ]);
  const reading = Promise.all(readers.map((reader) => reader.until(() => isOver)));
  const outcomes = new Map<string, number>();
  const held = new Set<Serial>();
  for (let race = 0; race < RACES; race++) {
    // Somebody is stopped or released in between, so that no two lists say the same.
    const serial = dice.of(pool);
    await (held.delete(serial) ? ca.release(serial) : (held.add(serial), ca.stop(serial, 6)));
    for (const result of await Promise.allSettled(workers.map(publish))) {
      const outcome =
        result.status === "fulfilled"
          ? "published"
          : (result.reason as { readonly code?: string }).code;
      outcomes.set(String(outcome), (outcomes.get(String(outcome)) ?? 0) + 1);
    }
  }
  isOver = true;
  await reading;
  expect(readers.flatMap(({ findings }) => findings)).toEqual([]);
  for (const { numbers, readings } of readers) {
    expect(readings).toBeGreaterThan(RACES / 2);
    expect(numbers.size).toBeGreaterThan(10);
  }
  // The slower of a race may find its lists outdated, and loses without a trace; each race has a winner.
  const { published = 0, ...lost } = Object.fromEntries(outcomes);
  expect(published).toBeGreaterThanOrEqual(RACES);
  expect(
    Object.keys(lost).filter((code) => !/^(?:invalid-state|list-refused)$/.test(code)),
  ).toEqual([]);
  const repeated = await ca.superuser.query(
    "select number from ca.list where scope = 'full' and issuer_id = $1 group by number having count(*) > 1",
    [ISSUER],
  );
  expect(repeated).toEqual([]);
}, 120_000);

it("R13 after each hold and each release every later list can be published, and says what is so", async () => {
  const [serial] = await issued(1);
  if (serial === undefined) throw new Error("no serial");
  for (let turn = 0; turn < 10; turn++) {
    await ca.stop(serial, 6);
    await publish(workers[0]);
    await ca.release(serial);
    const { number } = await publish(workers[1]);
    const name = `crl/${ISSUER}.crl`;
    await vi.waitFor(async () => {
      for (const va of vas) {
        const view = readCrl(new Uint8Array((await va.file(name)) ?? []));
        expect(view.number).toBe(number);
        expect([...view.entries()].map((entry) => entry.serial)).not.toContain(serial);
      }
    }, 5_000);
    expect(await statuses(serial)).toEqual(["good", "good", "good"]);
  }
});

it("revocations that commit out of order reach every VA within a second of the last commit", async () => {
  const serials = await issued(120);
  const app = ca.connect("suido_app");
  const queue = [...serials.entries()];
  const revoker = async (): Promise<void> => {
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const [turn, serial] = next;
      await app.transaction(async (sql) => {
        // Some transactions begin early, with a number of their own, and end late.
        await sql.query("select pg_current_xact_id()");
        await sleep((turn * 7) % 40);
        await sql.query(
          "update ca.issued set state = 'revoked', reason = 1, revoked_at = now() where serial = $1",
          [Buffer.from(serial, "hex")],
        );
        await sleep((turn * 5) % 20);
      });
    }
  };
  await Promise.all([revoker(), revoker(), revoker()]);
  const committed = performance.now();
  for (const serial of serials) {
    await vi.waitFor(
      async () => expect(await statuses(serial)).toEqual(["revoked", "revoked", "revoked"]),
      { timeout: 3_000, interval: 5 },
    );
  }
  expect(performance.now() - committed).toBeLessThan(1_000);
  await app.close();
});

it("database, journal and lists agree in the end", async () => {
  await publish(workers[0]);
  await signer.journal(await ca.lastChange());
  const [database] = workers;
  if (database === undefined) throw new Error("no worker");
  const { digest, verify } = system;
  const { journalFolder } = ca;
  const now = ca.clock();
  const report = await checkInvariants({ database, journalFolder, now, digest, scope: { verify } });
  expect(report.faults).toEqual([]);
});
