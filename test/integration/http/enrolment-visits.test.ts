import { randomBytes } from "node:crypto";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { createSystem } from "../../../src/cli/system.ts";
import { createEnrolmentVisits } from "../../../src/lifecycle/enrolment-visits.ts";
import { createWrongGuesses } from "../../../src/lifecycle/wrong-guesses.ts";
import { NOW } from "../ca/app-side.ts";
import { type EnrolmentWorld, openEnrolmentWorld } from "./enrolment-world.ts";
import type { Tenant } from "./world.ts";

let world: EnrolmentWorld;
let tenant: Tenant;
let count = 0;
/** Windows of ten minutes apart, so that what one test guesses is not counted in the next. */
let start = NOW;

beforeAll(async () => {
  world = await openEnrolmentWorld();
});
beforeEach(async () => {
  start = new Date(start.getTime() + 3_600_000);
  world.side.time.now = start;
  tenant = await world.tenant(`薬局${(count += 1)}`);
});
afterAll(() => world.close());

const later = (ms: number): void => {
  world.side.time.now = new Date(start.getTime() + ms);
};
const DAY_MS = 86_400_000;
const tokenOf = ({ link = "" }: { readonly link?: string }): string => link.split("/").at(-1) ?? "";

/** As a page or a program of the person does it, without a key. */
async function visit(
  method: "GET" | "POST",
  url: string,
  payload?: object,
): Promise<{ readonly status: number; readonly body: object; readonly headers: object }> {
  const reply = await world.app.inject({ method, url, ...(payload && { payload }) });
  return { status: reply.statusCode, body: reply.json(), headers: reply.headers };
}
const press = (payload: object): ReturnType<typeof visit> => visit("POST", "/start", payload);

describe("a link", () => {
  it("is a page in a browser, and not one of a program's answers", async () => {
    const made = await world.make(tenant);
    const headers = { accept: "text/html,*/*;q=0.8", "accept-language": "ja" };
    for (const url of [`/start/${tokenOf(made)}`, "/start"]) {
      const reply = await world.app.inject({ url, headers });
      expect(reply.headers["content-type"]).toContain("text/html");
      expect(reply.statusCode).toBe(200);
    }
  });

  it("shows device, pharmacy and support number, and changes nothing, however often it is opened", async () => {
    const made = await world.make(tenant);
    const before = await world.counts();
    for (let turn = 0; turn < 100; turn += 1) {
      expect(await visit("GET", `/start/${tokenOf(made)}`)).toMatchObject({
        status: 200,
        headers: { "cache-control": "no-store", "referrer-policy": "no-referrer" },
        body: {
          state: "invited",
          isReplaced: false,
          deviceName: "受付1号機",
          pharmacyName: `薬局${count}`,
          supportNumber: made.supportNumber,
        },
      });
    }
    expect(await world.counts()).toEqual(before);
    expect(await world.look(made.id)).toMatchObject({ state: "invited" });
  });

  it("begins it when somebody presses, whether by link or by code as they type it, and the last browser has it", async () => {
    const made = await world.make(tenant);
    later(60_000);
    const pressed = await Promise.all([
      press({ token: tokenOf(made) }),
      press({ token: tokenOf(made) }),
      press({ code: ` ${made.code?.toLowerCase().replace("-", "")}` }),
    ]);
    for (const { status, body } of pressed)
      expect({ status, body }).toMatchObject({ status: 200, body: { state: "started" } });
    expect(await world.look(made.id)).toMatchObject({
      state: "started",
      startedAt: world.side.time.now.toISOString(),
    });
    const actions = await world.actionsOf(made.id);
    expect(actions.filter((action) => action === "enrolment.started")).toHaveLength(3);
  });

  it("of one that is replaced, withdrawn or over says that alone, and begins nothing", async () => {
    const first = await world.make(tenant);
    const second = await world.make(tenant);
    expect((await press({ token: tokenOf(first) })).body).toEqual({
      state: "withdrawn",
      isReplaced: true,
    });
    later(14 * DAY_MS);
    for (const inHand of [{ token: tokenOf(second) }, { code: second.code }]) {
      expect((await press(inHand)).body).toEqual({ state: "expired", isReplaced: false });
    }
    const third = await world.make(tenant);
    await world.call("POST", `/v1/enrolments/${third.id}/withdraw`);
    expect((await press({ token: tokenOf(third) })).body).toEqual({
      state: "withdrawn",
      isReplaced: false,
    });
    for (const { id } of [first, second, third])
      expect(await world.actionsOf(id)).not.toContain("enrolment.started");
  });

  it("is as good as taken back while the person is out, or the device", async () => {
    const made = await world.make(tenant);
    const account = `/v1/accounts/${tenant.accountId}`;
    await world.call("PATCH", account, { body: { disabled: true } });
    const over = { state: "withdrawn", isReplaced: false };
    expect((await press({ token: tokenOf(made) })).body).toEqual(over);
    expect(await world.look(made.id)).toMatchObject({ state: "invited" });
    await world.call("PATCH", account, { body: { disabled: false } });
    await world.side.admin.query("update app.device set retired_at = now() where id = $1", [
      tenant.deviceId,
    ]);
    expect((await press({ code: made.code })).body).toEqual(over);
    await world.side.admin.query("update app.device set retired_at = null where id = $1", [
      tenant.deviceId,
    ]);
    expect((await press({ token: tokenOf(made) })).body).toMatchObject({ state: "started" });
  });

  it("is no code, a code is no link, and another site's form reaches nothing", async () => {
    const made = await world.make(tenant);
    expect((await press({ code: tokenOf(made).slice(0, 40) })).status).toBe(404);
    expect((await press({ token: made.code })).status).toBe(404);
    expect((await press({ token: tokenOf(made), code: made.code })).status).toBe(400);
    expect((await press({})).status).toBe(400);
    const reply = await world.app.inject({
      method: "POST",
      url: "/start",
      headers: { "content-type": "text/plain" },
      payload: JSON.stringify({ token: tokenOf(made) }),
    });
    expect(reply.statusCode).toBe(415);
    expect(await world.look(made.id)).toMatchObject({ state: "invited" });
  });
});

