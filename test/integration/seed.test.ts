import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { runSuido } from "../../src/cli/instance.ts";
import { readCrl } from "../../src/pki/crl-reader.ts";
import { type FreshDatabase, emptyDatabase, openSuperuser } from "../support/database.ts";
import { RelyingParty } from "../support/relying-party.ts";
import { type Certificate, sentencesOf, Service } from "../support/service.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });

interface Seeded {
  readonly issuer: string;
  readonly good: readonly string[];
  readonly revoked: readonly string[];
}

const seed = (service: Service, certificates: number, revoked: number): Promise<Seeded> =>
  service.command("seed", "--certificates", `${certificates}`, "--revoked", `${revoked}`);

const SERIAL = /^[4-7][0-9a-f]{31}$/;

/** What is wrong with an answer by the command's contract, to the letter. */
function faultsOf(seeded: Seeded, good: number, revoked: number): readonly string[] {
  const all = [...seeded.good, ...seeded.revoked];
  const rules: Record<string, boolean> = {
    "issuer, good, revoked": Object.keys(seeded).join() === "issuer,good,revoked",
    "the issuing CA": seeded.issuer === "issuing-g1",
    "so many of each": seeded.good.length === good && seeded.revoked.length === revoked,
    "serial numbers": all.every((serial) => SERIAL.test(serial)),
    "each once": new Set(all).size === all.length,
  };
  return Object.keys(rules).filter((rule) => rules[rule] !== true);
}

/** Every certificate has its journal record, every row its place in the log, and every list what it must have. */
async function expectSound(service: Service): Promise<void> {
  expect(await service.command("audit", "invariants")).toMatchObject({ ok: true, faults: [] });
  expect(await service.command("audit", "verify")).toMatchObject({ ok: true, faults: [] });
}

async function listed(service: Service): Promise<ReadonlySet<string>> {
  const list = readCrl(new Uint8Array(await service.published("crl/issuing-g1.crl")));
  return new Set(Array.from(list.entries(), ({ serial }) => serial));
}

describe("seed, on the embedded database", () => {
  let service: Service;
  let first: Seeded;
  let party: RelyingParty;

  beforeAll(async () => {
    service = await Service.prepare({ SUIDO_LOG_LEVEL: "warn" });
    first = await seed(service, 260, 30);
    await expectSound(service);
    await service.start();
    await service.makeKey();
    party = await RelyingParty.open(service);
  });

  afterAll(async () => {
    party.dispose();
    await service.dispose();
  });

  const certificate = (serial: string): Promise<Certificate> =>
    service.must("GET", `/v1/certificates/${serial}`);

  it("makes the CA where there is none, and prints ten of each", () => {
    expect(faultsOf(first, 10, 10)).toEqual([]);
  });

  it("OpenSSL finds the good good and the revoked revoked, by OCSP and by the lists", async () => {
    const good = await certificate(first.good[3] ?? "");
    const revoked = await certificate(first.revoked[3] ?? "");
    expect(await party.ocsp(good)).toBe("good");
    expect(await party.ocsp(revoked)).toBe("revoked");
    expect(await party.verify(good)).toMatchObject({ code: 0 });
    expect((await party.verify(revoked)).text).toContain("certificate revoked");
  });

  it("binds each to a device of a pharmacy and to a member of it", async () => {
    const status = await service.must("GET", `/v1/status/${first.good[0]}`);
    const named = { name: expect.any(String) as string };
    expect(status).toMatchObject({
      status: "good",
      device: named,
      account: named,
      pharmacy: named,
    });
  });

  it("adds to what a running service has, and OCSP and lists know it at once", async () => {
    const more = await seed(service, 40, 4);
    expect(faultsOf(more, 10, 4)).toEqual([]);
    expect(await party.ocsp(await certificate(more.good[0] ?? ""))).toBe("good");
    expect(await party.ocsp(await certificate(more.revoked[0] ?? ""))).toBe("revoked");
    const onList = await listed(service);
    expect(onList.size).toBe(34);
    expect([...first.revoked, ...more.revoked].filter((serial) => !onList.has(serial))).toEqual([]);
    await expectSound(service);
  });

  it("leaves the hour of the profile that pharmacies' devices have", async () => {
    expect(await certificate(first.good[0] ?? "")).toMatchObject({ profile: "device-sample" });
    expect(await service.issue(await service.world())).toMatchObject({ status: "good" });
  });

  it("lists as many as there are where there are fewer than ten", async () => {
    expect(faultsOf(await seed(service, 5, 2), 3, 2)).toEqual([]);
    expect(faultsOf(await seed(service, 1, 1), 0, 1)).toEqual([]);
  });
});

describe("seed, on the database of DATABASE_URL", () => {
  let database: FreshDatabase;
  let service: Service;

  beforeAll(async () => {
    database = await emptyDatabase();
    service = await Service.prepare({ DATABASE_URL: database.url, SUIDO_LOG_LEVEL: "warn" });
  });

  afterAll(async () => {
    await service.dispose();
    await database.drop();
  });

  it("fills an empty one, and one that a service elsewhere works with", async () => {
    expect(faultsOf(await seed(service, 20, 5), 10, 5)).toEqual([]);
    await service.start();
    // Another folder, as of another checkout: only the database says that a signer works.
    const elsewhere = await Service.prepare({ DATABASE_URL: database.url });
    expect(faultsOf(await seed(elsewhere, 20, 5), 10, 5)).toEqual([]);
    await elsewhere.dispose();
    // The command elsewhere cannot see this service's VA: its lists are current, and given out a moment later.
    const listedNow = async (): Promise<number> => (await listed(service)).size;
    await expect.poll(listedNow, { timeout: 30_000 }).toBe(10);
    await expectSound(service);
  });

  it("puts each thing on record, as when it is made one by one", async () => {
    const admin = await openSuperuser(database.url);
    const rows = await admin.query<{ action: string; audited: number; events: number }>(
      `select action, count(*)::int as audited, (select count(*)::int from app.event e where e.type = 'jp.suido.' || action) as events
       from app.audit where action ~ 'created|requested|issued|revoked' group by action order by action`,
    );
    const count = (text: string): Promise<number> =>
      admin.query<{ n: number }>(text).then(([row]) => row?.n ?? 0);
    const of = new Map(rows.map(({ action, audited }) => [action, audited]));
    expect(rows.filter(({ audited, events }) => audited !== events)).toEqual([]);
    for (const thing of ["corporation", "pharmacy", "account", "membership", "device"])
      expect(of.get(`${thing}.created`)).toBe(
        await count(`select count(*)::int as n from app.${thing}`),
      );
    expect(of.get("certificate.requested")).toBe(40);
    expect(of.get("certificate.revoked")).toBe(10);
    const unbound = `select count(*)::int as n from app.binding b join app.device d on d.id = b.device_id
      where d.pharmacy_id <> b.pharmacy_id or not exists (select from app.membership m
        where m.account_id = b.account_id and m.pharmacy_id = b.pharmacy_id)`;
    expect(await count(unbound)).toBe(0);
    await admin.close();
  });
});

describe("seed, asked wrongly", () => {
  it.for([
    [["--revoked", "1"], "suido: --certificates says how many, at least 1"],
    [["--certificates", "10", "--revoked", "11"], "suido: --revoked is a whole number, at most 10"],
    [["--certificates", "1e3"], "suido: --certificates is a whole number, at most 10000000"],
  ] as const)("%j: %s", async ([words, sentence]) => {
    const { code, stderr } = await runSuido(["seed", ...words], {});
    expect([code, sentencesOf(stderr)[0]]).toEqual([2, sentence]);
  });
});
