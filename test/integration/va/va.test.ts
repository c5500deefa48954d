import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { Registry } from "prom-client";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";

import { pemBlocks } from "../../../src/pki/pem.ts";
import { readOcspResponse } from "../../../src/pki/ocsp-reader.ts";
import { newSerial } from "../../../src/pki/serial.ts";
import type { Database } from "../../../src/storage/database.ts";
import { DatabaseUnavailableError } from "../../../src/storage/errors.ts";
import { storeRootDelegate } from "../../../src/va/delegate-file.ts";
import { registerVaMetrics } from "../../../src/va/metrics.ts";
import { octetsOf } from "../../../src/va/responder.ts";
import type { Va, VaDeps } from "../../../src/va/va.ts";
import { VaDatabase, askVa } from "../../support/va-database.ts";

let world: VaDatabase;
const opened: Va[] = [];

async function openVa(more: Partial<VaDeps> = {}): Promise<Va> {
  const va = await world.openVa(more);
  opened.push(va);
  await vi.waitFor(() => expect(va.notReady()).toEqual([]), 5_000);
  return va;
}

/** A database that does not answer, and no notifications: what is left of it when it is stopped. */
const away = (): Promise<never> => Promise.reject(new DatabaseUnavailableError("stopped"));
const gone: Partial<VaDeps> = {
  database: { query: away, transaction: away },
  subscribe: () => ({ close: () => Promise.resolve() }),
  requestDelegate: away,
};

const ask = (va: Va, serial: Parameters<typeof askVa>[2]): Promise<string> =>
  askVa(va, world.ca, serial);

beforeAll(async () => {
  world = await VaDatabase.open();
});
afterEach(async () => {
  for (const va of opened.splice(0)) await va.close();
});
afterAll(() => world.close());

describe("status", () => {
  it("loads what was issued before, of every state", async () => {
    const [good, held, revoked, reserved] = await world.issue(3).then(async (serials) => {
      const promised = newSerial(randomBytes);
      await world.reserve([promised]);
      return [...serials, promised];
    });
    if (!good || !held || !revoked || !reserved) throw new Error("no serials");
    await world.setState(held, "hold", 6);
    await world.setState(revoked, "revoked", 4);
    const va = await openVa();
    expect(await ask(va, good)).toBe("good");
    expect(await ask(va, held)).toBe("revoked");
    expect(await ask(va, revoked)).toBe("revoked");
    expect(await ask(va, reserved)).toBe("unknown");
    expect(await va.compare()).toBe("same");
  });

  it("never says unknown of a certificate that was issued a moment ago", async () => {
    const va = await openVa();
    const unknown: string[] = [];
    for (let batch = 0; batch < 32; batch++) {
      const serials = await world.issue(64);
      const said = await Promise.all(serials.map((serial) => ask(va, serial)));
      unknown.push(...said.filter((status) => status !== "good"));
    }
    expect(unknown).toEqual([]);
    expect(va.status().certificates).toBeGreaterThanOrEqual(2048);
    expect(await va.compare()).toBe("same");
  });

  it("asks the database about each of 300 guesses in one or two statements, and soon", async () => {
    const deps = world.deps();
    let asked = 0;
    const query: Database["query"] = (text, ...rest) => {
      if (text.includes("any($1")) asked++;
      return deps.database.query(text, ...rest);
    };
    const va = await openVa({ ...deps, database: { ...deps.database, query } });
    const started = performance.now();
    const said = await Promise.all(
      Array.from({ length: 300 }, () => ask(va, newSerial(randomBytes))),
    );
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(new Set(said)).toEqual(new Set(["unknown"]));
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThanOrEqual(4);
  });

  it("says revoked within a second of the commit, and good again after a hold", async () => {
    const va = await openVa();
    const [serial] = await world.issue();
    if (serial === undefined) throw new Error("no serial");
    expect(await ask(va, serial)).toBe("good");
    for (const [state, said] of [
      ["hold", "revoked"],
      ["good", "good"],
      ["revoked", "revoked"],
    ] as const) {
      await world.setState(serial, state, { hold: 6, good: undefined, revoked: 1 }[state]);
      const committed = performance.now();
      await vi.waitFor(async () => expect(await ask(va, serial)).toBe(said), {
        timeout: 3_000,
        interval: 5,
      });
      expect(performance.now() - committed).toBeLessThan(1_000);
    }
  });

  it("hears of a revocation by polling alone", async () => {
    const va = await openVa({ subscribe: () => ({ close: () => Promise.resolve() }) });
    const [serial] = await world.issue();
    if (serial === undefined) throw new Error("no serial");
    expect(await ask(va, serial)).toBe("good");
    await world.setState(serial, "revoked", 1);
    await vi.waitFor(async () => expect(await ask(va, serial)).toBe("revoked"), 1_000);
  });

  it("sees a commit that came late although its transaction began early", async () => {
    const va = await openVa();
    const late = newSerial(randomBytes);
    await world.reserve([late]);
    await world.query("begin");
    await world.query(
      `update ca.issued set state = 'good', der = serial, der_sha256 = sha256(serial), issued_at = now(), good_xid = pg_current_xact_id() where serial = $1`,
      [Buffer.from(late, "hex")],
    );
    const size = va.status().certificates;
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(va.status().certificates).toBe(size);
    await world.query("commit");
    await vi.waitFor(() => expect(va.status().certificates).toBe(size + 1), 2_000);
  });

  it("finds a row that no feed brought, and reads everything again", async () => {
    const va = await openVa();
    const lost = newSerial(randomBytes);
    await world.reserve([lost]);
    await world.query(
      `update ca.issued set state = 'good', der = serial, der_sha256 = sha256(serial), issued_at = now() where serial = $1`,
      [Buffer.from(lost, "hex")],
    );
    const size = va.status().certificates;
    expect(await va.compare()).toBe("different");
    expect(va.status().certificates).toBe(size + 1);
    expect(await va.compare()).toBe("same");
  });
});

