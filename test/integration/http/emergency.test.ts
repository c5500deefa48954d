import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { retireStandIns } from "../../../src/lifecycle/emergency/emergencies.ts";
import { insertParty } from "../../support/relying-parties.ts";
import { SoftPasskey } from "../../support/passkey.ts";
import { newKey } from "../ca/app-side.ts";
import { type CheckWorld, openCheckWorld } from "./check-world.ts";
import {
  choose,
  enterApp,
  enterCode,
  HOUR,
  MINUTE,
  next,
  Night,
  title,
  titleOf,
  wayCookie,
} from "./emergency-night.ts";
import { type EnrolmentWorld, withMails } from "./enrolment-world.ts";
import { askAs, shown, soon } from "./proxy-questions.ts";
import { Visitor } from "./visitor.ts";
import type { Tenant } from "./world.ts";

/** Sunday, half past eight in the evening in Tokyo. */
const SUNDAY = new Date("2026-11-22T11:30:00Z");

let world: CheckWorld & EnrolmentWorld;
let tenant: Tenant;
let address: string;
let count = 0;
let night: Night;

beforeAll(async () => {
  world = withMails(await openCheckWorld());
  night = new Night(world);
});
beforeEach(async () => {
  const { time } = world.side;
  time.now = time.signer = SUNDAY;
  tenant = await world.tenant(`薬局${(count += 1)}`);
  address = `manager${count}@mizuki.example`;
  await world.call("PATCH", `/v1/accounts/${tenant.accountId}`, { body: { email: address } });
});
afterAll(() => world.close());

const later = (ms: number): void => night.later(ms);
const prepared = (accountId = tenant.accountId, to = address) => night.prepared(accountId, to);
const half = (to = address) => night.half(to);
const whole = (app: () => string, to = address) => night.whole(app, to);
const mailsTo = (to: string) => night.mailsTo(to);

const facts = (like: string) =>
  world.side.admin.query<{ action: string; detail: Record<string, unknown> }>(
    `select action, detail from app.audit where corporation_id = $1 and action like $2 order by at, action`,
    [tenant.corporationId, like],
  );

/** What a passkey's browser is asked by this site. */
const askedBySite = (challenge: string) => ({
  challenge,
  rpId: "localhost",
  origin: "http://localhost:8000",
});

