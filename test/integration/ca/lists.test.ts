import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PreparedLists } from "../../../src/ca/signer-client.ts";
import type { Signer } from "../../../src/ca/signer.ts";
import { checkInvariants } from "../../../src/ca/invariants.ts";
import { checkLists } from "../../../src/ca/list-check.ts";
import { listsDue, publishLists } from "../../../src/ca/list-publishing.ts";
import { BACKDATE_MS } from "../../../src/pki/clock.ts";
import { readCrl } from "../../../src/pki/crl-reader.ts";
import { pemEncode } from "../../../src/pki/pem.ts";
import { type Serial, shardOf } from "../../../src/pki/serial.ts";
import type { Database } from "../../../src/storage/database.ts";
import { mustRun, run } from "../../support/openssl-ca.ts";
import { system, TestCa, VA_URL } from "../../support/signer.ts";

const ISSUER = "issuing-g1";
const HOUR_MS = 3_600_000;

describe("lists", () => {
  let ca: TestCa;
  let signer: Signer;
  let worker: Database;

  beforeAll(async () => {
    ca = await TestCa.create();
    signer = await ca.start();
    worker = ca.connect("suido_worker");
  });
  afterAll(async () => {
    await signer.close();
    await worker.close();
    await ca.drop();
  });

  const publish = () =>
    publishLists(ISSUER, { signer, database: worker, clock: ca.clock, verify: system.verify });

  async function issued(): Promise<Serial> {
    const serial = await ca.reserve();
    await signer.issue([serial]);
    return serial;
  }

  async function current(scope = "full") {
    const [row] = await ca.superuser.query<{ der: Buffer; number: string }>(
      "select der, number from ca.list where issuer_id = $1 and scope = $2 and current",
      [ISSUER, scope],
    );
    if (row === undefined) throw new Error("no list");
    return { ...row, view: readCrl(row.der) };
  }

  const serialsOn = async (scope = "full"): Promise<Serial[]> =>
    [...(await current(scope)).view.entries()].map(({ serial }) => serial);

  /** What the check says of prepared lists. */
  const findingsOf = (prepared: PreparedLists, now = ca.clock()) =>
    checkLists(worker, prepared.lists, {
      issuerId: ISSUER,
      watermark: prepared.watermark,
      now,
      verify: system.verify,
    });

  it("are there after the ceremony, for both CAs", async () => {
    const rows = await ca.superuser.query(
      "select issuer_id, count(*)::int as n from ca.list where current group by issuer_id order by issuer_id",
    );
    expect(rows).toEqual([
      { issuer_id: "issuing-g1", n: 17 },
      { issuer_id: "root-g1", n: 1 },
    ]);
    expect(await listsDue(worker, ca.clock())).toEqual([]);
  });
  it("name a revoked certificate on the full list and on its own shard alone, with the backdated time", async () => {
    const serial = await issued();
    await ca.stop(serial, 1);
    await publish();
    const scope = `0${shardOf(serial).toString(16)}`;
    expect(await serialsOn()).toContain(serial);
    for (let shard = 0; shard < 16; shard++) {
      const name = `0${shard.toString(16)}`;
      expect((await serialsOn(name)).includes(serial)).toBe(name === scope);
    }
    const entry = [...(await current()).view.entries()].find((one) => one.serial === serial);
    const { revoked_at: revokedAt } = await ca.row(serial);
    expect(entry?.reason).toBe(1);
    expect(Math.floor((revokedAt.getTime() - BACKDATE_MS) / 1000)).toBe(
      (entry?.revokedAt.getTime() ?? 0) / 1000,
    );
    expect((await current(scope)).view.issuingDistributionPoint).toMatchObject({
      critical: true,
      urls: [`${VA_URL}/crl/${ISSUER}-${scope}.crl`],
    });
    expect((await current()).view.issuingDistributionPoint).toBeUndefined();
  });
  it("R21 are where the certificate itself says, chosen by its serial alone", async () => {
    const serials = await ca.reserveMany(12);
    await signer.issue(serials);
    for (const serial of serials) await ca.stop(serial, 4);
    await publish();
    for (const serial of serials) {
      const file = path.join(ca.folder, `${serial}.cer`);
      writeFileSync(file, (await ca.row(serial)).der);
      const ask = [
        "x509",
        "-in",
        file,
        "-inform",
        "DER",
        "-noout",
        "-ext",
        "crlDistributionPoints",
      ];
      const [, url = ""] = /URI:(\S+)/.exec(mustRun("openssl", ask)) ?? [];
      const scope = `0${(Number.parseInt(serial.slice(-1), 16) % 16).toString(16)}`;
      expect(url).toBe(`${VA_URL}/crl/${ISSUER}-${scope}.crl`);
      const { view } = await current(scope);
      expect(view.issuingDistributionPoint?.urls).toEqual([url]);
      expect([...view.entries()].map((entry) => entry.serial)).toContain(serial);
    }
  });
  it("make OpenSSL refuse the revoked and accept the good", async () => {
    const bad = await issued();
    const good = await issued();
    await ca.stop(bad, 4);
    await publish();
    const pem = (name: string, label: string, ders: readonly Uint8Array[]): string => {
      const file = path.join(ca.folder, name);
      writeFileSync(file, ders.map((der) => pemEncode(label, der)).join(""));
      return file;
    };
    const issuers = await ca.superuser.query<{ certificate: Buffer }>(
      "select certificate from ca.issuer",
    );
    const roots = await ca.superuser.query<{ der: Buffer }>(
      "select der from ca.list where issuer_id = 'root-g1' and current",
    );
    const trust = pem(
      "cas.pem",
      "CERTIFICATE",
      issuers.map(({ certificate }) => certificate),
    );
    const lists = pem("crls.pem", "X509 CRL", [
      (await current()).der,
      ...roots.map(({ der }) => der),
    ]);
    const verify = async (serial: Serial) => [
      "verify",
      "-x509_strict",
      "-crl_check_all",
      "-CAfile",
      trust,
      "-CRLfile",
      lists,
      pem(`${serial}.pem`, "CERTIFICATE", [(await ca.row(serial)).der]),
    ];
    expect(mustRun("openssl", await verify(good))).toContain("OK");
    expect(run("openssl", await verify(bad)).text).toContain("certificate revoked");
  });
  it("R13 drop a released hold, and nothing else", async () => {
    const held = await issued();
    await ca.stop(held, 6);
    await publish();
    expect(await serialsOn()).toContain(held);
    await ca.release(held);
    await publish();
    expect(await serialsOn()).not.toContain(held);
  });
  it("R16 keep an expired entry until one list has covered its end", async () => {
    const serial = await issued();
    await ca.stop(serial, 4);
    await publish();
    await ca.superuser.query("update ca.issued set not_after = $2 where serial = $1", [
      Buffer.from(serial, "hex"),
      new Date(ca.clock().getTime() + HOUR_MS),
    ]);
    ca.offset += 2 * HOUR_MS;
    await publish();
    expect(await serialsOn()).toContain(serial);
    await publish();
    expect(await serialsOn()).not.toContain(serial);
  });
  it("keep the generation before, and of older ones only the row", async () => {
    await publish();
    const rows = await ca.superuser.query<{ with_bytes: number; current: number }>(
      "select count(der)::int as with_bytes, count(*) filter (where current)::int as current from ca.list where issuer_id = $1 and scope = 'full'",
      [ISSUER],
    );
    expect(rows).toEqual([{ with_bytes: 2, current: 1 }]);
  });
  it("are due an hour later, or at once for an urgent reason", async () => {
    await publish();
    const serial = await issued();
    await ca.stop(serial, 4);
    expect(await listsDue(worker, ca.clock())).toEqual([]);
    await ca.stop(serial, 1);
    expect(await listsDue(worker, ca.clock())).toEqual([ISSUER]);
    await publish();
    expect(await listsDue(worker, ca.clock())).toEqual([]);
    expect(await listsDue(worker, new Date(ca.clock().getTime() + HOUR_MS))).toEqual([ISSUER]);
    expect(await listsDue(worker, new Date(ca.clock().getTime() + 183 * 24 * HOUR_MS))).toEqual([
      ISSUER,
      "root-g1",
    ]);
  });
  it("R04 R18 rise in number although the clock was set back a little, and never fall in time", async () => {
    const before = await current();
    ca.offset -= 240_000;
    await publish();
    const after = await current();
    expect(BigInt(after.number)).toBeGreaterThan(BigInt(before.number));
    expect(after.view.thisUpdate.getTime()).toBeGreaterThanOrEqual(
      before.view.thisUpdate.getTime(),
    );
    ca.offset += 240_000;
  });

  describe("the independent check refuses", () => {
    it("a list that lacks somebody revoked before the snapshot", async () => {
      const prepared = await signer.prepareLists(ISSUER);
      const serial = await issued();
      const seq = await ca.stop(serial, 1);
      expect(await findingsOf(prepared)).toEqual([]);
      const findings = await findingsOf({ ...prepared, watermark: seq });
      expect(findings).toEqual([
        `${ISSUER} full: R16 ${serial} must be on the list and is not`,
        expect.stringContaining(`R16 ${serial} must be on the list`),
      ]);
    });
    it("a shard that lacks what the full list has, and one that has what the full list lacks", async () => {
      const serial = await issued();
      const scope = `0${shardOf(serial).toString(16)}`;
      const before = await signer.prepareLists(ISSUER);
      await ca.stop(serial, 1);
      const after = await signer.prepareLists(ISSUER);
      const mixed = (from: PreparedLists, which: string): PreparedLists => ({
        ...after,
        lists: after.lists.map((list, i) =>
          list.scope === which ? (from.lists[i] ?? list) : list,
        ),
      });
      const missing = (where: string): string =>
        `${ISSUER} ${where}: R16 ${serial} must be on the list and is not`;
      expect(await findingsOf(mixed(before, scope))).toEqual([missing(scope)]);
      expect(await findingsOf(mixed(before, "full"))).toEqual([missing("full")]);
      expect(await findingsOf(after)).toEqual([]);
    });
    it("a list with somebody who is good", async () => {
      const serial = await issued();
      await ca.stop(serial, 6);
      const prepared = await signer.prepareLists(ISSUER);
      const seq = await ca.release(serial);
      expect(await findingsOf(prepared)).toEqual([]);
      expect((await findingsOf({ ...prepared, watermark: seq })).join()).toContain(
        `R17 ${serial} is on the list and must not be`,
      );
    });
    it("a list whose entries the database has lost", async () => {
      const serial = await issued();
      await ca.stop(serial, 1);
      await publish();
      await ca.superuser.query("set session_replication_role = replica");
      await ca.superuser.query(
        "update ca.issued set state = 'good', reason = null, revoked_at = null where serial = $1",
        [Buffer.from(serial, "hex")],
      );
      const { number } = await current();
      await expect(publish()).rejects.toThrow(`R16 ${serial} has left the list`);
      expect((await current()).number).toBe(number);
      await ca.superuser.query(
        "update ca.issued set state = 'revoked', reason = 1, revoked_at = $2 where serial = $1",
        [Buffer.from(serial, "hex"), ca.clock()],
      );
      await ca.superuser.query("set session_replication_role = origin");
      await ca.superuser.query("delete from ca.list where not current");
    });
    it("shards in each other's place, a missing shard, a broken signature, an old number", async () => {
      const prepared = await signer.prepareLists(ISSUER);
      const [full, first, second, ...rest] = prepared.lists;
      if (full === undefined || first === undefined || second === undefined)
        throw new Error("too few lists");
      const swapped = [full, { ...first, der: second.der }, { ...second, der: first.der }, ...rest];
      expect((await findingsOf({ ...prepared, lists: swapped })).join()).toContain(
        "R10 the distribution point is not",
      );
      expect((await findingsOf({ ...prepared, lists: [full, first, ...rest] })).join()).toContain(
        "the lists are",
      );
      const broken = full.der.slice();
      broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
      expect(
        (
          await findingsOf({
            ...prepared,
            lists: [{ ...full, der: broken }, first, second, ...rest],
          })
        ).join(),
      ).toContain("R17 the signature");
      await publish();
      expect((await findingsOf(prepared)).join()).toContain("R04 number");
    });
    it("a watermark that is lower than what the checker has seen itself", async () => {
      const serial = await issued();
      await ca.stop(serial, 1);
      const liar = {
        commitLists: signer.commitLists.bind(signer),
        prepareLists: async () => ({ ...(await signer.prepareLists(ISSUER)), watermark: 0n }),
      };
      await expect(
        publishLists(ISSUER, {
          signer: liar,
          database: worker,
          clock: ca.clock,
          verify: system.verify,
        }),
      ).rejects.toThrow("the lists know changes up to 0 only");
    });
  });

  it("are not committed with other bytes than were checked, nor twice", async () => {
    const { batchId, lists } = await signer.prepareLists(ISSUER);
    const hashes = lists.map(({ sha256 }) => sha256);
    await expect(signer.commitLists(batchId, hashes.toReversed())).rejects.toMatchObject({
      code: "list-refused",
    });
    await signer.commitLists(batchId, hashes);
    await expect(signer.commitLists(batchId, hashes)).rejects.toMatchObject({
      code: "invalid-state",
    });
  });
  it("agree with database and journal in the end", async () => {
    await publish();
    await signer.journal(await ca.lastChange());
    const now = ca.clock();
    const report = await checkInvariants({
      database: worker,
      journalFolder: ca.journalFolder,
      now,
      digest: system.digest,
      scope: { verify: system.verify },
    });
    expect(report.faults).toEqual([]);
    expect(report.checked.lists).toBe(18);
  });
});
