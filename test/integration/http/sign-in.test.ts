import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { forgetPersonSessions } from "../../../src/staff/person-sessions.ts";
import { NOW } from "../ca/app-side.ts";
import { choose, enterApp, Night, title, wayCookie } from "./emergency-night.ts";
import { type EnrolmentWorld, withMails } from "./enrolment-world.ts";
import { openSignInWorld, REDIRECT_URI, type SignInWorld } from "./sign-in-world.ts";
import { Visitor } from "./visitor.ts";
import type { Tenant } from "./world.ts";

let world: SignInWorld & EnrolmentWorld;
let tenant: Tenant;
let subject: string;
let count = 0;

beforeAll(async () => {
  world = withMails(await openSignInWorld());
});
beforeEach(async () => {
  world.side.time.now = NOW;
  tenant = await world.tenant(`薬局${(count += 1)}`);
  subject = `person-${count}`;
  await world.register(tenant.accountId, subject);
});
afterAll(() => world.close());

const titleOf = (body: string): string => /<h1[^>]*>([^<]+)</.exec(body)?.[1] ?? "";
const stands = async (visitor: Visitor): Promise<string> =>
  titleOf((await visitor.go("GET", "/sign-in")).body);
const signedIn = async (): Promise<Visitor> => {
  const visitor = new Visitor(world.app);
  const back = await world.signIn(visitor, subject);
  expect([back.statusCode, back.headers.location]).toEqual([303, "/sign-in"]);
  expect(await stands(visitor)).toBe("サインイン済みです");
  return visitor;
};
const after = (minutes: number): void => {
  world.side.time.now = new Date(world.side.time.now.getTime() + minutes * 60_000);
};
const actions = async (name: string): Promise<readonly string[]> =>
  (
    await world.side.admin.query<{ action: string }>(
      "select action from app.audit where subject = $1 and action like '%.signed-%' order by xid",
      [name],
    )
  ).map(({ action }) => action);