/** What is on record of the guesses of a kind in this test's hour. */
async function recorded(kind: string): Promise<readonly object[]> {
  const rows = await world.side.admin.query<{ detail: { readonly count: number } }>(
    "select detail from app.audit where action = 'guesses.wrong' and subject = $1 and detail ->> 'since' = $2",
    [`guesses/${kind}`, hourOf(start)],
  );
  return rows.map(({ detail }) => detail).toSorted((a, b) => a.count - b.count);
}
const hourOf = (at: Date): string =>
  new Date(Math.floor(at.getTime() / 3_600_000) * 3_600_000).toISOString();
const inHour = (guessed: number): object => ({ count: guessed, since: hourOf(start) });
const random = (): string => randomBytes(16).toString("hex");
/** So many facts more, and nothing else. */
const plus = (counts: Readonly<Record<string, string>>, facts: number): object => ({
  ...counts,
  "app.audit": String(Number(counts["app.audit"]) + facts),
  "app.event": String(Number(counts["app.event"]) + facts),
});

it("lets nobody guess: of 100,000 codes 200 are looked at in ten minutes, and links go on", async () => {
  const made = await world.make(tenant);
  const said: unknown[] = [];
  const own = {
    ...createSystem(),
    clock: () => world.side.time.now,
    database: world.side.database,
    log: { warn: (facts: unknown) => said.push(facts) },
  };
  const guesses = createWrongGuesses(own);
  const visits = createEnrolmentVisits({ ...own, guesses });
  const alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
  const guess = (): string =>
    Array.from(randomBytes(8), (octet) => alphabet.charAt(octet & 31)).join("");
  const before = await world.counts();
  const outcomes = new Map<string, number>();
  for (let turn = 0; turn < 100_000; turn += 1) {
    const code = await visits.start({ kind: "code", text: guess() }).then(
      () => "opened",
      (error: { readonly code: string }) => error.code,
    );
    outcomes.set(code, (outcomes.get(code) ?? 0) + 1);
  }
  expect(outcomes).toEqual(
    new Map([
      ["not-found", 200],
      ["too-many-guesses", 99_800],
    ]),
  );
  // Six rows say so much of 100,000, and no guess stands in them; one line of the log does.
  expect(await recorded("code")).toEqual([1, 10, 100, 1000, 10_000, 100_000].map(inHour));
  expect(await world.counts()).toEqual(plus(before, 6));
  await guesses.settle();
  await guesses.settle();
  expect(said).toEqual([{ guesses: { code: 100_000 } }]);
  const { code = "" } = made;
  await expect(visits.start({ kind: "code", text: code })).rejects.toThrow("too many links");
  await expect(
    visits.open({ kind: "link", text: randomBytes(16).toString("hex") }),
  ).rejects.toThrow("too many links");
  expect(await visits.open({ kind: "link", text: tokenOf(made) })).toMatchObject({
    state: "invited",
  });
  later(10 * 60_000);
  expect(await visits.start({ kind: "code", text: code })).toMatchObject({ state: "started" });
  // What an hour came to is on record when it is over.
  later(3_600_000);
  await guesses.settle();
  expect((await recorded("code")).at(-1)).toEqual(inHour(100_001));
  expect(guesses.total("link")).toBe(1);
});

