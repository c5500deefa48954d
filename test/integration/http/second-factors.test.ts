import { createSecretKey, randomBytes, randomUUID } from "node:crypto";

import { Secret, TOTP } from "otpauth";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { stepOfCode } from "../../../src/lifecycle/factors/authenticator.ts";
import { addAuthenticator, addPasskey } from "../../../src/lifecycle/factors/factor-changes.ts";
import {
  factorContext,
  judgeAuthenticator,
  judgePasskey,
} from "../../../src/lifecycle/factors/factor-rows.ts";
import { createdPasskey, useChallenge } from "../../../src/lifecycle/factors/passkeys.ts";
import { createFactorSeal } from "../../../src/lifecycle/factors/seal.ts";
import { SoftPasskey } from "../../support/passkey.ts";
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
  world.side.time.now = new Date(world.side.time.now.getTime() + ms);
};
const links = (body: object, key = world.keys.support, idempotencyKey?: string) =>
  world.call("POST", `/v1/accounts/${tenant.accountId}/factor-links`, {
    key,
    body,
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  });
const factors = async () => {
  const { body } = await world.call("GET", `/v1/accounts/${tenant.accountId}/second-factors`, {
    key: world.keys.support,
  });
  return body.items as unknown as { id: string; kind: string; addedHow: string }[];
};

/** The token in the newest mail with a link. */
async function mailedToken(): Promise<string> {
  const mails = await world.sent();
  return /\/factors\/([0-9a-f]{32})/.exec(mails.at(-1)?.text ?? "")?.[1] ?? "";
}

/** A browser that has begun by a link after support has identified its person. */
async function begun(): Promise<Visitor> {
  expect((await links({ how: "telephone" })).status).toBe(201);
  const visitor = new Visitor(world.app);
  const token = await mailedToken();
  expect((await visitor.go("POST", "/factors", { form: { token } })).statusCode).toBe(303);
  return visitor;
}

/** What the app on the person's telephone shows now. */
async function appOf(visitor: Visitor): Promise<() => string> {
  await visitor.go("POST", "/factors/authenticator", { form: {} });
  const { body } = await visitor.go("GET", "/factors");
  const [, text = ""] = /<code>([A-Z2-7 ]+)<\/code>/.exec(body) ?? [];
  const totp = new TOTP({ secret: Secret.fromBase32(text.replaceAll(" ", "")) });
  return () => totp.generate({ timestamp: world.side.time.now.getTime() });
}

const confirm = (visitor: Visitor, code: string) =>
  visitor.go("POST", "/factors/authenticator/codes", { form: { code } });

