import { Registry } from "prom-client";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { createSystem } from "../../../src/cli/system.ts";
import { forgetEnrolments } from "../../../src/lifecycle/enrolment-forgetting.ts";
import { createMeasureEnrolments } from "../../../src/lifecycle/enrolment-measures.ts";
import { NOW } from "../ca/app-side.ts";
import { type EnrolmentWorld, openEnrolmentWorld } from "./enrolment-world.ts";
import { Visitor } from "./visitor.ts";
import type { Tenant } from "./world.ts";

let world: EnrolmentWorld;
let tenant: Tenant;
let count = 0;

beforeAll(async () => {
  world = await openEnrolmentWorld();
});
beforeEach(async () => {
  world.side.time.now = NOW;
  tenant = await world.tenant(`薬局${(count += 1)}`);
});
afterAll(() => world.close());

const later = (ms: number): void => {
  world.side.time.now = new Date(NOW.getTime() + ms);
};
const DAY_MS = 86_400_000;

const tokenOf = ({ link = "" }: { readonly link?: string }): string => link.split("/").at(-1) ?? "";

/** Somebody who has begun an enrolment, and was identified by telephone. */
async function begun(of = tenant): Promise<{ readonly id: string; readonly visitor: Visitor }> {
  const made = await world.make(of);
  const visitor = new Visitor(world.app);
  await visitor.press({ token: tokenOf(made) });
  const call = { key: world.keys.support, body: { how: "telephone" } };
  expect((await world.call("POST", `/v1/enrolments/${made.id}/confirm`, call)).status).toBe(200);
  return { id: made.id, visitor };
}

/** What a handshake with the certificate does. */
async function proven(id: string): Promise<void> {
  const { admin, time } = world.side;
  await admin.query(
    `update ca.issued i set proven_at = greatest($2::timestamptz, i.issued_at) from app.binding b
     where b.serial = i.serial and b.enrolment_id = $1 and i.state = 'good'`,
    [id, time.now],
  );
  await admin.query("update app.enrolment set state = 'proven', ended_at = $2 where id = $1", [
    id,
    time.now,
  ]);
}

const forget = () =>
  forgetEnrolments(
    {
      ...createSystem(),
      clock: () => world.side.time.now,
      database: world.worker,
      keepMs: 90 * DAY_MS,
      evidenceMs: 1827 * DAY_MS,
    },
    new AbortController().signal,
  );
const rows = (id: string) =>
  world.side.admin.query(
    `select (select count(*)::int from app.enrolment_link l where l.enrolment_id = e.id) as links, e.support_number is not null as has_number,
       e.session_sha256 is not null as has_session, e.requested_by from app.enrolment e where e.id = $1`,
    [id],
  );

describe("what is forgotten", () => {
  it("of one that came to nothing is what opened it after 30 days, and all of it after the site's time", async () => {
    const { id } = await world.make(tenant, { requestedBy: "本部 山田" });
    later(14 * DAY_MS);
    await world.expire();
    later(44 * DAY_MS - 1);
    await forget();
    expect(await rows(id)).toMatchObject([{ links: 2, has_number: true }]);
    later(45 * DAY_MS);
    const both = await Promise.all([forget(), forget()]);
    expect(both.reduce((sum, { cleared }) => sum + cleared, 0)).toBeGreaterThan(0);
    expect(await rows(id)).toEqual([
      { links: 0, has_number: false, has_session: false, requested_by: null },
    ]);
    const told = await world.look(id);
    expect(told).toMatchObject({ state: "expired" });
    expect(told).not.toHaveProperty("supportNumber");
    later(104 * DAY_MS - 1);
    await forget();
    expect(await rows(id)).toHaveLength(1);
    later(105 * DAY_MS);
    await forget();
    expect(await rows(id)).toEqual([]);
    expect(await forget()).toEqual({ cleared: 0, forgotten: 0 });
    // The log keeps what it was told.
    expect(await world.actionsOf(id)).toContain("enrolment.expired");
  });

  it("of a file is all of it once none of its invitations is left", async () => {
    const { accountId, corporationId, deviceId } = tenant;
    const made = await world.call("POST", `/v1/enrolment-batches?corporationId=${corporationId}`, {
      headers: { "content-type": "text/csv" },
      body: `account,device\r\n${accountId},${deviceId}\r\n`,
    });
    const { id } = made.body;
    const look = async () => (await world.call("GET", `/v1/enrolment-batches/${id}`)).status;
    const from = world.side.time.now.getTime();
    const after = async (days: number): Promise<number> => {
      world.side.time.now = new Date(from + days * DAY_MS);
      await world.expire();
      await forget();
      return look();
    };
    expect(await after(14)).toBe(200);
    expect(await after(103)).toBe(200);
    expect(await after(105)).toBe(404);
    const told = await world.side.admin.query(
      "select detail from app.audit where action = 'enrolment-batches.forgotten'",
    );
    expect(told).toEqual([{ detail: { count: 1 } }]);
  });

  it("of one with a certificate is nothing that is evidence, for five years after the certificate's end", async () => {
    const { id, visitor } = await begun();
    expect((await visitor.csr()).statusCode).toBe(200);
    await proven(id);
    const [made] = await world.side.admin.query<{ serial: Buffer; not_after: Date }>(
      "select i.serial, i.not_after from app.binding b join ca.issued i on i.serial = b.serial where b.enrolment_id = $1",
      [id],
    );
    const end = made?.not_after ?? NOW;
    world.side.time.now = new Date(end.getTime() + 1827 * DAY_MS);
    await forget();
    expect(await rows(id)).toMatchObject([{ has_number: false, has_session: false }]);
    expect(await world.look(id)).toMatchObject({ identifiedHow: "telephone" });
    world.side.time.now = new Date(end.getTime() + 1828 * DAY_MS);
    await forget();
    expect(await rows(id)).toEqual([]);
    const serial = made?.serial.toString("hex");
    expect((await world.call("GET", `/v1/certificates/${serial}`)).body).toMatchObject({
      identifiedHow: "telephone",
    });
  });
});

