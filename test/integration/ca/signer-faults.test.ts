import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { pino } from "pino";
import { checkInvariants } from "../../../src/ca/invariants.ts";
import { IssuerKeys } from "../../../src/ca/issuer-keys.ts";
import { Signer } from "../../../src/ca/signer.ts";
import { createProfile } from "../../../src/pki/profile.ts";
import type { Serial } from "../../../src/pki/serial.ts";
import { caConfig, system, TestCa, TIME_ZONE, VA_URL } from "../../support/signer.ts";

const later = (ca: TestCa): Date => new Date(ca.clock().getTime() + 20 * 60_000);

function invariants(ca: TestCa): Promise<{ ok: boolean; faults: readonly string[] }> {
  return checkInvariants({
    database: ca.database,
    journalFolder: ca.journalFolder,
    now: later(ca),
    digest: system.digest,
    scope: { verify: system.verify },
  });
}

describe("when the database fails the signer", () => {
  let ca: TestCa;
  let signer: Signer;
  beforeEach(async () => {
    ca = await TestCa.create();
    signer = await ca.start();
  });
  afterEach(async () => {
    await signer.close();
    await ca.drop();
  });

  it("after signing: nothing is handed out, and the certificate becomes good when the database is well", async () => {
    await ca.superuser.query(
      `create function fail() returns trigger language plpgsql as $$ begin raise exception 'disk full' using errcode = '53100'; end $$`,
    );
    await ca.superuser.query(
      "create trigger fail before insert on app.event for each row execute function fail()",
    );
    const serial = await ca.reserve();
    await expect(signer.issue([serial])).rejects.toThrow("disk full");
    expect(await ca.row(serial)).toMatchObject({ state: "reserved", der: null });
    await ca.superuser.query("drop trigger fail on app.event");
    expect(await signer.issue([serial])).toEqual([{ serial, outcome: "good" }]);
    expect((await invariants(ca)).faults).toEqual([]);
  });
  it("for good: its status says so, and it ends, because a new start compares journal and database", async () => {
    const serial = await ca.reserve();
    await ca.superuser.query(
      `create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no such thing'; end $$`,
    );
    await ca.superuser.query(
      "create trigger refuse before insert on app.event for each row execute function refuse()",
    );
    await expect(signer.issue([serial])).rejects.toThrow("no such thing");
    expect(await signer.status()).toMatchObject({
      state: "ready",
      detail: "the database refuses what the journal has: no such thing",
    });
    expect(ca.fatal).toEqual([]);
    await vi.waitFor(() => expect(ca.fatal).toHaveLength(1), 15_000);
    await signer.close();
    await ca.superuser.query("drop trigger refuse on app.event");
    signer = await ca.start();
    expect((await signer.status()).detail).toBeUndefined();
    expect(await ca.row(serial)).toMatchObject({ state: "good" });
    expect((await invariants(ca)).faults).toEqual([]);
  });
  it("by ending its connections: the next request is answered", async () => {
    const serials = await ca.reserveMany(30);
    const asked = signer.issue(serials).catch((error: unknown) => error);
    await ca.superuser.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()",
    );
    await asked;
    const outcomes = await signer.issue(serials);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(serials.map(() => "good"));
    expect((await invariants(ca)).faults).toEqual([]);
  });
});

