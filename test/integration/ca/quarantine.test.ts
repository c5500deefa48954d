import { appendFileSync, readFileSync, renameSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkInvariants } from "../../../src/ca/invariants.ts";
import { outcomeOf, placeOrder, type WantedOrder } from "../../../src/ca/issuer-orders.ts";
import { publishLists } from "../../../src/ca/list-publishing.ts";
import { adoptJournal } from "../../../src/ca/quarantine.ts";
import type { Serial } from "../../../src/pki/serial.ts";
import { asAdmin, type FreshDatabase } from "../../support/database.ts";
import { Fate, system, TestCa } from "../../support/signer.ts";
import { openedBefore, stillOpen } from "./openings.ts";

/** A copy of a database as it is now, to go back to later: what a backup is. */
async function backup(ca: TestCa): Promise<FreshDatabase> {
  const url = new URL(ca.fresh.url);
  const source = url.pathname.slice(1);
  const name = `${source}_backup`;
  await ca
    .moveTo({ url: ca.fresh.url.replace(source, "postgres"), drop: async () => undefined })
    .catch(() => undefined);
  await asAdmin(`create database ${name} template ${source}`);
  await ca.moveTo({ url: url.href, drop: () => asAdmin(`drop database ${source} with (force)`) });
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => asAdmin(`drop database ${name} with (force)`) };
}

async function issued(ca: TestCa, count: number): Promise<Serial[]> {
  const signer = await ca.start();
  const serials = await ca.reserveMany(count);
  await signer.issue(serials);
  await signer.close();
  return serials;
}

const journalFile = (ca: TestCa): string => path.join(ca.journalFolder, "000001.jsonl");

