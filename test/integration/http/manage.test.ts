import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { NOW } from "../ca/app-side.ts";
import { type EnrolmentWorld, withMails } from "./enrolment-world.ts";
import { openSignInWorld, type SignInWorld } from "./sign-in-world.ts";
import { Visitor } from "./visitor.ts";
import type { Tenant } from "./world.ts";

let world: SignInWorld & EnrolmentWorld;
let tenant: Tenant;
let manager: Visitor;
let count = 0;

async function person(
  role: string,
  pharmacyId = tenant.pharmacyId,
): Promise<{ id: string; membershipId: string; address: string; visitor: Visitor }> {
  const subject = `person-${(count += 1)}`;
  const address = `${subject}@mizuki.example`;
  const { corporationId } = tenant;
  const { body } = await world.call("POST", "/v1/accounts", {
    body: { corporationId, name: `担当${count}`, email: address },
  });
  const accountId = body.id;
  const member = await world.call("POST", "/v1/memberships", {
    body: { accountId, pharmacyId, role },
  });
  await world.register(accountId, subject);
  const visitor = new Visitor(world.app);
  await world.signIn(visitor, subject, "manage");
  return { id: accountId, membershipId: member.body.id, address, visitor };
}

async function enrolment(
  accountId: string,
  reason = "first",
): Promise<{ id: string; visitor: Visitor; number: string }> {
  const { deviceId } = tenant;
  const made = await world.call("POST", "/v1/enrolments", {
    body: { accountId, deviceId, reason },
  });
  const { id, link, supportNumber } = made.body as unknown as Record<string, string>;
  const visitor = new Visitor(world.app);
  await visitor.press({ token: link?.split("/").at(-1) });
  return { id: id ?? "", visitor, number: supportNumber ?? "" };
}

beforeAll(async () => {
  world = withMails(await openSignInWorld());
});
beforeEach(async () => {
  world.side.time.now = NOW;
  tenant = await world.tenant(`薬局${(count += 1)}`);
  await world.register(tenant.accountId, `manager-${count}`);
  manager = new Visitor(world.app);
  await world.signIn(manager, `manager-${count}`, "manage");
});
afterAll(() => world.close());

const news = async (visitor: Visitor, path: string, form: object): Promise<string | number> => {
  const { headers, statusCode } = await visitor.go("POST", path, { form });
  if (statusCode !== 303) return statusCode;
  return /news=(.+)$/.exec(String(headers.location))?.[1] ?? String(headers.location);
};
const screen = async (visitor: Visitor): Promise<string> =>
  (await visitor.go("GET", `/manage/${tenant.pharmacyId}`)).body;
const status = async (serialNumber: string): Promise<unknown> =>
  (
    (await world.call("GET", `/v1/certificates/${serialNumber}`)).body as unknown as Record<
      string,
      unknown
    >
  )["status"];
const issue = async (): Promise<string> => {
  const { accountId, deviceId } = tenant;
  const { body } = await world.call("POST", "/v1/certificates", { body: { accountId, deviceId } });
  return body.serialNumber;
};

const confirm = (id: string): string => `/manage/enrolments/${id}/confirm`;
const revoke = (serial: string, reason: string) =>
  world.call("POST", `/v1/certificates/${serial}/revoke`, { body: { reason } });