describe("the signer's own limits", () => {
  it("stop issuing at the profile's ceiling, also after a new start, and keep the row", async () => {
    const ca = await TestCa.create();
    await (await ca.start()).close();
    const profile = caConfig.profiles.get("device-client");
    if (profile === undefined) throw new Error("no profile");
    const few = createProfile({ ...profile, ceilingPerHour: 3 });
    const { profileHash } = await import("../../../src/pki/profile.ts");
    const columns = { profile_hash: Buffer.from(profileHash(few, system.digest), "hex") };
    const limited = async (): Promise<Signer> => {
      const opened = await ca.open();
      if (opened.state !== "ready") throw new Error(opened.reason);
      return Signer.start({
        ...system,
        clock: ca.clock,
        database: ca.database,
        ledger: opened.ledger,
        timeZone: TIME_ZONE,
        trustDomain: "suido.test",
        checkpoint: () => undefined,
        keys: await IssuerKeys.open(ca.database, ca.keyStore),
        keyStore: ca.keyStore,
        caConfig,
        vaUrl: VA_URL,
        profiles: new Map([...caConfig.profiles, [few.name, few]]),
        log: pino({ level: "silent" }),
      });
    };
    const first = await limited();
    for (let i = 0; i < 3; i++)
      expect(await first.issue([await ca.reserve(columns)])).toMatchObject([{ outcome: "good" }]);
    const serial = await ca.reserve(columns);
    await expect(first.issue([serial])).rejects.toMatchObject({ code: "issuing-stopped" });
    expect((await ca.row(serial)).state).toBe("reserved");
    await first.close();
    const second = await limited();
    await expect(second.issue([await ca.reserve(columns)])).rejects.toMatchObject({
      code: "issuing-stopped",
    });
    await second.close();
    await ca.drop();
  });
});

describe("the invariants find", () => {
  let ca: TestCa;
  let serial: Serial;
  beforeEach(async () => {
    ca = await TestCa.create();
    const signer = await ca.start();
    serial = await ca.reserve();
    await signer.issue([serial]);
    await signer.journal(await ca.stop(serial, 4));
    await signer.close();
    // Past the triggers, as a fault of the disk or a person with a shell would be.
    await ca.superuser.query("set session_replication_role = replica");
  });
  afterEach(() => ca.drop());

  it.for([
    { name: "a lost row", sql: "delete from ca.issued where serial = $1", fault: "I2" },
    {
      name: "a revocation undone",
      sql: "update ca.issued set state = 'good', reason = null, revoked_at = null where serial = $1",
      fault: "I5",
    },
    {
      name: "a reason changed",
      sql: "update ca.issued set reason = 5 where serial = $1",
      fault: "I5",
    },
    {
      name: "another certificate",
      sql: "update ca.issued set der = der_sha256 where serial = $1",
      fault: "I6",
    },
    {
      name: "another certificate with its hash",
      sql: "update ca.issued set der = '\\x00', der_sha256 = sha256('\\x00') where serial = $1",
      fault: "I2",
    },
    {
      name: "a certificate that nobody journaled",
      sql: 'insert into ca.issued select (jsonb_populate_record(i, \'{"serial": "\\\\x41414141", "der_sha256": "\\\\x4141414141414141414141414141414141414141414141414141414141414141"}\')).* from ca.issued i where serial = $1',
      fault: "I2",
    },
    {
      name: "a reservation that was not closed",
      sql: "update ca.issued set state = 'reserved', der = null, der_sha256 = null, issued_at = null, reason = null, revoked_at = null where serial = $1",
      fault: "I2",
    },
    {
      name: "a revoked one that is missing on the list",
      sql: "update ca.list set watermark = 1000 where current and $1::bytea is not null",
      fault: "R16",
    },
    {
      name: "a missing shard",
      sql: "update ca.list set current = false where scope = '03' and $1::bytea is not null",
      fault: "I3",
    },
    {
      name: "a list with other bytes",
      sql: "update ca.list set der = der || '\\x00' where scope = '03' and $1::bytea is not null",
      fault: "I4",
    },
    {
      name: "a list that nobody journaled",
      sql: "update ca.list set number = number + 1 where scope = '03' and $1::bytea is not null",
      fault: "I4",
    },
    {
      name: "a list that has expired",
      sql: "update ca.list set der = (select der from ca.list where issuer_id = 'root-g1' and current) where scope = '03' and $1::bytea is not null",
      fault: "R23",
    },
  ])("$name", async ({ sql, fault }) => {
    await ca.superuser.query(sql, [Buffer.from(serial, "hex")]);
    const { ok, faults } = await invariants(ca);
    expect(ok).toBe(false);
    expect(faults.join()).toContain(fault);
  });
  it("nothing where nothing is wrong", async () => {
    const { ok, faults } = await invariants(ca);
    expect(faults).toEqual([]);
    expect(ok).toBe(true);
  });
});