describe("without the database", () => {
  it("goes on, and the age of its answers shows", async () => {
    const va = await openVa();
    const [serial] = await world.issue();
    if (serial === undefined) throw new Error("no serial");
    expect(await ask(va, serial)).toBe("good");
    await world.stop();
    await new Promise((resolve) => setTimeout(resolve, 500));
    const frozen = va.status().knownAt;
    expect(await ask(va, serial)).toBe("good");
    expect(await ask(va, newSerial(randomBytes))).toBe("unknown");
    expect(va.status().knownAt).toEqual(frozen);
    await world.start();
    await vi.waitFor(() => expect(va.status().knownAt).not.toEqual(frozen), 5_000);
    const [later] = await world.issue();
    if (later === undefined) throw new Error("no serial");
    expect(await ask(va, later)).toBe("good");
  });

  it("starts from its snapshot, with lists, certificates and its delegate", async () => {
    await world.publishList("root-g1");
    await world.publishList("issuing-g1");
    await world.publishList("issuing-g1", "0a");
    const first = await openVa();
    await vi.waitFor(() => expect(first.status().lists).toHaveLength(3), 2_000);
    const [good, revoked] = await world.issue(2);
    if (good === undefined || revoked === undefined) throw new Error("no serials");
    await world.setState(revoked, "revoked", 1);
    await vi.waitFor(async () => expect(await ask(first, revoked)).toBe("revoked"), 1_000);
    expect(await ask(first, good)).toBe("good");
    const { certificates, knownAt } = first.status();
    await first.close();
    opened.length = 0;

    const second = await openVa(gone);
    expect(second.status()).toMatchObject({ ready: true, certificates });
    expect(second.status().knownAt?.getTime()).toBeGreaterThanOrEqual(knownAt?.getTime() ?? 0);
    expect(await ask(second, good)).toBe("good");
    expect(await ask(second, revoked)).toBe("revoked");
    expect(second.status().lists).toHaveLength(3);
    expect(second.repository.get("crl/bundle.pem")?.body.toString()).toContain("BEGIN X509 CRL");
    await second.close();
    opened.length = 0;

    const [issuedMeanwhile] = await world.issue();
    if (issuedMeanwhile === undefined) throw new Error("no serial");
    await world.setState(good, "revoked", 4);
    const third = await openVa();
    expect(await ask(third, good)).toBe("revoked");
    expect(await ask(third, issuedMeanwhile)).toBe("good");
    expect(await third.compare()).toBe("same");
  });
});