describe("a database that was restored to an earlier time", () => {
  let ca: TestCa;
  beforeEach(async () => {
    ca = await TestCa.create();
  });
  afterEach(async () => {
    const now = new Date(ca.clock().getTime() + 120_000);
    const { faults } = await checkInvariants({
      database: ca.database,
      journalFolder: ca.journalFolder,
      now,
      digest: system.digest,
      scope: "replay",
    });
    await ca.drop();
    if (faults.length > 0) throw new Error(faults.join("; "));
  });

  it("gets back certificates, revocations, holds and denies, and the quarantine ends by itself", async () => {
    const [first, second, third] = (await issued(ca, 3)) as [Serial, Serial, Serial];
    const [key] = await ca.superuser.query<{ id: string }>(
      "insert into app.api_key (id, role, secret_sha256, created_at) values (gen_random_uuid(), 'operator', $1, now()) returning id",
      [Buffer.alloc(32, 7)],
    );
    const kept = await backup(ca);
    const abandonedDatabase = ca.fresh;
    const signer = await ca.start();
    const later = await ca.reserve({ identified_how: "telephone", key_claim: "tpm" });
    await signer.issue([later]);
    await ca.stop(first, 4);
    await ca.stop(first, 1);
    await ca.stop(second, 6);
    await ca.stop(third, 6);
    await ca.release(third);
    await ca.superuser.query("update app.api_key set revoked_at = now()");
    await ca.superuser.query("select ca.record_deny($1, now())", [`api-key:${key?.id}`]);
    await signer.journal(await ca.lastChange());
    const { der } = await ca.row(later);
    await signer.close();

    await ca.moveTo(kept);
    await abandonedDatabase.drop();
    expect(await ca.row(first)).toMatchObject({ state: "good" });
    await ca.superuser.query(
      "insert into app.idempotency (api_key_id, key, request_hash, status, created_at) values ($1, 'once', $2, 201, now() - interval '1 hour')",
      [key?.id, Buffer.alloc(32)],
    );
    await openedBefore(ca);
    const opened = await ca.open();
    expect(opened).toMatchObject({ state: "ready", found: "database-old" });
    expect(await stillOpen(ca)).toEqual([
      { state: "identified", links: 0, checks: 0, adding: 0, visits: 0, is_open: false },
    ]);
    expect(await ca.row(first)).toMatchObject({ state: "revoked", reason: 1 });
    expect(await ca.row(second)).toMatchObject({ state: "hold", reason: 6 });
    expect(await ca.row(third)).toMatchObject({ state: "good" });
    expect(await ca.row(later)).toMatchObject({
      state: "good",
      der,
      identified_how: "telephone",
      key_claim: "tpm",
    });
    const binding = await ca.superuser.query(
      "select device_id from app.binding where serial = $1",
      [Buffer.from(later, "hex")],
    );
    expect(binding).toEqual([{ device_id: ca.tenant.deviceId }]);
    const [apiKey] = await ca.superuser.query<{ revoked_at: Date | null }>(
      "select revoked_at from app.api_key",
    );
    expect(apiKey?.revoked_at).not.toBeNull();
    expect(await ca.superuser.query("select key from app.idempotency")).toEqual([]);
    const again = await ca.start();
    expect(await again.status()).toMatchObject({ state: "ready", journalLag: 0 });
    const fresh = await ca.reserve();
    expect(await again.issue([fresh])).toMatchObject([{ outcome: "good" }]);
    await again.close();
  });

  it("gets back a second issuing CA, that it issues, and that the first one is revoked", async () => {
    await issued(ca, 1);
    const kept = await backup(ca);
    const abandonedDatabase = ca.fresh;
    const signer = await ca.start();
    const order = async (wanted: WantedOrder): Promise<void> => {
      const id = system.newId();
      await placeOrder(ca.database, { ...wanted, id, actor: "cli:test" }, ca.clock());
      signer.issuersChanged();
      const done = (): Promise<unknown> => outcomeOf(ca.database, id);
      await expect.poll(done, { timeout: 15_000 }).toHaveProperty("issuerId");
    };
    const publish = (issuerId: string): Promise<unknown> =>
      publishLists(issuerId, { ...system, signer, database: ca.database, clock: ca.clock });
    await order({ kind: "rotate" });
    await publish("issuing-g2");
    const by = ["alice", "bob"];
    await order({ kind: "activate", issuerId: "issuing-g2", by });
    await order({ kind: "revoke", issuerId: "issuing-g1", reason: 1, by });
    await publish("root-g1");
    const young = await ca.reserve({ issuer_id: "issuing-g2" });
    await signer.issue([young]);
    await signer.journal(await ca.lastChange());
    const { der } = await ca.row(young);
    await signer.close();

    await ca.moveTo(kept);
    await abandonedDatabase.drop();
    const again = await ca.start();
    const issuers = await ca.superuser.query(
      `select issuer.id, issuer.state, own.state as own from ca.issuer join ca.issued own on own.serial = issuer.serial
       where kind = 'issuing' order by id`,
    );
    expect(issuers).toEqual([
      { id: "issuing-g1", state: "retiring", own: "revoked" },
      { id: "issuing-g2", state: "active", own: "good" },
    ]);
    expect(await ca.row(young)).toMatchObject({ state: "good", der });
    const fresh = await ca.reserve({ issuer_id: "issuing-g2" });
    expect(await again.issue([fresh])).toMatchObject([{ outcome: "good" }]);
    await again.close();
  });

  it("puts a certificate on hold whose device is gone with the restored time", async () => {
    await issued(ca, 1);
    const kept = await backup(ca);
    const abandonedDatabase = ca.fresh;
    const [serial] = (await issued(ca, 1)) as [Serial];
    await ca.moveTo(kept);
    await abandonedDatabase.drop();
    await ca.superuser.query("delete from app.binding");
    await ca.superuser.query("delete from app.device");
    expect(await ca.open()).toMatchObject({ state: "ready", found: "database-old" });
    expect(await ca.row(serial)).toMatchObject({ state: "hold", reason: 6 });
  });

  it("journals what happened in it before it was looked at, although its number is another's in the journal", async () => {
    const [first, second] = (await issued(ca, 2)) as [Serial, Serial];
    const kept = await backup(ca);
    const abandonedDatabase = ca.fresh;
    const signer = await ca.start();
    await signer.journal(await ca.stop(first, 1));
    await signer.close();
    await ca.moveTo(kept);
    await abandonedDatabase.drop();
    const seq = await ca.stop(second, 3);
    expect(await ca.open()).toMatchObject({ state: "ready", found: "database-old" });
    expect(await ca.row(first)).toMatchObject({ state: "revoked", reason: 1 });
    expect(await ca.row(second)).toMatchObject({ state: "revoked", reason: 3 });
    const journaled = readFileSync(journalFile(ca), "utf8")
      .split("\n")
      .filter((line) => line.includes(`"changeSeq":"${seq}"`));
    expect(journaled.map((line) => (JSON.parse(line) as { serial: string }).serial)).toEqual([
      first,
      second,
    ]);
  });

  it("stops what only the last published lists still know", async () => {
    const [serial] = (await issued(ca, 1)) as [Serial];
    const kept = await backup(ca);
    const abandonedDatabase = ca.fresh;
    const signer = await ca.start();
    await ca.stop(serial, 1);
    const { lists } = await signer.prepareLists("issuing-g1");
    await ca.reserveMany(1).then((serials) => signer.issue(serials));
    await signer.close();
    expect(readFileSync(journalFile(ca), "utf8")).not.toContain('"revoke"');
    await ca.moveTo(kept);
    await abandonedDatabase.drop();
    await ca.open(new Fate(), async () => lists.map(({ der }) => der));
    expect(await ca.row(serial)).toMatchObject({ state: "revoked", reason: 1 });
  });

  it("keeps list numbers rising", async () => {
    await issued(ca, 1);
    const kept = await backup(ca);
    const abandonedDatabase = ca.fresh;
    const signer = await ca.start();
    // A clock that ran far ahead when the last list was made: microseconds alone would not rise above it.
    ca.offset += 3_600_000;
    const { number } = await publishLists("issuing-g1", {
      signer,
      database: ca.database,
      clock: ca.clock,
      verify: system.verify,
    });
    ca.offset -= 3_600_000 - 240_000;
    await signer.close();
    await ca.moveTo(kept);
    await abandonedDatabase.drop();
    ca.offset += 3_600_000;
    const again = await ca.start();
    ca.offset -= 200_000;
    const { lists } = await again.prepareLists("issuing-g1");
    expect(lists[0]?.number).toBeGreaterThan(number);
    await again.close();
  });

  it("is built anew from an empty one, issuers included", async () => {
    const [serial] = (await issued(ca, 1)) as [Serial];
    const { der } = await ca.row(serial);
    const old = ca.fresh;
    const other = await TestCa.create();
    await ca.moveTo(other.fresh);
    await old.drop();
    expect(await ca.open()).toMatchObject({ state: "ready", found: "database-old" });
    expect(await ca.row(serial)).toMatchObject({ state: "hold", der });
    const ids = await ca.superuser.query("select id from ca.issuer order by id");
    expect(ids).toEqual([{ id: "issuing-g1" }, { id: "root-g1" }]);
    await other.database.close();
    await other.superuser.close();
  });
});