describe("the only machine does not boot on a Sunday night", () => {
  it("and another one stands in for 24 hours, within five minutes and without support", async () => {
    const { body: head } = await world.call("POST", "/v1/accounts", {
      body: {
        corporationId: tenant.corporationId,
        name: "本部 花子",
        email: `head${count}@mizuki.example`,
      },
    });
    await world.call("POST", "/v1/memberships", {
      body: { accountId: head.id, pharmacyId: tenant.pharmacyId, role: "headOffice" },
    });
    const app = await prepared();
    const began = world.side.time.now;

    const visitor = new Visitor(world.app);
    expect(titleOf(await visitor.go("GET", "/emergency"))).toBe("いつもの端末が使えないとき");
    await visitor.go("POST", "/emergency", { form: { address: address.toUpperCase() } });
    later(MINUTE);
    const [mail] = await mailsTo(address);
    const [, code = ""] = /(\d{3} \d{3})/.exec(mail?.subject ?? "") ?? [];
    await enterCode(visitor, code);
    expect(await title(visitor)).toBe("もう一つの方法で、ご本人を確かめます");
    later(MINUTE);
    await enterApp(visitor, app());
    const page = await next(visitor);
    expect(titleOf(page)).toBe("どの端末の代わりですか");
    expect(page.body).toContain(`value="${tenant.deviceId}"`);
    later(MINUTE);
    const chosen = await choose(visitor, tenant.deviceId);
    expect([chosen.statusCode, chosen.headers.location]).toEqual([303, "/way"]);
    // From here on it is the way of all: the cookie is the way's.
    visitor.cookie = wayCookie(chosen);
    expect(await visitor.state()).toBe("make");
    const making = (await visitor.go("GET", "/way")).body;
    expect(making).toContain("24時間だけの、臨時の証明書です");
    // Nothing renews it, so no script is offered, nor given.
    expect(making).not.toContain("/way/script");
    const script = await visitor.go("POST", "/way/script", { form: {} });
    expect([script.statusCode, script.headers.location]).toEqual([303, "/way"]);
    const key = newKey();
    const { certificate } = (await visitor.csr(key)).json<{ certificate: string }>();
    const issuedAt = world.side.time.now;
    const check = await visitor.go("POST", "/way/checks", { form: {} });
    const url = String(check.headers.location);
    expect(await world.outcome(url, { key, cert: certificate })).toMatchObject({
      outcome: "proven",
    });
    expect(await visitor.state()).toBe("proven");
    expect(world.side.time.now.getTime() - began.getTime()).toBeLessThan(5 * MINUTE);

    // It is accepted, and told apart, for 24 hours to the second.
    const party = await insertParty(world.side.admin);
    const der = Buffer.from(certificate.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
    const asked = await askAs(world, party.key, shown(der));
    const notAfter = new Date(issuedAt.getTime() + 24 * HOUR).toISOString();
    expect(asked).toMatchObject({ status: 200, headers: { "suido-emergency": "yes" } });
    expect(asked.body).toMatchObject({ decision: "allow", emergency: true, notAfter });
    const [bound] = await world.side.admin.query<{ serial: string; device_id: string }>(
      `select encode(b.serial, 'hex') as serial, b.device_id from app.binding b
       join app.emergency x on x.device_id = b.device_id where x.corporation_id = $1`,
      [tenant.corporationId],
    );
    const { serial = "", device_id: deviceId = "" } = bound ?? {};
    const status = await world.call("GET", `/v1/status/${serial}`);
    expect(status.body).toMatchObject({ emergency: true, device: { name: "（臨時）受付1号機" } });

    // Nothing comes after it.
    for (const action of ["renew", "reissue", "renew-now"]) {
      const body = action === "renew-now" ? { reason: "incident" } : {};
      const refused = await world.call("POST", `/v1/certificates/${serial}/${action}`, { body });
      expect([refused.status, refused.body]).toMatchObject([
        409,
        { type: "/problems/not-renewable" },
      ]);
    }
    const client = { key, cert: certificate };
    const html = { accept: "text/html" };
    const renewUrl = "https://localhost:8443/renew";
    const offered = await world.visit(renewUrl, { client, headers: html });
    expect(offered.text).toContain("これは臨時の証明書です");
    expect(offered.text).not.toContain("<form");
    const pressed = await world.visit(renewUrl, { client, method: "POST" });
    expect([pressed.status, JSON.parse(pressed.text)]).toMatchObject([
      409,
      { type: "/problems/not-renewable" },
    ]);
    expect((await world.call("GET", `/v1/certificates/${serial}`)).body).not.toHaveProperty(
      "renewFrom",
    );

    // Those who have to know were told at once.
    const told = (await world.sent()).filter(({ subject }) =>
      /臨時の証明書が使われます|emergency/.test(subject),
    );
    expect(told.map(({ to }) => to).toSorted()).toEqual(
      [address, `head${count}@mizuki.example`, "operators@suido.example"].toSorted(),
    );
    expect(told.every(({ text }) => text.includes("（臨時）受付1号機"))).toBe(true);
    const [begun] = await facts("emergency.begun");
    expect(begun?.detail).toMatchObject({
      standsInFor: tenant.deviceId,
      firstHow: "mailed-code",
      secondHow: "authenticator",
    });

    // It ends by itself.
    const deps = {
      clock: () => world.side.time.now,
      database: world.side.database,
      worker: world.worker,
      newId: () => crypto.randomUUID(),
    };
    expect(await retireStandIns(deps)).toBe(0);
    // It is good in the second of its end too (RFC 5280 §4.1.2.5).
    later(24 * HOUR + 1000);
    expect((await world.visit("https://localhost:8443/v1/whoami", { client })).status).toBe(401);
    await soon(async () => {
      expect((await askAs(world, party.key, shown(der))).status).toBe(401);
    });
    expect(await retireStandIns(deps)).toBe(1);
    expect(await retireStandIns(deps)).toBe(0);
    const device = await world.call("GET", `/v1/devices/${deviceId}`);
    expect(device.body).toHaveProperty("retiredAt");
  });

  it("with a passkey too, which is asked for once", async () => {
    const device = new SoftPasskey();
    await prepared();
    await world.side.admin.query("delete from app.second_factor where account_id = $1", [
      tenant.accountId,
    ]);
    const json = { accept: "application/json", "content-type": "application/json" };
    const send = async (visitor: Visitor, url: string, payload: object) =>
      world.app.inject({
        method: "POST",
        url,
        headers: { ...json, cookie: visitor.cookie },
        payload,
      });
    const path = `/v1/accounts/${tenant.accountId}/factor-links`;
    await world.call("POST", path, { body: { how: "in-person" } });
    const mails = await mailsTo(address);
    const token = /\/factors\/([0-9a-f]{32})/.exec(mails.at(-1)?.text ?? "")?.[1] ?? "";
    const preparing = new Visitor(world.app);
    await preparing.go("POST", "/factors", { form: { token } });
    const creation = await send(preparing, "/factors/passkeys/options", {});
    const created = device.create(askedBySite(creation.json<{ challenge: string }>().challenge));
    expect((await send(preparing, "/factors/passkeys", created)).json()).toEqual({
      next: "/factors",
    });
    await world.sent();

    const visitor = await half();
    expect((await next(visitor)).body).not.toContain("認証アプリの番号");
    const use = await send(visitor, "/emergency/passkeys/options", {});
    const answer = device.use(askedBySite(use.json<{ challenge: string }>().challenge));
    expect((await send(visitor, "/emergency/passkeys", { ...answer, id: "x" })).statusCode).toBe(
      400,
    );
    // The challenge is spent by a wrong answer.
    expect((await send(visitor, "/emergency/passkeys", answer)).statusCode).toBe(400);
    const again = await send(visitor, "/emergency/passkeys/options", {});
    const right = device.use(askedBySite(again.json<{ challenge: string }>().challenge));
    expect((await send(visitor, "/emergency/passkeys", right)).json()).toEqual({
      next: "/emergency/next",
    });
    expect((await choose(visitor, tenant.deviceId)).headers.location).toBe("/way");
  });
});

describe("an emergency", () => {
  it("is had twice a month, and what was begun and left off counts for nothing", async () => {
    const app = await prepared();
    for (let turn = 0; turn < 2; turn += 1) {
      await choose(await whole(app), tenant.deviceId);
      later(HOUR);
      const visitor = await whole(app);
      const chosen = await choose(visitor, tenant.deviceId);
      visitor.cookie = wayCookie(chosen);
      expect((await visitor.csr()).statusCode).toBe(200);
      later(25 * HOUR);
    }
    const third = await whole(app);
    expect(await title(third)).toBe("今月は、もう受け取れません");
    expect(titleOf(await choose(third, tenant.deviceId))).toBe("今月は、もう受け取れません");
    const names = await world.side.admin.query<{ name: string }>(
      "select d.name from app.device d join app.emergency x on x.device_id = d.id where x.corporation_id = $1 group by d.id order by d.created_at",
      [tenant.corporationId],
    );
    expect(names.map(({ name }) => name)).toEqual(["（臨時）受付1号機", "（臨時2）受付1号機"]);
    // The first of December in Tokyo.
    later(new Date("2026-11-30T15:00:00Z").getTime() - world.side.time.now.getTime());
    expect(await title(await whole(app))).toBe("どの端末の代わりですか");
  });

  it("is not had by a pharmacist, but by one whom the manager has named, until that is taken back", async () => {
    const mine = `pharmacist${count}@mizuki.example`;
    const { body: account } = await world.call("POST", "/v1/accounts", {
      body: { corporationId: tenant.corporationId, name: "薬師 次郎", email: mine },
    });
    const { body: membership } = await world.call("POST", "/v1/memberships", {
      body: { accountId: account.id, pharmacyId: tenant.pharmacyId, role: "pharmacist" },
    });
    expect(membership).toMatchObject({ deputy: false });
    const app = await prepared(account.id, mine);
    expect(await title(await half(mine))).toBe("この方は、臨時の証明書を受け取れません");
    const name = (deputy: boolean) =>
      world.call("PATCH", `/v1/memberships/${membership.id}`, { body: { deputy } });
    expect((await name(true)).body).toMatchObject({ deputy: true });
    const visitor = await whole(app, mine);
    expect(await title(visitor)).toBe("どの端末の代わりですか");
    await name(false);
    expect((await choose(visitor, tenant.deviceId)).statusCode).toBe(409);
    expect(await title(visitor)).toBe("この方は、臨時の証明書を受け取れません");
    expect((await facts("membership.updated")).map(({ detail }) => detail)).toEqual([
      { changed: ["deputy"] },
      { changed: ["deputy"] },
    ]);
  });

  it("is for machines of one's own pharmacies: another tenant's, and one that stands in, are not there", async () => {
    const app = await prepared();
    const other = await world.tenant("よその薬局");
    const visitor = await whole(app);
    for (const device of [other.deviceId, "nonsense", tenant.pharmacyId]) {
      const reply = await choose(visitor, device);
      expect([reply.statusCode, titleOf(reply)]).toEqual([409, "どの端末の代わりですか"]);
    }
    expect(await facts("emergency.begun")).toEqual([]);
    await choose(visitor, tenant.deviceId);
    const again = await whole(app);
    const { body } = await next(again);
    expect(body.match(/type="radio"/g)).toHaveLength(1);
  });

  it("says of an address nothing that anybody could learn from", async () => {
    await prepared();
    const shared = `shared${count}@mizuki.example`;
    for (const name of ["甲", "乙"])
      await world.call("POST", "/v1/accounts", {
        body: {
          corporationId: tenant.corporationId,
          name,
          email: shared,
          emailShared: name === "甲",
        },
      });
    const seen = [];
    for (const to of [address, "nobody@mizuki.example", shared, "not an address"]) {
      const visitor = new Visitor(world.app);
      const begun = await visitor.go("POST", "/emergency", { form: { address: to } });
      const page = await next(visitor);
      const wrong = await enterCode(visitor, "abc");
      seen.push([
        begun.statusCode,
        begun.headers.location,
        page.body,
        wrong.statusCode,
        wrong.body,
      ]);
    }
    for (const each of seen) expect(each).toEqual(seen[0]);
    const recipients = (await world.sent()).map(({ to }) => to);
    expect(recipients).toEqual([address]);
  });

  it("has a code mailed five times an hour, and each is tried five times", async () => {
    await prepared();
    const visitors = Array.from({ length: 12 }, () => new Visitor(world.app));
    const begin = (visitor: Visitor) => visitor.go("POST", "/emergency", { form: { address } });
    for (const some of [visitors.slice(0, 1), visitors.slice(1, -1), visitors.slice(-1)])
      await Promise.all(some.map(begin));
    const mails = await mailsTo(address);
    expect(mails).toHaveLength(5);
    const codes = mails.map(({ subject }) => /(\d{3} \d{3})/.exec(subject)?.[1] ?? "");
    const [first = new Visitor(world.app)] = visitors;
    const last = visitors.at(-1) ?? first;
    for (let turn = 0; turn < 6; turn += 1)
      expect((await enterCode(first, "000 00x")).statusCode).toBe(422);
    for (const visitor of [first, last])
      for (const code of codes) expect((await enterCode(visitor, code)).statusCode).toBe(422);
    expect(await facts("emergency.code-wrong")).toHaveLength(5);
    later(HOUR);
    await half();
  });

  it("is over after a quarter of an hour, needs both factors in their order, and no other site's page", async () => {
    const app = await prepared();
    const visitor = new Visitor(world.app);
    await visitor.go("POST", "/emergency", { form: { address } });
    expect((await enterApp(visitor, app())).headers.location).toBe("/emergency/next");
    expect((await choose(visitor, tenant.deviceId)).statusCode).toBe(409);
    expect((await visitor.go("POST", "/emergency/passkeys/options", { form: {} })).statusCode).toBe(
      403,
    );
    const late = await half();
    expect((await choose(late, tenant.deviceId)).statusCode).toBe(409);
    const headers = { "sec-fetch-site": "cross-site" };
    const forged = await late.go("POST", "/emergency/devices", { form: { device: "x" }, headers });
    expect(forged.statusCode).toBe(403);
    later(15 * MINUTE);
    expect(await title(late)).toBe("メールの確認番号を入力してください");
    expect((await enterApp(late, app())).headers.location).toBe("/emergency/next");
    expect(await facts("emergency.begun")).toEqual([]);
  });

  it("tells who has not prepared, or has guessed, what can be done", async () => {
    expect(await title(await half())).toBe("認証アプリもパスキーも、登録されていません");
    const app = await prepared();
    const visitor = await half();
    const wrong = app() === "123456" ? "654321" : "123456";
    for (let turn = 0; turn < 4; turn += 1)
      expect((await enterApp(visitor, wrong)).body).toContain("この番号では確認できません");
    expect(titleOf(await enterApp(visitor, wrong))).toBe("しばらくお待ちください");
    expect((await enterApp(visitor, app())).statusCode).toBe(422);
    // A code that was used is of no use to who has looked over a shoulder.
    later(16 * MINUTE);
    const shownCode = app();
    const again = await half();
    expect((await enterApp(again, shownCode)).statusCode).toBe(303);
    expect((await enterApp(await half(), shownCode)).statusCode).toBe(422);
  });

  it("is not asked for by the profile's name", async () => {
    const { accountId, deviceId } = tenant;
    const refused = await world.call("POST", "/v1/certificates", {
      body: { accountId, deviceId, profile: "emergency" },
    });
    expect([refused.status, refused.body]).toMatchObject([
      422,
      { type: "/problems/profile-unknown" },
    ]);
  });
});