describe("delegates", () => {
  it("O12 O23 the root's delegate of the ceremony answers for the issuing CA, from the moment that it is there", async () => {
    const va = await openVa();
    const { rootIssuer, issuingIssuer } = world.ca;
    const serial = Buffer.from(issuingIssuer.serial).toString("hex") as ReturnType<
      typeof newSerial
    >;
    const request = world.ca.request(serial, {
      issuerName: rootIssuer.subject,
      issuerSpki: rootIssuer.spki,
    });
    const said = async (): Promise<string> => {
      const { basic, status } = readOcspResponse(octetsOf(await va.responder.answer(request)));
      return basic?.responses[0]?.status ?? status;
    };
    expect(await said()).toBe("tryLater");
    await world.reserve([serial], "root-g1");
    await world.query(
      `update ca.issued set state = 'good', der = serial, der_sha256 = sha256(serial), issued_at = now(), good_xid = pg_current_xact_id() where serial = $1`,
      [Buffer.from(serial, "hex")],
    );
    await storeRootDelegate(world.folder, world.ca.delegateMaterial("root-g1"), (octets) =>
      randomBytes(octets),
    );
    await vi.waitFor(async () => expect(await said()).toBe("good"), 5_000);
  });

  it("O13 a delegate is replaced after two thirds of its life, and answers go on meanwhile", async () => {
    let now = Date.now();
    const requestDelegate = vi.fn<VaDeps["requestDelegate"]>((issuerId, spki) =>
      Promise.resolve(world.ca.delegateCertificate(issuerId, spki)),
    );
    const va = await openVa({ requestDelegate, clock: () => new Date(now), maxStaleMs: 1e12 });
    const [serial] = await world.issue();
    if (serial === undefined) throw new Error("no serial");
    const before = requestDelegate.mock.calls.length;
    now += 9 * 86_400_000;
    expect(await ask(va, serial)).toBe("good");
    expect(requestDelegate).toHaveBeenCalledTimes(before);
    now += 86_400_000;
    await vi.waitFor(
      () => expect(requestDelegate.mock.calls.length).toBeGreaterThan(before),
      5_000,
    );
    expect(await ask(va, serial)).toBe("good");
  });

  it("O12 a certificate for another key is not used", async () => {
    const wrong = world.ca.delegateMaterial("issuing-g1").certificate;
    const other = await VaDatabase.open();
    const va = await other.openVa({ requestDelegate: () => Promise.resolve(wrong) });
    expect(va.notReady()).toEqual(["no-delegate"]);
    await va.close();
    await other.close();
  });
});

