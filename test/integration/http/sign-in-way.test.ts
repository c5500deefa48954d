import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import { makeDeviceKey } from "../../support/service.ts";
import { NOW } from "../ca/app-side.ts";
import { openSignInWorld, type SignInWorld } from "./sign-in-world.ts";
import { Visitor } from "./visitor.ts";
import type { Tenant } from "./world.ts";

let world: SignInWorld;
let tenant: Tenant;
let subject: string;
let count = 0;

beforeAll(async () => {
  world = await openSignInWorld();
});
beforeEach(async () => {
  world.side.time.now = NOW;
  tenant = await world.tenant(`薬局${(count += 1)}`);
  subject = `person-${count}`;
  await world.register(tenant.accountId, subject);
});
afterAll(() => world.close());

const titleOf = (body: string): string => /<h1[^>]*>([^<]+)</.exec(body)?.[1] ?? "";
const after = (minutes: number): void => {
  world.side.time.now = new Date(world.side.time.now.getTime() + minutes * 60_000);
};

interface Begun {
  readonly id: string;
  readonly visitor: Visitor;
}
const begun = async (): Promise<Begun> => {
  const { accountId, deviceId } = tenant;
  const { body } = await world.call("POST", "/v1/enrolments", { body: { accountId, deviceId } });
  const { id, link } = body as unknown as { readonly id: string; readonly link: string };
  const visitor = new Visitor(world.app);
  await visitor.press({ token: link.split("/").at(-1) });
  return { id, visitor };
};
const enrolment = async (id: string) =>
  (await world.call("GET", `/v1/enrolments/${id}`)).body as unknown as Record<string, unknown>;

describe("on the way of a certificate", () => {
  it("offers the sign-in first, and goes on after it without leaving a session behind", async () => {
    const { id, visitor } = await begun();
    const { body } = await visitor.go("GET", "/way");
    expect(titleOf(body)).toBe("ご本人の確認をします");
    expect(body.indexOf("サインインして続ける")).toBeLessThan(body.indexOf("お電話でも"));
    const back = await world.signIn(visitor, subject, "way");
    expect([back.statusCode, back.headers.location]).toEqual([303, "/way"]);
    expect(await visitor.state()).toBe("make");
    expect(await enrolment(id)).toMatchObject({
      state: "identified",
      identifiedHow: "sign-in",
      identifiedBy: `account:${tenant.accountId}`,
    });
    expect(titleOf((await visitor.go("GET", "/sign-in")).body)).toBe("サインインしてください");
    // Once more changes nothing, and leads to where the browser is.
    expect((await world.signIn(visitor, subject, "way")).headers.location).toBe("/way");
    expect((await enrolment(id))["state"]).toBe("identified");
  });

  it("has a page of its own for whoever signs in as somebody else, and notes it", async () => {
    const { id, visitor } = await begun();
    const { corporationId, pharmacyId } = tenant;
    const colleague = await world.call("POST", "/v1/accounts", {
      body: { corporationId, name: "同僚" },
    });
    const accountId = colleague.body.id;
    const role = "pharmacist";
    await world.call("POST", "/v1/memberships", { body: { accountId, pharmacyId, role } });
    await world.register(accountId, `colleague-${count}`);
    const back = await world.signIn(visitor, `colleague-${count}`, "way");
    expect(back.headers.location).toBe("/way?sign-in=other");
    const page = await visitor.go("GET", "/way?sign-in=other");
    expect(titleOf(page.body)).toBe("別の方のアカウントです");
    expect(page.body).toContain("別のアカウントでサインインする");
    expect(await visitor.state()).toBe("identify");
    const [noted] = await world.side.admin.query(
      "select detail from app.audit where subject = $1 and action = 'enrolment.signed-in-as-other'",
      [`enrolment/${id}`],
    );
    expect(noted).toEqual({ detail: { accounts: [accountId] } });
    await world.signIn(visitor, subject, "way");
    expect(await visitor.state()).toBe("make");
    // Once it goes on, an address from before shows nothing of that any more.
    expect(titleOf((await visitor.go("GET", "/way?sign-in=other")).body)).not.toContain("別の方");
  });

  it("tells beside the other ways why nobody was identified", async () => {
    const { visitor } = await begun();
    const foreign = await world.tenant(`よその法人${count}`);
    await world.register(foreign.accountId, `foreign-${count}`);
    expect((await world.signIn(visitor, `foreign-${count}`, "way")).headers.location).toBe(
      "/way?sign-in=other",
    );
    const stranger = await world.signIn(visitor, `stranger-${count}`, "way");
    expect(stranger.headers.location).toBe("/way?sign-in=unknown");
    const { body } = await visitor.go("GET", "/way?sign-in=unknown");
    expect(body).toContain("まだ登録されていません");
    expect(body).toContain("お問い合わせ番号");
    after(1);
    await world.call("DELETE", `/v1/memberships/${tenant.membershipId}`);
    after(1);
    const ended = await world.signIn(visitor, subject, "way");
    expect(ended.headers.location).toBe("/way");
    expect(await visitor.state()).toBe("withdrawn");
    // A browser that has begun nothing.
    const nobody = new Visitor(world.app);
    expect((await world.signIn(nobody, subject, "way")).headers.location).toBe("/way");
    expect((await nobody.go("GET", "/way")).statusCode).toBe(403);
  });
});

