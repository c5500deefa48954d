import type { IssuedCertificate } from "../../../src/ca/issuance.ts";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { insertTenant, type Tenant } from "../../support/rows.ts";
import { addStaff, boundTo, newCsr, NOW, openAppSide } from "./app-side.ts";

/** People of several corporations who ask for certificates in the same moment. */
const app = await openAppSide();
const { issuance, certificates, admin, signer, time } = app;
const staff = await addStaff(app);
const tenants: Tenant[] = [];
while (tenants.length < 6) tenants.push(await insertTenant(admin, `corporation ${tenants.length}`));

beforeEach(() => {
  time.now = NOW;
  signer.isAway = false;
  signer.asked.length = 0;
});
afterAll(() => app.close());

const ask = ({ deviceId, accountId }: Tenant, csr = newCsr()) =>
  issuance.issue(staff, { deviceId, accountId, csr });

/** How many transactions reserved these. */
async function commitsOf(serials: readonly string[]): Promise<number> {
  const [row] = await admin.query<{ n: number }>(
    `select count(distinct b.xmin::text)::int as n from app.binding b where encode(b.serial, 'hex') = any($1)`,
    [serials],
  );
  return row?.n ?? 0;
}

describe("requests that come at once", () => {
  it("share their commits, and each gets the certificate of its own corporation", async () => {
    const before = signer.asked.length;
    const issued = await Promise.all([...tenants, ...tenants].map((tenant) => ask(tenant)));
    expect(issued.map(({ corporationId }) => corporationId)).toEqual(
      [...tenants, ...tenants].map(({ corporationId }) => corporationId),
    );
    expect(signer.asked.length - before).toBe(12);
    expect(await commitsOf(issued.map(({ serialNumber }) => serialNumber))).toBeLessThan(6);
    for (const [i, tenant] of tenants.entries()) {
      const own = boundTo(tenant.corporationId);
      const [mine, foreign] = [issued[i], issued[(i + 1) % 6]] as [
        IssuedCertificate,
        IssuedCertificate,
      ];
      const seen = await certificates.one(own, mine.serialNumber);
      expect(seen.deviceId).toBe(tenant.deviceId);
      await expect(certificates.one(own, foreign.serialNumber)).rejects.toMatchObject({
        code: "not-found",
      });
    }
  });

  it("are refused one by one", async () => {
    const [one, two, three, four] = tenants as [Tenant, Tenant, Tenant, Tenant];
    await admin.query("update app.device set retired_at = now() where id = $1", [two.deviceId]);
    const outcomes = await Promise.allSettled([
      ask(one),
      ask(two),
      ask({ ...three, accountId: four.accountId }),
      ask(four),
      issuance.issue(boundTo(one.corporationId), {
        deviceId: four.deviceId,
        accountId: four.accountId,
        csr: newCsr(),
      }),
    ]);
    expect(outcomes).toMatchObject([
      { status: "fulfilled" },
      { reason: { code: "invalid-state", field: "deviceId" } },
      { reason: { code: "not-found", field: "accountId" } },
      { status: "fulfilled" },
      { reason: { code: "not-found", field: "deviceId" } },
    ]);
    await admin.query("update app.device set retired_at = null where id = $1", [two.deviceId]);
  });

  it("do not wait for one whose device somebody holds", async () => {
    const [held, ...others] = tenants as [Tenant, ...Tenant[]];
    await admin.query("begin");
    await admin.query("select from app.device where id = $1 for update", [held.deviceId]);
    const waiting = ask(held);
    const issued = await Promise.all(others.map((tenant) => ask(tenant)));
    expect(issued).toHaveLength(5);
    await admin.query("rollback");
    expect((await waiting).deviceId).toBe(held.deviceId);
  });

  it("are all told when the signer is away, and finished when it is back", async () => {
    signer.isAway = true;
    const requests = tenants.map(() => newCsr());
    const askAll = () => Promise.allSettled(tenants.map((tenant, i) => ask(tenant, requests[i])));
    expect((await askAll()).map(({ status }) => status)).toEqual(tenants.map(() => "rejected"));
    signer.isAway = false;
    const asked = new Set(signer.asked);
    const issued = await askAll();
    expect(issued.map(({ status }) => status)).toEqual(tenants.map(() => "fulfilled"));
    expect(new Set(signer.asked)).toEqual(asked);
  });
});