describe("a link for a second factor", () => {
  it("is mailed to a person whom support has identified, works once, and an app is enrolled with it", async () => {
    const made = await links({ how: "video-call" });
    expect(made).toMatchObject({ status: 201, body: { accountId: tenant.accountId } });
    expect(JSON.stringify(made.body)).not.toMatch(/[0-9a-f]{32}/);
    const token = await mailedToken();
    for (let turn = 0; turn < 3; turn += 1) {
      const page = await new Visitor(world.app).go("GET", `/factors/${token}`);
      expect([page.statusCode, page.body.includes("はじめる")]).toEqual([200, true]);
    }
    const visitor = new Visitor(world.app);
    await visitor.go("POST", "/factors", { form: { token } });
    // Pressed twice, or opened from the mail again: who has begun goes on.
    for (const again of [
      await visitor.go("POST", "/factors", { form: { token } }),
      await visitor.go("GET", `/factors/${token}`),
    ])
      expect([again.statusCode, again.headers.location]).toEqual([303, "/factors"]);
    const app = await appOf(visitor);
    expect((await confirm(visitor, "000000")).body).toContain("この番号は合いません");
    expect(await factors()).toEqual([]);
    expect((await confirm(visitor, app())).statusCode).toBe(303);
    const [factor, ...others] = await factors();
    expect(others).toEqual([]);
    expect(factor).toMatchObject({ kind: "authenticator", addedHow: "video-call" });
    expect((await visitor.go("GET", "/factors")).body).toContain("準備ができました");
    const told = await world.sent();
    expect(told.map(({ subject }) => subject)).toEqual([
      "2つ目の確認方法が登録されました: 認証アプリ",
    ]);
    // Spent, also for the one who has it.
    expect((await new Visitor(world.app).go("GET", `/factors/${token}`)).statusCode).toBe(404);
    const second = await new Visitor(world.app).go("POST", "/factors", { form: { token } });
    expect(second.statusCode).toBe(403);
  });

  it("ends after an hour, and the page that it has opened after half an hour", async () => {
    await links({ how: "telephone" });
    const token = await mailedToken();
    later(60 * 60_000);
    const late = await new Visitor(world.app).go("POST", "/factors", { form: { token } });
    expect(late.statusCode).toBe(403);
    const visitor = await begun();
    later(30 * 60_000);
    expect((await visitor.go("GET", "/factors")).body).toContain("ご本人の確認が必要です");
    const options = await visitor.go("POST", "/factors/passkeys/options", { form: {} });
    expect(options.statusCode).toBe(403);
  });

  it.for([{ emailShared: true }, { email: null }, { disabled: true }])(
    "goes to nobody with %j",
    async (body) => {
      await world.call("PATCH", `/v1/accounts/${tenant.accountId}`, { body });
      expect((await links({ how: "telephone" })).status).toBe(409);
      expect(await world.sent()).toEqual([]);
    },
  );

  it("is asked for once with one Idempotency-Key", async () => {
    const first = await links({ how: "telephone" }, world.keys.support, "one");
    const again = await links({ how: "telephone" }, world.keys.support, "one");
    expect(again.body).toEqual(first.body);
    expect(await world.sent()).toHaveLength(1);
  });

  it("leaves its secret nowhere in the clear", async () => {
    const visitor = await begun();
    await appOf(visitor);
    const { body } = await visitor.go("GET", "/factors");
    const [, text = ""] = /<code>([A-Z2-7 ]+)<\/code>/.exec(body) ?? [];
    const key = text.replaceAll(" ", "");
    const hex = Secret.fromBase32(key).hex.toLowerCase();
    const rows = await world.side.admin.query<{ text: string }>(
      `select s::text as text from app.factor_session s union all select m::text from app.mail m
       union all select a::text from app.audit a union all select v::text from app.event v`,
    );
    expect(rows.length).toBeGreaterThan(3);
    for (const row of rows) {
      expect(row.text.toLowerCase()).not.toContain(hex);
      expect(row.text).not.toContain(key);
    }
  });
});