it("records thousands of wrong links, codes and sessions by a few rows, over HTTP too", async () => {
  const before = await world.counts();
  for (let turn = 0; turn < 1000; turn += 1) {
    const replies = await Promise.all([
      world.app.inject({ url: `/start/${random()}` }),
      world.app.inject({ url: "/way/state", headers: { cookie: `suido-way=${random()}` } }),
      world.app.inject({ url: `/renewals/${random()}` }),
      world.app.inject({
        method: "POST",
        url: "/way/script/certificates",
        payload: { secret: random(), csr: "x", keyClaim: "tpm" },
      }),
    ]);
    expect(replies.every(({ statusCode }) => statusCode < 500)).toBe(true);
  }
  for (const kind of ["link", "session", "renewal", "script"])
    expect(await recorded(kind)).toEqual([1, 10, 100, 1000].map(inHour));
  const after = await world.counts();
  expect(after).toEqual(plus(before, 16));
  // A browser that has begun nothing guesses nothing.
  await world.app.inject({ url: "/way/state" });
  expect(await world.counts()).toEqual(after);
});

it("says over HTTP when to come back, of codes alone", async () => {
  for (let turn = 0; turn < 200; turn += 1)
    expect((await press({ token: "0".repeat(32) })).status).toBe(404);
  for (let turn = 0; turn < 200; turn += 1)
    expect((await press({ code: "AAAA-AAAA" })).status).toBe(404);
  expect(await press({ code: "AAAA-AAAA" })).toMatchObject({
    status: 429,
    headers: { "retry-after": "600" },
    body: { type: "/problems/too-many-guesses" },
  });
});

function confirm(id: string, key = world.keys.support): ReturnType<typeof world.call> {
  return world.call("POST", `/v1/enrolments/${id}/confirm`, { key, body: { how: "telephone" } });
}

describe("本人を確認しました", () => {
  it("records who identified the person and how, of a started one, once", async () => {
    const made = await world.make(tenant);
    expect(await confirm(made.id)).toMatchObject({
      status: 409,
      body: { errors: [{ field: "id" }] },
    });
    await press({ code: made.code });
    const found = await world.call(
      "GET",
      `/v1/enrolments?state=started&supportNumber=${made.supportNumber}`,
      { key: world.keys.support },
    );
    expect(found.body.items.map(({ id }) => id)).toEqual([made.id]);
    const first = await confirm(made.id);
    expect(first).toMatchObject({
      status: 200,
      body: {
        state: "identified",
        identifiedHow: "telephone",
        identifiedAt: start.toISOString(),
        identifiedBy: expect.stringMatching(/^api-key:/) as unknown,
      },
    });
    expect((await confirm(made.id)).body).toEqual(first.body);
    expect((await confirm(made.id, world.keys.operator)).status).toBe(409);
    expect((await visit("GET", `/start/${tokenOf(made)}`)).body).toMatchObject({
      state: "identified",
    });
    expect(await world.actionsOf(made.id)).toEqual([
      "enrolment.created",
      "enrolment.handed-over",
      "enrolment.started",
      "enrolment.identified",
    ]);
  });

  it("is staff's to say, with one of the ways, and not of one that is over", async () => {
    const made = await world.make(tenant);
    await press({ token: tokenOf(made) });
    for (const role of ["auditor", "product", "proxy"] as const)
      expect((await confirm(made.id, world.keys[role])).status).toBe(403);
    const { key } = await world.newKey("support", (await world.tenant("よそ")).corporationId);
    expect((await confirm(made.id, key)).status).toBe(404);
    const guessed = await world.call("POST", `/v1/enrolments/${made.id}/confirm`, {
      body: { how: "feeling" },
    });
    expect(guessed).toMatchObject({ status: 400, body: { errors: [{ field: "how" }] } });
    later(14 * DAY_MS);
    expect((await confirm(made.id)).status).toBe(409);
    expect(await world.look(made.id)).toMatchObject({ state: "expired" });
  });
});