describe("confirming a colleague", () => {
  it("lets the colleague's page go on by itself, by the manager's word", async () => {
    const colleague = await person("pharmacist");
    const { id, number, visitor } = await enrolment(colleague.id);
    expect(await visitor.state()).toBe("identify");
    const only = await manager.go("GET", "/manage");
    expect(only.headers.location).toBe(`/manage/${tenant.pharmacyId}`);
    const shown = await screen(manager);
    expect(shown).toContain("本人を確認しました");
    expect(shown).toContain(`${number.slice(0, 3)} ${number.slice(3)}`);
    const path = `/manage/enrolments/${id}/confirm`;
    expect(await news(manager, path, { supportNumber: number })).toBe("confirmed");
    expect(await visitor.state()).toBe("make");
    const { body } = await world.call("GET", `/v1/enrolments/${id}`);
    expect(body).toMatchObject({
      state: "identified",
      identifiedHow: "manager",
      identifiedBy: `account:${tenant.accountId}`,
    });
    expect(await news(manager, path, { supportNumber: number })).toBe("over");
  });

  it("is nobody's of themselves, of the screen that waits, or of a number that has changed", async () => {
    const own = await enrolment(tenant.accountId);
    expect(await news(manager, confirm(own.id), { supportNumber: own.number })).toBe("own");
    expect(await screen(manager)).toContain("これはご自分です");
    const colleague = await person("pharmacist");
    const { id, number, visitor } = await enrolment(colleague.id);
    expect(await news(manager, confirm(id), { supportNumber: "000000" })).toBe("changed");
    // The manager's session beside the colleague's way, in one browser.
    const both = new Visitor(world.app);
    for (const [name, value] of [...manager.cookies, ...visitor.cookies])
      both.cookies.set(name, value);
    expect(await news(both, confirm(id), { supportNumber: number })).toBe("own-screen");
    expect(await visitor.state()).toBe("identify");
  });

  it("is the manager's and the head office's only, and of their own corporation", async () => {
    const colleague = await person("pharmacist");
    const { id, number, visitor } = await enrolment(colleague.id);
    const path = `/manage/enrolments/${id}/confirm`;
    expect(await screen(colleague.visitor)).not.toContain("確認を待っている人");
    // A second factor is of use to those who may have a machine stand in.
    expect(await screen(colleague.visitor)).not.toContain('href="/factors"');
    expect(await screen(manager)).toContain('href="/factors"');
    const other = await person("pharmacist");
    expect(await news(other.visitor, path, { supportNumber: number })).toBe(404);
    const { pharmacyId } = tenant;
    const foreign = await world.tenant("よその法人");
    await world.register(foreign.accountId, `foreign-${count}`);
    const stranger = new Visitor(world.app);
    await world.signIn(stranger, `foreign-${count}`, "manage");
    expect((await stranger.go("GET", `/manage/${pharmacyId}`)).statusCode).toBe(404);
    expect(await news(stranger, path, { supportNumber: number })).toBe(404);
    const { deviceId } = tenant;
    expect(await news(stranger, `/manage/devices/${deviceId}/hold`, { reason: "lost" })).toBe(404);
    expect(await news(new Visitor(world.app), path, { supportNumber: number })).toBe(
      "/sign-in?to=manage",
    );
    expect(await visitor.state()).toBe("identify");
    const branch = await world.call("POST", "/v1/pharmacies", {
      body: { corporationId: tenant.corporationId, name: "本部", code: "900" },
    });
    const head = await person("headOffice", branch.body.id);
    expect((await head.visitor.go("GET", "/manage")).body).toContain("確認待ち 1人");
    expect(await news(head.visitor, path, { supportNumber: number })).toBe("confirmed");
  });

  it("takes nothing from another site's page, nor after the right has ended", async () => {
    const colleague = await person("pharmacist");
    const { id, number, visitor } = await enrolment(colleague.id);
    const path = `/manage/enrolments/${id}/confirm`;
    const headers = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
    const forged = await manager.go("POST", path, { form: { supportNumber: number }, headers });
    expect(forged.statusCode).toBe(403);
    await world.call("PATCH", `/v1/memberships/${tenant.membershipId}`, {
      body: { role: "pharmacist" },
    });
    expect(await news(manager, path, { supportNumber: number })).toBe(404);
    expect(await visitor.state()).toBe("identify");
  });
});

/** To whom mails went since the last look, and what they say. */
const mails = async (): Promise<Readonly<Record<string, string>>> =>
  Object.fromEntries(
    (await world.sent()).map(({ subject, text, to }) => [to, `${subject}\n${text}`]),
  );