describe("a person's own factors", () => {
  it("are one app, which is replaced, and are removed by them or by support, who see no secret", async () => {
    const visitor = await begun();
    const first = await appOf(visitor);
    await confirm(visitor, first());
    later(60_000);
    const second = await appOf(visitor);
    await confirm(visitor, second());
    const [factor, ...others] = await factors();
    expect(others).toEqual([]);
    expect(Object.keys(factor ?? {}).toSorted()).toEqual(["addedHow", "createdAt", "id", "kind"]);
    const path = `/v1/accounts/${tenant.accountId}/second-factors/${factor?.id}`;
    expect((await world.call("DELETE", path, { key: world.keys.auditor })).status).toBe(403);
    expect((await world.call("DELETE", path, { key: world.keys.support })).status).toBe(204);
    expect((await world.call("DELETE", path, { key: world.keys.support })).status).toBe(404);
    await confirm(visitor, (await appOf(visitor))());
    const [kept] = await factors();
    await visitor.go("POST", "/factors/remove", { form: { id: kept?.id } });
    expect(await factors()).toEqual([]);
    const rows = await world.side.admin.query<{ action: string; count: number }>(
      `select action, count(*)::integer from app.audit where subject = $1 and action like 'second-factor%'
       group by action order by action`,
      [`account/${tenant.accountId}`],
    );
    expect(rows.map(({ action, count: times }) => [action.split(".")[1], times])).toEqual([
      ["added", 3],
      ["begun", 1],
      ["invited", 1],
      ["removed", 3],
    ]);
    expect((await world.sent()).map(({ subject }) => subject.includes("消され"))).toEqual(
      expect.arrayContaining([true, false]),
    );
  });

  it("are begun right after a proven certificate of a person whom support knew, and by nothing less", async () => {
    const { id, code } = await world.make(tenant);
    const visitor = new Visitor(world.app);
    await visitor.press({ code });
    const begin = () => visitor.go("POST", "/factors", { form: {} });
    expect((await begin()).statusCode).toBe(403);
    const set = (how: string) =>
      world.side.admin.query(
        "update app.enrolment set identified_at = now(), identified_by = 'x', identified_how = $2 where id = $1",
        [id, how],
      );
    await set("mailed-code");
    for (const state of ["identified", "issued"])
      await world.side.admin.query("update app.enrolment set state = $2 where id = $1", [
        id,
        state,
      ]);
    await world.side.admin.query(
      "update app.enrolment set state = 'proven', ended_at = $2 where id = $1",
      [id, NOW],
    );
    expect((await begin()).statusCode).toBe(403);
    await set("certificate");
    expect((await begin()).statusCode).toBe(403);
    await set("telephone");
    later(60 * 60_000);
    expect((await begin()).statusCode).toBe(403);
    world.side.time.now = NOW;
    expect((await begin()).statusCode).toBe(303);
  });

  it("are nobody's without a session, and no other site's", async () => {
    const stranger = new Visitor(world.app);
    for (const path of ["/factors/authenticator", "/factors/remove"])
      expect((await stranger.go("POST", path, { form: { id: "1" } })).statusCode).toBeLessThan(500);
    expect((await confirm(stranger, "123456")).body).toContain("ご本人の確認が必要です");
    const visitor = await begun();
    const forged = await visitor.go("POST", "/factors/authenticator", {
      form: {},
      headers: { "sec-fetch-site": "cross-site" },
    });
    expect(forged.statusCode).toBe(403);
    for (const body of [{}, { id: 1 }, { id: "x", response: null }, []]) {
      const headers = { "content-type": "application/json", accept: "application/json" };
      const cookie = visitor.cookie;
      await world.app.inject({
        method: "POST",
        url: "/factors/passkeys/options",
        headers: { ...headers, cookie },
        payload: {},
      });
      const reply = await world.app.inject({
        method: "POST",
        url: "/factors/passkeys",
        headers: { ...headers, cookie },
        payload: body,
      });
      expect(reply.statusCode).toBe(400);
    }
    expect(await factors()).toEqual([]);
  });
});

const random = (octets: number) => new Uint8Array(randomBytes(octets));
const seal = createFactorSeal(createSecretKey(randomBytes(32)), random);
const site = { name: "Suido", url: "http://localhost:8000" };
const deps = { newId: () => randomUUID(), seal, site };
const person = () => {
  const { accountId, corporationId } = tenant;
  return { accountId, corporationId, at: world.side.time.now };
};
const added = () => ({
  ...person(),
  id: randomUUID(),
  how: "telephone" as const,
  by: "x",
  actor: "x",
});

/** An authenticator of the tenant's person, and what it shows so many seconds from now. */
async function enrolledApp(): Promise<(aside?: number) => string> {
  const secret = new Secret({ size: 20 });
  const totp = new TOTP({ secret });
  const show = (aside = 0) =>
    totp.generate({ timestamp: world.side.time.now.getTime() + aside * 1000 });
  const adding = added();
  const sealed = seal.close(secret.bytes, factorContext(adding.id));
  const step = (await stepOfCode(secret.bytes, show(), adding.at)) ?? 0;
  await world.side.database.tenant(tenant.corporationId, (sql) =>
    addAuthenticator(sql, { ...adding, sealed, step }, deps.newId),
  );
  return show;
}

const judge = (text: string) =>
  world.side.database.tenant(tenant.corporationId, (sql) =>
    judgeAuthenticator(sql, { ...person(), text }, deps),
  );