describe("repository", () => {
  it("R24 a new list is given out at once, and a bundle holds the full lists only", async () => {
    const va = await openVa();
    const der = await world.publishList("issuing-g1");
    await world.publishList("issuing-g1", "0b");
    await world.publishList("root-g1");
    await vi.waitFor(
      () => expect(va.repository.get("crl/issuing-g1.crl")?.body.equals(der)).toBe(true),
      3_000,
    );
    await vi.waitFor(() => expect(va.repository.get("crl/issuing-g1-0b.crl")).toBeDefined(), 6_000);
    const bundle = va.repository.get("crl/bundle.pem")?.body.toString() ?? "";
    const lists = pemBlocks(bundle, "X509 CRL");
    expect(lists).toHaveLength(2);
    expect(lists.some((list) => Buffer.from(list).equals(der))).toBe(true);
    const certificates = va.repository.get("ca/bundle.pem")?.body.toString() ?? "";
    expect(pemBlocks(certificates, "CERTIFICATE")).toHaveLength(2);
    expect(va.repository.get("ca/issuing-g1.cer")?.body.equals(world.ca.issuing.certificate)).toBe(
      true,
    );
    const { stdout } = await openssl(["crl", "-inform", "DER", "-noout", "-crlnumber"], der);
    expect(stdout).toContain("crlNumber=");
    const beside = va.repository.get("crl/issuing-g1.pem")?.body.toString() ?? "";
    expect(pemBlocks(beside, "X509 CRL").map((list) => Buffer.from(list))).toEqual([
      Buffer.from(der),
    ]);
    expect(va.repository.get("crl/issuing-g9.pem")).toBeUndefined();
  });

  it("gives a list out whose copy cannot be written", async () => {
    const folder = mkdtempSync(path.join(tmpdir(), "suido-va-full-"));
    writeFileSync(path.join(folder, "lists"), "no folder: nothing can be written below it");
    const va = await openVa({ folder });
    const der = await world.publishList("issuing-g1");
    await va.repository.poll();
    expect(va.repository.get("crl/issuing-g1.crl")?.body.equals(der)).toBe(true);
    rmSync(folder, { recursive: true });
  });

  it("gives out what has come when the database goes away in the middle of it", async () => {
    const deps = world.deps();
    const left: string[] = [];
    const transaction: Database["transaction"] = async (work, options) =>
      left.shift() === undefined ? away() : deps.database.transaction(work, options);
    left.push(...Array.from({ length: 100 }, () => "for the start"));
    const va = await openVa({ ...deps, database: { ...deps.database, transaction } });
    left.splice(0, Infinity, "for one list");
    const full = await world.publishList("issuing-g1");
    const shard = await world.publishList("issuing-g1", "0d");
    const given = (): boolean[] =>
      [va.repository.get("crl/issuing-g1.crl"), va.repository.get("crl/issuing-g1-0d.crl")].map(
        (list, i) => list?.body.equals([full, shard][i] ?? full) === true,
      );
    await va.repository.poll();
    await vi.waitFor(() => expect(given().filter(Boolean)).toHaveLength(1), 10_000);
  });

  it.for([
    ["R23 signed by another CA", () => world.list("root-g1")],
    ["R10 with the distribution point of a shard", () => world.list("issuing-g1", "0c")],
    [
      "R02 expired",
      () =>
        world.list("issuing-g1", "full", { thisUpdate: new Date(0), nextUpdate: new Date(1000) }),
    ],
    ["R04 with a lower number", () => world.list("issuing-g1", "full", { number: 0n })],
    ["that is no list", () => randomBytes(100)],
  ] as const)("the last good list stays when one comes %s", async ([, bad]) => {
    const good = await world.publishList("issuing-g1");
    const va = await openVa();
    expect(va.repository.get("crl/issuing-g1.crl")?.body.equals(good)).toBe(true);
    await world.insertList("issuing-g1", "full", bad());
    await va.repository.poll();
    expect(va.repository.get("crl/issuing-g1.crl")?.body.equals(good)).toBe(true);
  });
});

it("metrics show what the VA holds and said", async () => {
  const registry = new Registry();
  await world.publishList("issuing-g1");
  const va = await openVa();
  registerVaMetrics(registry, { status: () => va.status(), clock: () => new Date() });
  va.counts.good += 3;
  const text = await registry.metrics();
  expect(text).toContain('suido_ocsp_answers_total{outcome="good"} 3');
  expect(text).toMatch(/suido_va_certificates \d{4}/);
  expect(text).toMatch(/suido_va_known_age_seconds [\d.e-]+/);
  expect(text).toMatch(/suido_va_delegate_remaining_seconds\{issuer="issuing-g1"\} \d{6,}/);
  expect(text).toMatch(/suido_va_list_life_used_ratio\{issuer="issuing-g1",scope="full"\} 0\.\d+/);
  expect(text).toContain("suido_va_processes_ready 1");
});

async function openssl(args: string[], input: Uint8Array): Promise<{ stdout: string }> {
  const running = promisify(execFile)("openssl", args);
  running.child.stdin?.end(input);
  return running;
}