describe("signing in", () => {
  it("leads to the provider and back, and is on record with how it knew the person", async () => {
    const visitor = new Visitor(world.app);
    const away = await visitor.go("GET", "/sign-in/go");
    const asked = new URL(String(away.headers.location)).searchParams;
    expect(Object.fromEntries(asked)).toMatchObject({
      response_type: "code",
      code_challenge_method: "S256",
      scope: "openid",
      prompt: "login",
      redirect_uri: REDIRECT_URI,
    });
    const how = { subject, amr: ["pwd", "otp"] };
    const { pathname, search } = new URL(
      await world.provider.signIn(String(away.headers.location), how),
    );
    const back = await visitor.go("GET", pathname + search);
    expect([back.headers["set-cookie"]].flat().at(-1)).toMatch(
      /^suido-person=[0-9a-f]{64}; Max-Age=28800; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    expect(await stands(visitor)).toBe("サインイン済みです");
    const [row] = await world.side.admin.query<{ amr: string[]; sha256: Buffer }>(
      "select amr, sha256 from app.person_session where account_id = $1",
      [tenant.accountId],
    );
    expect(row?.amr).toEqual(["pwd", "otp"]);
    expect(row?.sha256.toString("hex")).not.toBe(visitor.cookies.get("suido-person"));
    await visitor.go("POST", "/sign-out", { form: {} });
    expect(await stands(visitor)).toBe("サインインしてください");
    expect(await actions(`account/${tenant.accountId}`)).toEqual([
      "account.signed-in",
      "account.signed-out",
    ]);
  });

  it("ends after 30 minutes without use, and after eight hours in any case", async () => {
    const idle = await signedIn();
    after(31);
    expect(await stands(idle)).toBe("サインインしてください");
    const busy = await signedIn();
    for (let used = 0; used < 16; used += 1) {
      after(29);
      expect(await stands(busy)).toBe("サインイン済みです");
    }
    after(29);
    expect(await stands(busy)).toBe("サインインしてください");
  });

  it("leaves nothing behind that is over", async () => {
    await signedIn();
    after(31);
    const used = await signedIn();
    const kept = () =>
      world.side.admin.query("select from app.person_session where account_id = $1", [
        tenant.accountId,
      ]);
    expect(await kept()).toHaveLength(2);
    await forgetPersonSessions(world.worker, world.side.time.now);
    expect(await kept()).toHaveLength(1);
    expect(await stands(used)).toBe("サインイン済みです");
  });

  it.for([
    ["the account is disabled", "update app.account set disabled_at = now() where id = $1"],
    [
      "the last membership ends",
      "update app.membership set valid_to = valid_from + interval '1 microsecond' where account_id = $1",
    ],
    ["the identity is taken away", "delete from app.identity where account_id = $1"],
    [
      "the corporation's epoch is raised",
      "update app.corporation c set epoch = epoch + 1 from app.account a where a.id = $1 and c.id = a.corporation_id",
    ],
    [
      "a database is in quarantine, for it may have revived it",
      "update ca.journal_mark set quarantined_at = now() where $1::uuid is not null",
    ],
  ])("ends when %s", async ([, change = ""]) => {
    const visitor = await signedIn();
    await world.side.admin.query(change, [tenant.accountId]);
    after(1);
    try {
      expect(await stands(visitor)).toBe("サインインしてください");
    } finally {
      await world.side.admin.query("update ca.journal_mark set quarantined_at = null");
    }
    expect(await stands(visitor)).toBe("サインインしてください");
  });

  it("is of one account of one corporation, and of one that may still work", async () => {
    after(1);
    const other = await world.tenant(`別の法人${count}`);
    await world.register(other.accountId, subject);
    const visitor = await signedIn();
    expect((await visitor.go("GET", "/sign-in")).body).toContain(`薬局${count}`);
    // Whoever came for something chooses first for which corporation.
    const back = await world.signIn(visitor, subject, "manage");
    expect(back.headers.location).toBe("/sign-in?to=manage");
    const choice = await visitor.go("GET", "/sign-in?to=manage");
    expect(choice.body).toContain(`別の法人${count}`);
    const before = visitor.cookies.get("suido-person");
    const change = (account: string) =>
      visitor.go("POST", "/sign-in/account", { form: { account, to: "manage" } });
    // Not with an account that is somebody else's.
    const stranger = await world.tenant(`よその法人${count}`);
    await change(stranger.accountId);
    expect(visitor.cookies.get("suido-person")).toBe(before);
    after(20);
    expect((await change(other.accountId)).headers.location).toBe("/manage");
    expect((await visitor.go("GET", "/manage")).headers.location).toBe(
      `/manage/${other.pharmacyId}`,
    );
    // The session of before is over, and the eight hours are those of the sign-in.
    const [row] = await world.side.admin.query<{ minutes: number }>(
      "select extract(epoch from seen_at - created_at)::integer / 60 as minutes from app.person_session where account_id = $1",
      [other.accountId],
    );
    expect(row).toEqual({ minutes: 20 });
    expect(await actions(`account/${tenant.accountId}`)).toContain("account.signed-out");
    await change(tenant.accountId);
    await world.call("PATCH", `/v1/accounts/${tenant.accountId}`, { body: { disabled: true } });
    expect(await stands(visitor)).toBe("サインインしてください");
    await world.signIn(visitor, subject);
    const { body } = await visitor.go("GET", "/sign-in");
    expect(body).toContain(`別の法人${count}`);
    expect(body).not.toContain(`薬局${count}<`);
  });
});

describe("a sign-in on the night on which a machine does not boot", () => {
  it("stands for the mailed code, a moment ago, and leads to the certificate in five minutes", async () => {
    const { side } = world;
    const start = new Date();
    side.time.now = side.time.signer = start;
    const address = `manager${count}@mizuki.example`;
    await world.call("PATCH", `/v1/accounts/${tenant.accountId}`, { body: { email: address } });
    const night = new Night(world);
    const app = await night.prepared(tenant.accountId, address);
    const began = side.time.now;
    // Somebody else uses up the codes that may be mailed.
    for (let turn = 0; turn < 6; turn += 1)
      await new Visitor(world.app).go("POST", "/emergency", { form: { address } });
    const visitor = new Visitor(world.app);
    // Nobody is signed in yet: the button leads there.
    const asked = await visitor.go("POST", "/emergency/sign-in", { form: {} });
    expect(asked.headers.location).toBe("/sign-in/go?to=emergency");
    expect((await world.signIn(visitor, subject, "emergency")).headers.location).toBe("/emergency");
    expect((await visitor.go("GET", "/emergency")).body).toContain("/emergency/sign-in");
    night.later(60_000);
    await visitor.go("POST", "/emergency/sign-in", { form: {} });
    expect(await title(visitor)).toBe("もう一つの方法で、ご本人を確かめます");
    expect((await choose(visitor, tenant.deviceId)).statusCode).toBe(409);
    night.later(60_000);
    const code = app();
    const pressedTwice = await Promise.all([enterApp(visitor, code), enterApp(visitor, code)]);
    expect(pressedTwice.map(({ statusCode }) => statusCode)).toEqual([303, 303]);
    expect(await title(visitor)).toBe("どの端末の代わりですか");
    night.later(60_000);
    const chosen = await choose(visitor, tenant.deviceId);
    visitor.cookie = wayCookie(chosen);
    expect((await visitor.csr()).statusCode).toBe(200);
    expect(side.time.now.getTime() - began.getTime()).toBeLessThan(5 * 60_000);
    const [begun] = await side.admin.query<{ detail: object }>(
      "select detail from app.audit where corporation_id = $1 and action = 'emergency.begun'",
      [tenant.corporationId],
    );
    expect(begun?.detail).toMatchObject({ firstHow: "sign-in", secondHow: "authenticator" });
    // An old sign-in is none: somebody else may sit there by now.
    const late = new Visitor(world.app);
    await world.signIn(late, subject, "emergency");
    night.later(11 * 60_000);
    const again = await late.go("POST", "/emergency/sign-in", { form: {} });
    expect(again.headers.location).toBe("/sign-in/go?to=emergency");
  });

  it("leads to two certificates a month, also where three are wanted in one moment", async () => {
    const { accountId, pharmacyId } = tenant;
    world.side.time.now = world.side.time.signer = new Date();
    const address = `managers${count}@mizuki.example`;
    // That others have the address too, and say that several read it, changes nothing.
    const elsewhere = await world.tenant(`よその薬局${count}`);
    const theirs = { email: address, emailShared: true };
    await world.call("PATCH", `/v1/accounts/${elsewhere.accountId}`, { body: theirs });
    const again = await world.tenant(`また別の薬局${count}`);
    await world.call("PATCH", `/v1/accounts/${again.accountId}`, { body: { email: address } });
    await world.call("PATCH", `/v1/accounts/${accountId}`, { body: { email: address } });
    const night = new Night(world);
    const app = await night.prepared(accountId, address);
    const wanted: (() => ReturnType<typeof choose>)[] = [];
    for (const name of ["甲", "乙", "丙"]) {
      const body = { pharmacyId, name, platform: "windows" };
      const { id } = (await world.call("POST", "/v1/devices", { body })).body;
      const visitor = await night.whole(app, address);
      wanted.push(() => choose(visitor, id));
    }
    const chosen = await Promise.all(wanted.map((want) => want()));
    expect(chosen.filter(({ statusCode }) => statusCode === 303)).toHaveLength(2);
  });
});

const failed = async (visitor: Visitor, path: string): Promise<readonly [number, string]> => {
  const { headers, statusCode } = await visitor.go("GET", path);
  expect(statusCode).toBe(303);
  const page = await visitor.go("GET", String(headers.location));
  expect(page.body).toContain("サポート");
  expect(visitor.cookies.has("suido-person")).toBe(false);
  return [page.statusCode, titleOf(page.body)];
};
const begun = async (visitor: Visitor): Promise<string> =>
  String((await visitor.go("GET", "/sign-in/go")).headers.location);
const comingBack = async (url: string): Promise<URL> =>
  new URL(await world.provider.signIn(url, { subject }));

describe("a sign-in that does not come to its end", () => {
  it("makes nothing for somebody whom nobody has registered, and notes it", async () => {
    const before = await world.counts();
    const visitor = new Visitor(world.app);
    const { headers } = await world.signIn(visitor, "a-stranger");
    expect(visitor.cookies.size).toBe(0);
    const page = await visitor.go("GET", String(headers.location));
    expect([page.statusCode, titleOf(page.body)]).toEqual([403, "まだ登録されていません"]);
    const one = (table: string): string => String(Number(before[table]) + 1);
    expect(await world.counts()).toEqual({
      ...before,
      "app.audit": one("app.audit"),
      "app.event": one("app.event"),
    });
  });

  it("takes no answer without what this browser has begun, with another's, or twice", async () => {
    const [mine, other] = [new Visitor(world.app), new Visitor(world.app)];
    const back = await comingBack(await begun(mine));
    const again = [200, "もう一度サインインしてください"];
    expect(await failed(new Visitor(world.app), back.pathname + back.search)).toEqual(again);
    await begun(other);
    expect(await failed(other, back.pathname + back.search)).toEqual(again);
    // The browser's part, copied by whoever looks on: the provider gives out nothing for a code that was spent.
    const copy = new Visitor(world.app);
    copy.cookie = mine.cookie;
    await mine.go("GET", back.pathname + back.search);
    expect(await stands(mine)).toBe("サインイン済みです");
    expect(await failed(copy, back.pathname + back.search)).toEqual(again);
  });

  it("takes no answer of another issuer, of another state, or after a quarter of an hour", async () => {
    const again = [200, "もう一度サインインしてください"];
    for (const [name, value] of [
      ["iss", "https://evil.example"],
      ["iss", ""],
      ["state", "AAAA"],
      ["state", ""],
      ["code", ""],
    ] as const) {
      const visitor = new Visitor(world.app);
      const back = await comingBack(await begun(visitor));
      if (value === "") back.searchParams.delete(name);
      else back.searchParams.set(name, value);
      expect(await failed(visitor, back.pathname + back.search), `${name}=${value}`).toEqual(again);
    }
    const late = new Visitor(world.app);
    const back = await comingBack(await begun(late));
    after(16);
    expect(await failed(late, back.pathname + back.search)).toEqual(again);
  });

  it("says so when the person has changed their mind", async () => {
    const visitor = new Visitor(world.app);
    const back = new URL(await world.provider.signIn(await begun(visitor), {}));
    expect(await failed(visitor, back.pathname + back.search)).toEqual([
      200,
      "サインインを取りやめました",
    ]);
  });
});