describe("an authenticator's code", () => {
  it("is right once, and none before it afterwards", async () => {
    const app = await enrolledApp();
    // The one that it was enrolled with.
    expect(await judge(app())).toBe("wrong");
    later(60_000);
    const [earlier, now] = [app(-30), app()];
    expect(await judge(now)).toBe("right");
    expect(await judge(now)).toBe("wrong");
    expect(await judge(earlier)).toBe("wrong");
    later(30_000);
    const twice = await Promise.all([judge(app()), judge(app())]);
    expect(twice.toSorted()).toEqual(["right", "wrong"]);
  });

  it("is tried five times, then locked for ever longer: a thousand guesses come to nothing", async () => {
    const app = await enrolledApp();
    later(60_000);
    const wrong = app() === "123456" ? "654321" : "123456";
    const verdicts = new Map<string, number>();
    for (let turn = 0; turn < 1_000; turn += 1) {
      const verdict = await judge(wrong);
      verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
    }
    expect(Object.fromEntries(verdicts)).toEqual({ wrong: 5, locked: 995 });
    expect(await judge(app())).toBe("locked");
    later(15 * 60_000);
    for (let turn = 0; turn < 5; turn += 1) expect(await judge(wrong)).toBe("wrong");
    later(15 * 60_000);
    expect(await judge(app())).toBe("locked");
    expect(await factors()).toMatchObject([{ kind: "authenticator" }]);
    later(15 * 60_000);
    expect(await judge(app())).toBe("right");
    const [row] = await world.side.admin.query<{ wrong: number; locked: number }>(
      `select count(*) filter (where action = 'second-factor.wrong')::integer as wrong,
         count(*) filter (where action = 'second-factor.locked')::integer as locked from app.audit where subject = $1`,
      [`account/${tenant.accountId}`],
    );
    expect(row).toEqual({ wrong: 10, locked: 2 });
  });

  it("is nobody's where there is no app, or its secret was sealed by another key", async () => {
    expect(await judge("123456")).toBe("none");
    const app = await enrolledApp();
    later(60_000);
    const other = createFactorSeal(createSecretKey(randomBytes(32)), random);
    const verdict = await world.side.database.tenant(tenant.corporationId, (sql) =>
      judgeAuthenticator(sql, { ...person(), text: app() }, { ...deps, seal: other }),
    );
    expect(verdict).toBe("none");
  });
});

describe("a passkey", () => {
  const asked = { challenge: "AAECAwQF", rpId: "localhost", origin: "http://localhost:8000" };
  const created = (faults = {}, of = asked) =>
    createdPasskey(new SoftPasskey().create(of, faults), asked.challenge, site);

  it("is made for this challenge, this site and a verified person only", async () => {
    expect(await created()).toMatchObject({ signCount: 1 });
    expect(await created({ isUnverified: true })).toBeUndefined();
    for (const other of [{ challenge: "AAAA" }, { rpId: "evil" }, { origin: "http://localhost:1" }])
      expect(await created({}, { ...asked, ...other })).toBeUndefined();
  });

  it("is right for its challenge, and a copy with an older counter is not", async () => {
    const device = new SoftPasskey();
    const passkey = await createdPasskey(device.create(asked), asked.challenge, site);
    const { database } = world.side;
    await database.tenant(tenant.corporationId, async (sql) => {
      if (passkey !== undefined) await addPasskey(sql, { ...added(), passkey }, deps.newId);
    });
    const { challenge } = await useChallenge(site, passkey === undefined ? [] : [passkey]);
    const use = (answer: unknown) =>
      database.tenant(tenant.corporationId, (sql) =>
        judgePasskey(sql, { ...person(), answer, challenge }, deps),
      );
    const now = { ...asked, challenge };
    expect(await use(device.use(now))).toBe("right");
    expect(await use(device.use(now, { signCount: 1 }))).toBe("wrong");
    expect(await use(device.use(now, { isUnverified: true }))).toBe("wrong");
    expect(await use(device.use(asked))).toBe("wrong");
    expect(await use(new SoftPasskey().use(now))).toBe("none");
    for (const garbage of [null, {}, { id: 1 }]) expect(await use(garbage)).toBe("none");
    expect(await use(device.use(now))).toBe("right");
  });
});