describe("a journal that is gone, behind or changed", () => {
  let ca: TestCa;
  beforeEach(async () => {
    ca = await TestCa.create();
    await issued(ca, 2);
  });
  afterEach(() => ca.drop());

  it("absent beside a database with certificates: quarantine, until two people adopt a new one", async () => {
    renameSync(journalFile(ca), path.join(ca.folder, "lost"));
    const opened = await ca.open();
    expect(opened).toMatchObject({ state: "quarantine" });
    expect(opened.state === "quarantine" && opened.reason).toContain(
      "the journal is older than the database",
    );
    const deps = {
      ...system,
      database: ca.database,
      journalFolder: ca.journalFolder,
      onFatal: () => undefined,
    };
    await expect(adoptJournal(["Sato"], deps)).rejects.toThrow("two different people");
    await expect(adoptJournal(["Sato", "sato "], deps)).rejects.toThrow("two different people");
    await adoptJournal(["Sato", "Tanaka"], deps);
    const header = JSON.parse(readFileSync(journalFile(ca), "utf8").split("\n")[0] ?? "") as {
      adopted: { by: string[] };
    };
    expect(header.adopted.by).toEqual(["Sato", "Tanaka"]);
    const signer = await ca.start();
    const serial = await ca.reserve();
    expect(await signer.issue([serial])).toMatchObject([{ outcome: "good" }]);
    await signer.close();
    const now = new Date(ca.clock().getTime() + 120_000);
    const { faults } = await checkInvariants({
      database: ca.database,
      journalFolder: ca.journalFolder,
      now,
      digest: system.digest,
      scope: { verify: system.verify },
    });
    expect(faults).toEqual([]);
  });
  it("restored to an earlier time: quarantine", async () => {
    const early = readFileSync(journalFile(ca));
    await issued(ca, 1);
    writeFileSync(journalFile(ca), early);
    expect(await ca.open()).toMatchObject({ state: "quarantine" });
  });
  it("is not adopted where nothing is in quarantine", async () => {
    await expect(
      adoptJournal(["Sato", "Tanaka"], {
        ...system,
        database: ca.database,
        journalFolder: ca.journalFolder,
        onFatal: () => undefined,
      }),
    ).rejects.toThrow("nothing is in quarantine");
  });
  it.for([
    {
      name: "a letter changed in the middle",
      spoil: (text: string) => text.replace('"profile":"root"', '"profile":"boot"'),
    },
    {
      name: "a record taken out",
      spoil: (text: string) => text.split("\n").toSpliced(3, 1).join("\n"),
    },
    {
      name: "two records exchanged",
      spoil: (text: string) => text.replace(/^(.*\n.*\n)(.*\n)(.*\n)/, "$1$3$2"),
    },
    {
      name: "the last record changed",
      spoil: (text: string) => text.replace(/"at":"20(\d\d)(?=[^\n]*\n$)/, '"at":"21$1'),
    },
  ])(
    "with $name stops the start with a sentence, and is found by the invariants",
    async ({ spoil }) => {
      const text = readFileSync(journalFile(ca), "utf8");
      const spoiled = spoil(text);
      expect(spoiled).not.toBe(text);
      writeFileSync(journalFile(ca), spoiled);
      await expect(ca.open()).rejects.toMatchObject({ code: "journal-damaged" });
      const { ok } = await checkInvariants({
        database: ca.database,
        journalFolder: ca.journalFolder,
        now: ca.clock(),
        digest: system.digest,
        scope: "replay",
      });
      expect(ok).toBe(false);
    },
  );
  it("whose last record is incomplete is cut there and goes on", async () => {
    appendFileSync(journalFile(ca), '{"seq":"99","epoch":');
    expect(await ca.open()).toMatchObject({ state: "ready", found: "ordinary" });
    truncateSync(journalFile(ca), readFileSync(journalFile(ca)).length - 3);
    // What is cut off now was confirmed: the database knows it.
    expect(await ca.open()).toMatchObject({ state: "quarantine" });
  });
});