const deputyPath = (membershipId: string): string => `/manage/memberships/${membershipId}/deputy`;
const deputyOf = async (membershipId: string): Promise<unknown> =>
  ((await world.call("GET", `/v1/memberships/${membershipId}`)).body as { deputy?: boolean })
    .deputy;

describe("naming a deputy", () => {
  it("is the manager's, who is on record; the deputy and the other managers are told", async () => {
    const deputy = await person("pharmacist");
    const other = await person("manager");
    const shown = await screen(manager);
    expect(shown).toContain("代理の人を選ぶ");
    expect(shown).toContain(deputyPath(deputy.membershipId));
    expect(shown).not.toContain(deputyPath(other.membershipId));
    expect(shown).not.toContain(deputyPath(tenant.membershipId));
    await mails();
    expect(await news(manager, deputyPath(deputy.membershipId), { deputy: "yes" })).toBe(
      "deputy-named",
    );
    expect(await deputyOf(deputy.membershipId)).toBe(true);
    const named = await mails();
    expect(Object.keys(named).toSorted()).toEqual([deputy.address, other.address].toSorted());
    expect(named[deputy.address]).toContain("http://localhost:8000/factors");
    expect(named[other.address]).toContain("代理の人に選ばれました");
    expect(named[other.address]).toContain("http://localhost:8000/manage");
    expect(await screen(manager)).toContain("代理の人から外す");
    expect(await news(manager, deputyPath(deputy.membershipId), { deputy: "yes" })).toBe(
      "deputy-same",
    );
    expect(await mails()).toEqual({});
    expect(await news(other.visitor, deputyPath(deputy.membershipId), { deputy: "no" })).toBe(
      "deputy-ended",
    );
    expect(await deputyOf(deputy.membershipId)).toBe(false);
    expect(Object.keys(await mails())).toHaveLength(2);
    const facts = await world.side.admin.query(
      "select actor, detail from app.audit where subject = $1 and action = 'membership.updated' order by xid",
      [`membership/${deputy.membershipId}`],
    );
    const changed = ["deputy"];
    expect(facts).toEqual([
      { actor: `account:${tenant.accountId}`, detail: { changed, deputy: true } },
      { actor: `account:${other.id}`, detail: { changed, deputy: false } },
    ]);
  });

  it("is nobody's of themselves or another pharmacy's, nor a pharmacist's, and no GET's", async () => {
    const deputy = await person("pharmacist");
    const { visitor, membershipId } = await person("pharmacist");
    expect(await screen(visitor)).not.toContain("代理の人");
    expect(await news(visitor, deputyPath(deputy.membershipId), { deputy: "yes" })).toBe(404);
    expect(await news(visitor, deputyPath(membershipId), { deputy: "yes" })).toBe(404);
    expect(await news(manager, deputyPath(tenant.membershipId), { deputy: "yes" })).toBe(
      "deputy-own",
    );
    expect((await manager.go("GET", deputyPath(deputy.membershipId))).statusCode).toBe(404);
    const foreign = await world.tenant("よその法人");
    await world.register(foreign.accountId, `foreign-${count}`);
    const stranger = new Visitor(world.app);
    await world.signIn(stranger, `foreign-${count}`, "manage");
    expect(await news(stranger, deputyPath(deputy.membershipId), { deputy: "yes" })).toBe(404);
    expect(await news(manager, deputyPath(foreign.membershipId), { deputy: "yes" })).toBe(404);
    expect(await news(manager, deputyPath("none"), { deputy: "yes" })).toBe(404);
    expect(await news(manager, deputyPath(deputy.membershipId), { deputy: "?" })).toBe(400);
    // Another pharmacy of the same corporation.
    const branch = await world.call("POST", "/v1/pharmacies", {
      body: { corporationId: tenant.corporationId, name: "駅前店", code: "002" },
    });
    const there = await person("manager", branch.body.id);
    expect(await news(there.visitor, deputyPath(deputy.membershipId), { deputy: "yes" })).toBe(404);
    // Nor of one who has left.
    await world.call("DELETE", `/v1/memberships/${membershipId}`);
    expect(await news(manager, deputyPath(membershipId), { deputy: "yes" })).toBe(404);
    expect(await deputyOf(deputy.membershipId)).toBe(false);
  });
});