const figures = async (key = world.keys.operator) => {
  const to = new Date(world.side.time.now.getTime() + DAY_MS).toISOString();
  const { status, body } = await world.call("GET", `/v1/enrolment-figures?to=${to}`, { key });
  expect(status).toBe(200);
  return body as unknown as { readonly platforms: readonly object[] };
};

describe("figures", () => {
  it("say by platform how long it takes, how often people try and where they stop; each counts once in the metrics", async () => {
    const { key } = await world.newKey("operator", tenant.corporationId);
    const metrics = new Registry();
    const clock = (): Date => world.side.time.now;
    const measure = createMeasureEnrolments({ database: world.worker, clock, metrics });
    const { signal } = new AbortController();
    await measure(signal);
    metrics.resetMetrics();
    const device = async (name: string): Promise<Tenant> => {
      const { pharmacyId } = tenant;
      const made = await world.call("POST", "/v1/devices", {
        body: { pharmacyId, name, platform: "windows" },
      });
      return { ...tenant, deviceId: made.body.id };
    };
    const [first, second, third] = [tenant, await device("二"), await device("三")];

    const quick = await begun(first);
    expect((await quick.visitor.csr()).statusCode).toBe(200);
    for (const step of ["make", "save", "open", "pick"])
      expect((await quick.visitor.go("POST", "/way/steps", { form: { step } })).statusCode).toBe(
        204,
      );
    later(100_000);
    await proven(quick.id);
    const slow = await begun(second);
    for (let turn = 0; turn < 2; turn += 1) {
      world.side.time.now = new Date(world.side.time.now.getTime() + 1000);
      expect((await slow.visitor.csr()).statusCode).toBe(200);
    }
    await slow.visitor.go("POST", "/way/steps", { form: { step: "other-style" } });
    const stopped = await begun(third);
    expect((await stopped.visitor.csr()).statusCode).toBe(200);
    for (const step of ["make", "password"]) {
      world.side.time.now = new Date(world.side.time.now.getTime() + 1000);
      await stopped.visitor.go("POST", "/way/steps", { form: { step } });
    }
    await world.call("POST", `/v1/enrolments/${stopped.id}/withdraw`);
    later(400_000);
    await proven(slow.id);
    const { body: party } = await world.call("POST", "/v1/relying-parties", {
      body: { name: "edge", product: "musubi", uses: ["authorize"] },
    });
    await world.side.admin.query(
      `insert into party.use (serial, relying_party_id, first_at, last_at)
       select b.serial, $2, $3, $3 from app.binding b where b.enrolment_id = $1`,
      [quick.id, party.id, new Date(NOW.getTime() + 120_000)],
    );

    const [windows, ...others] = (await figures(key)).platforms;
    expect(others).toEqual([]);
    expect(windows).toMatchObject({
      platform: "windows",
      begun: 3,
      proven: 2,
      firstTry: 1,
      dropped: 1,
      certificates: 4,
      otherStyle: 1,
      openingToProof: { p50: 200, p90: 280 },
      proofToUse: { p50: 20, p90: 20 },
      failedChecks: {},
      droppedAt: { password: 1 },
      steps: { make: 2, save: 1, open: 1, pick: 1, password: 1, "other-style": 1 },
    });
    // What is another tenant's is not counted for this one, but is for staff.
    const foreign = await world.tenant("別の薬局");
    const { key: foreignKey } = await world.newKey("operator", foreign.corporationId);
    expect((await figures(foreignKey)).platforms).toEqual([]);
    expect(JSON.stringify((await figures()).platforms)).toContain("windows");

    await Promise.all([measure(signal), measure(signal)]);
    const text = await metrics.metrics();
    expect(text).toContain('suido_enrolment_opening_to_proof_seconds_count{platform="windows"} 2');
    expect(text).toContain('suido_enrolment_opening_to_proof_seconds_sum{platform="windows"} 400');
    expect(text).toContain('suido_enrolment_proof_to_use_seconds_count{platform="windows"} 1');
    expect(text).toContain('suido_enrolments_first_try_total{platform="windows"} 1');
    expect(text).toContain('suido_enrolment_dropped_total{platform="windows",step="password"} 1');
    await measure(signal);
    expect(await metrics.metrics()).toBe(text);
  });

  it("refuse a window that is none, and note nothing for nobody", async () => {
    const wrong = await world.call(
      "GET",
      "/v1/enrolment-figures?from=2026-11-21T09:00:00Z&to=2026-11-21T09:00:00Z",
    );
    expect(wrong).toMatchObject({ status: 422, body: { errors: [{ field: "from" }] } });
    const before = await world.counts();
    const stranger = new Visitor(world.app);
    for (const cookie of ["", "suido-way=x", `suido-way=${"0".repeat(32)}`]) {
      stranger.cookie = cookie;
      const reply = await stranger.go("POST", "/way/steps", { form: { step: "make" } });
      expect(reply.statusCode).toBe(204);
    }
    const strange = await stranger.go("POST", "/way/steps", { form: { step: "patient" } });
    expect(strange.statusCode).toBe(400);
    expect(await world.counts()).toEqual(before);
  });
});