/** What `/manage` comes to for a manager who stops the tenant's device. */
async function stopped(): Promise<string | undefined> {
  const manager = new Visitor(world.app);
  await world.signIn(manager, subject, "manage");
  const path = `/manage/devices/${tenant.deviceId}/hold`;
  const { headers } = await manager.go("POST", path, { form: { reason: "lost" } });
  return /news=(.+)$/.exec(String(headers.location))?.[1];
}

const answerTo = async (path: string, body: object): Promise<object> =>
  (await world.call("POST", path, { body })).body;

const statesOf = () =>
  world.side.admin.query(
    "select i.state from app.binding b join ca.issued i on i.serial = b.serial where b.device_id = $1 order by i.reserved_at",
    [tenant.deviceId],
  );

describe("a device that its pharmacy has stopped", () => {
  it("gets no certificate that staff ask for, alone or as one of many, until staff have ended what was stopped", async () => {
    const { accountId, corporationId, deviceId } = tenant;
    const body = { accountId, deviceId };
    const { serialNumber } = (await world.call("POST", "/v1/certificates", { body })).body;
    expect(await stopped()).toBe("held");
    const refused = { type: "/problems/invalid-state", errors: [{ field: "deviceId" }] };
    expect(await answerTo("/v1/certificates", body)).toMatchObject(refused);
    const path = `/v1/certificates/${serialNumber}`;
    expect(await answerTo(`${path}/reissue`, {})).toMatchObject(refused);
    expect(await answerTo("/v1/bulk-issues", { corporationId, items: [body] })).toMatchObject({
      type: "/problems/bulk-refused",
      errors: [{ field: "items[0].deviceId" }],
    });
    await answerTo(`${path}/revoke`, { reason: "keyCompromise" });
    await answerTo("/v1/certificates", body);
    expect(await statesOf()).toEqual([{ state: "revoked" }, { state: "good" }]);
  });

  it("has none either that the signer was about to make", async () => {
    const { accountId, deviceId } = tenant;
    const { csr } = makeDeviceKey();
    const body = { accountId, deviceId, csr };
    const ask = () => world.call("POST", "/v1/certificates", { body, idempotencyKey: deviceId });
    world.side.signer.isAway = true;
    expect((await ask()).status).toBe(503);
    expect(await statesOf()).toEqual([{ state: "reserved" }]);
    const stopping = stopped();
    await vi.waitFor(async () =>
      expect(
        await world.side.admin.query("select from app.device_hold where device_id = $1", [
          deviceId,
        ]),
      ).toHaveLength(1),
    );
    world.side.signer.isAway = false;
    expect((await ask()).status).toBe(201);
    expect(await stopping).toBe("held");
    expect(await statesOf()).toEqual([{ state: "hold" }]);
  });
});