describe("stopping a device", () => {
  it("tells the managers, or the head office where there is no other, and at its end whoever did it", async () => {
    await issue();
    const hold = `/manage/devices/${tenant.deviceId}/hold`;
    const release = `/manage/devices/${tenant.deviceId}/release`;
    const pharmacist = await person("pharmacist");
    const branch = await world.call("POST", "/v1/pharmacies", {
      body: { corporationId: tenant.corporationId, name: "本部", code: "900" },
    });
    const head = await person("headOffice", branch.body.id);
    const address = `manager-${count}@mizuki.example`;
    await world.call("PATCH", `/v1/accounts/${tenant.accountId}`, { body: { email: address } });
    await world.call("PATCH", `/v1/accounts/${head.id}`, { body: { locale: "en" } });
    await mails();
    await news(pharmacist.visitor, hold, { reason: "lost" });
    const held = await mails();
    expect(Object.keys(held)).toEqual([address]);
    for (const said of ["受付1号機", "なくした、盗まれた", "http://localhost:8000/manage"])
      expect(held[address]).toContain(said);
    await news(manager, release, {});
    const released = await mails();
    expect(Object.keys(released).toSorted()).toEqual([pharmacist.address, head.address].toSorted());
    expect(released[pharmacist.address]).toContain("がまた使えるようになりました");
    expect(released[head.address]).toContain("can be used again");
    await news(manager, hold, { reason: "other" });
    expect(Object.keys(await mails())).toEqual([head.address]);
    await news(manager, hold, { reason: "other" });
    expect(await mails()).toEqual({});
  });

  it("is anybody's of the pharmacy, of one device, and the manager lifts it", async () => {
    const [first, second] = [await issue(), await issue()];
    const { body: beside } = await world.call("POST", "/v1/devices", {
      body: { pharmacyId: tenant.pharmacyId, name: "投薬台", platform: "ipados" },
    });
    const other = await world.call("POST", "/v1/certificates", {
      body: { accountId: tenant.accountId, deviceId: beside.id },
    });
    const { visitor } = await person("pharmacist");
    // Two places of the one, and one of the other.
    expect(
      (await screen(visitor)).match(/2か所（ユーザーやブラウザー）に入っています/g),
    ).toHaveLength(1);
    expect(await screen(visitor)).not.toContain("1か所");
    const { deviceId } = tenant;
    const hold = `/manage/devices/${deviceId}/hold`;
    const release = `/manage/devices/${deviceId}/release`;
    expect(await news(visitor, hold, { reason: "lost" })).toBe("held");
    expect([await status(first), await status(second)]).toEqual(["hold", "hold"]);
    expect(await status(other.body.serialNumber)).toBe("good");
    const shown = await screen(visitor);
    expect(shown).toContain("止めています");
    expect(shown).toContain("なくした、盗まれた");
    expect(shown).toContain("元に戻せるのは、管理者です");
    expect(await news(visitor, hold, { reason: "lost" })).toBe("nothing");
    expect(await news(visitor, release, {})).toBe("not-manager");
    expect(await status(first)).toBe("hold");
    expect(await news(manager, release, {})).toBe("released");
    expect([await status(first), await status(second)]).toEqual(["good", "good"]);
    expect(await news(manager, release, {})).toBe("nothing");
    const facts = await world.side.admin.query<{ action: string; detail: object }>(
      "select action, detail from app.audit where subject = $1 and action in ('device.held', 'device.released') order by xid",
      [`device/${deviceId}`],
    );
    expect(facts.map(({ action }) => action)).toEqual(["device.held", "device.released"]);
    expect(facts[0]?.detail).toMatchObject({ reason: "lost" });
  });

  it("keeps a certificate from it that somebody is about to have, until the manager lifts it", async () => {
    const { deviceId } = tenant;
    const hold = `/manage/devices/${deviceId}/hold`;
    const colleague = await person("pharmacist");
    const { id, number, visitor } = await enrolment(colleague.id);
    await news(manager, confirm(id), { supportNumber: number });
    expect((await visitor.csr()).statusCode).toBe(200);
    expect(await news(manager, hold, { reason: "suspicious" })).toBe("held");
    expect(await visitor.state()).toBe("held");
    expect(await visitor.page()).toBe("この端末は、いま止められています");
    const refused = await visitor.csr();
    expect([refused.statusCode, refused.json()]).toMatchObject([
      409,
      { type: "/problems/invalid-state", errors: [{ field: "deviceId" }] },
    ]);
    // With a key that we make, too.
    await visitor.go("POST", "/way/certificates", { form: {} });
    const made = await world.side.admin.query("select from app.binding where device_id = $1", [
      deviceId,
    ]);
    expect(made).toHaveLength(1);
    expect(await news(manager, `/manage/devices/${deviceId}/release`, {})).toBe("released");
    expect(await visitor.state()).toBe("make");
    expect((await visitor.csr()).statusCode).toBe(200);
  });

  it("lets a renewal wait that was begun before, and bars one whose certificate staff have stopped", async () => {
    const old = await issue();
    const { id, visitor } = await enrolment(tenant.accountId, "renewal");
    await news(manager, `/manage/devices/${tenant.deviceId}/hold`, { reason: "lost" });
    expect(await visitor.state()).toBe("identify");
    const said = { key: world.keys.support, body: { how: "telephone" } };
    expect((await world.call("POST", `/v1/enrolments/${id}/confirm`, said)).status).toBe(200);
    expect(await visitor.state()).toBe("held");
    await news(manager, `/manage/devices/${tenant.deviceId}/release`, {});
    expect(await visitor.state()).toBe("make");
    await revoke(old, "certificateHold");
    expect(await visitor.state()).toBe("barred");
    await world.call("POST", `/v1/certificates/${old}/unhold`, {});
    expect((await visitor.csr()).statusCode).toBe(200);
  });

  it("keeps no certificate from a machine that comes instead, once staff have ended what was lost", async () => {
    const lost = await issue();
    const colleague = await person("pharmacist");
    const { id, number, visitor } = await enrolment(colleague.id);
    await news(manager, confirm(id), { supportNumber: number });
    expect(await visitor.state()).toBe("place");
    await news(manager, `/manage/devices/${tenant.deviceId}/hold`, { reason: "lost" });
    expect(await visitor.state()).toBe("held");
    await revoke(lost, "keyCompromise");
    expect(await visitor.state()).toBe("make");
    expect((await visitor.csr()).statusCode).toBe(200);
  });

  it("leaves to staff what staff have stopped or ended", async () => {
    const [mine, theirs, ended] = [await issue(), await issue(), await issue()];
    await revoke(theirs, "certificateHold");
    const { deviceId } = tenant;
    expect(await news(manager, `/manage/devices/${deviceId}/hold`, { reason: "other" })).toBe(
      "held",
    );
    await revoke(ended, "cessationOfOperation");
    expect(await news(manager, `/manage/devices/${deviceId}/release`, {})).toBe("released");
    expect([await status(mine), await status(theirs), await status(ended)]).toEqual([
      "good",
      "hold",
      "revoked",
    ]);
    expect(await news(manager, `/manage/devices/${deviceId}/hold`, { reason: "?" })).toBe(400);
    expect(await news(manager, "/manage/devices/none/hold", { reason: "lost" })).toBe(404);
  });
});
