import { randomBytes, randomUUID } from "node:crypto";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { createSystem } from "../../../src/cli/system.ts";
import { linkHash } from "../../../src/lifecycle/enrolment-links.ts";
import { createEnrolments } from "../../../src/lifecycle/enrolments.ts";
import { openPrisma } from "../../../src/storage/prisma.ts";
import { readQr } from "../../support/qr-reader.ts";
import { NOW } from "../ca/app-side.ts";
import { type EnrolmentWorld, openEnrolmentWorld } from "./enrolment-world.ts";
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

describe("its time", () => {
  it("is over to the millisecond, whether anybody has written it down or not, and that is done once", async () => {
    const { id } = await world.make(tenant);
    later(14 * DAY_MS - 1);
    await world.expire();
    expect(await world.look(id)).toMatchObject({ state: "invited" });
    expect(await world.expire()).toBe(0);
    later(14 * DAY_MS);
    const before = await world.look(id);
    expect(before).toMatchObject({
      state: "expired",
      endedAt: new Date(NOW.getTime() + 14 * DAY_MS).toISOString(),
    });
    const found = await world.call(
      "GET",
      `/v1/enrolments?deviceId=${tenant.deviceId}&state=expired`,
    );
    expect(found.body.items).toHaveLength(1);
    const [one, two] = await Promise.all([world.expire(), world.expire()]);
    expect(one + two).toBeGreaterThan(0);
    expect(await world.expire()).toBe(0);
    expect(await world.look(id)).toEqual(before);
    expect(
      (await world.actionsOf(id)).filter((action) => action === "enrolment.expired"),
    ).toHaveLength(1);
  });

  it("that is over makes room for a new one, without being called withdrawn", async () => {
    const first = await world.make(tenant);
    later(15 * DAY_MS);
    const second = await world.make(tenant);
    expect(await world.look(first.id)).toMatchObject({ state: "expired" });
    expect(await world.look(second.id)).toMatchObject({ state: "invited" });
  });

  it("moves one way only", async () => {
    const { id } = await world.make(tenant);
    await world.call("POST", `/v1/enrolments/${id}/withdraw`);
    for (const state of ["invited", "proven", "expired"]) {
      await expect(
        world.side.admin.query("update app.enrolment set state = $2 where id = $1", [id, state]),
      ).rejects.toThrow(`does not go from withdrawn to ${state}`);
    }
  });
});

describe("its mail", () => {
  beforeEach(() => world.side.admin.query("delete from app.mail"));

  it("goes to the account's address with a link of its own, which lies nowhere before or after", async () => {
    const { id, link } = await world.make(tenant, {
      requestedBy: "みずき薬局 本部",
      reason: "replacement",
    });
    const [mail, ...others] = await world.sent();
    expect(others).toEqual([]);
    const { email } = (await world.call("GET", `/v1/accounts/${tenant.accountId}`))
      .body as unknown as { email: string };
    expect(mail?.to).toBe(email);
    expect(mail?.text).toContain("みずき薬局 本部");
    const mailed = /http:\/\/localhost:8000\/start\/([0-9a-f]{32})/.exec(mail?.text ?? "");
    expect(mailed?.[0]).not.toBe(link);
    const { digest } = createSystem();
    const hash = linkHash("link", { spelling: mailed?.[1] ?? "", digest });
    const rows = await world.side.admin.query<{ enrolment_id: string }>(
      "select enrolment_id from app.enrolment_link where sha256 = $1",
      [Buffer.from(hash)],
    );
    expect(rows).toEqual([{ enrolment_id: id }]);
    const [kept] = await world.side.admin.query("select * from app.mail");
    expect(JSON.stringify(kept)).not.toContain(mailed?.[1]);
    expect(await world.actionsOf(id)).toContain("enrolment.mail-written");
    expect(await world.sent()).toEqual([]);
  });

  it("is not sent for one that is over by then", async () => {
    const first = await world.make(tenant);
    await world.make(tenant);
    const { id } = await world.make(tenant);
    await world.call("POST", `/v1/enrolments/${id}/withdraw`);
    expect(await world.sent()).toEqual([]);
    expect(await world.actionsOf(first.id)).not.toContain("enrolment.mail-written");
    const states = await world.side.admin.query("select distinct state from app.mail");
    expect(states).toEqual([{ state: "dropped" }]);
  });

  it("is none where there is no address, and the answer says so", async () => {
    await world.call("PATCH", `/v1/accounts/${tenant.accountId}`, { body: { email: null } });
    expect(await world.make(tenant)).toMatchObject({ mailed: false, state: "invited" });
    expect(await world.side.admin.query("select from app.mail")).toHaveLength(0);
  });

  it("speaks the account's language, and names nobody at a shared address", async () => {
    await world.call("PATCH", `/v1/accounts/${tenant.accountId}`, {
      body: { locale: "en", emailShared: true, name: "薬師 花子" },
    });
    await world.make(tenant);
    const [mail] = await world.sent();
    expect(mail?.subject).toContain("Please install a certificate by");
    expect(mail?.text).not.toContain("薬師 花子");
  });
});

it("draws another support number while one is taken", async () => {
  const store = openPrisma({ url: world.url, max: 2 });
  const taken = await world.make(tenant);
  const draws = [Number(taken.supportNumber), Number(taken.supportNumber), 424_242];
  const enrolments = createEnrolments({
    ...createSystem(),
    store,
    clock: () => world.side.time.now,
    appUrl: "http://localhost:8000",
    placesPerDevice: 3,
    random: (octets) => {
      if (octets !== 4) return new Uint8Array(randomBytes(octets));
      const number = draws.shift() ?? 0;
      return Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number);
    },
  });
  const { deviceId, accountId } = await world.tenant("番号");
  const made = await enrolments.create(
    { id: randomUUID(), actor: "cli:test", role: "admin" },
    { deviceId, accountId },
    { link: false, code: false },
  );
  await store.close();
  expect(made.supportNumber).toBe("424242");
  expect(draws).toEqual([]);
});

async function print(path: string, key: string, language = "ja") {
  const headers = { authorization: `Bearer ${key}`, "accept-language": language };
  const reply = await world.app.inject({ method: "POST", url: `/v1/${path}/sheet`, headers });
  const codes = reply.body.match(/(?<=<dd class="code">)[^<]+/g) ?? [];
  const pictures = reply.body.match(/<svg\s+class="qr".*?<\/svg>/gs) ?? [];
  return {
    status: reply.statusCode,
    reply,
    codes: [...codes],
    links: pictures.map((svg) => readQr(svg)),
  };
}
const press = async (payload: object): Promise<number> =>
  (await world.app.inject({ method: "POST", url: "/start", payload })).statusCode;

describe("cards on paper", () => {
  it("show pharmacy, device, a code and a picture that leads there, without a script", async () => {
    const made = await world.make(tenant);
    const { reply, codes, links } = await print(`enrolments/${made.id}`, world.keys.admin);
    expect(reply.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-language": "ja",
      "content-security-policy": expect.stringMatching(
        /^default-src 'none'; style-src 'sha256-/,
      ) as unknown,
    });
    expect(reply.body).not.toMatch(/<script|https?:\/\/(?!localhost)/);
    for (const text of ["受付1号機", "http://localhost:8000/start", "2026年12月5日"])
      expect(reply.body).toContain(text);
    expect(await world.actionsOf(made.id)).toContain("enrolment.handed-over");
    const [link = ""] = links;
    expect(link).toMatch(/^http:\/\/localhost:8000\/start\/[0-9a-f]{32}$/);
    expect(await press({ token: link.split("/").at(-1) })).toBe(200);
    expect(await press({ code: codes[0] })).toBe(200);
    const english = await print(`enrolments/${made.id}`, world.keys.admin, "en");
    expect(english.reply.body).toContain("5 December 2026");
  });

  it("make void what stands on those before, and nothing else", async () => {
    const made = await world.make(tenant);
    const first = await print(`enrolments/${made.id}`, world.keys.admin);
    const second = await print(`enrolments/${made.id}`, world.keys.operator);
    // Whoever may not see links prints the address alone.
    expect(second.links).toEqual(["http://localhost:8000/start"]);
    expect(await press({ code: first.codes[0] })).toBe(404);
    expect(await press({ token: first.links[0]?.split("/").at(-1) })).toBe(404);
    expect(await press({ code: second.codes[0] })).toBe(200);
    expect(await press({ code: made.code })).toBe(200);
  });

  it("are printed for a whole file, or for one of its pharmacies, as long as they are open", async () => {
    const { corporationId, accountId, deviceId, pharmacyId } = tenant;
    const batch = await world.call("POST", `/v1/enrolment-batches?corporationId=${corporationId}`, {
      headers: { "content-type": "text/csv" },
      body: `account,pharmacy,device,count\n${accountId},,${deviceId},\n${accountId},001,,2\n`,
    });
    const path = `enrolment-batches/${batch.body.id}`;
    const { codes, reply } = await print(path, world.keys.operator);
    expect(new Set(codes).size).toBe(3);
    expect(reply.body.split("受付1号機")).toHaveLength(2);
    expect(reply.body.split("名前はまだありません")).toHaveLength(3);
    expect(await press({ code: codes[2] })).toBe(200);
    const other = await world.tenant("別の薬局");
    const narrowed = (id: string) =>
      world.app.inject({
        method: "POST",
        url: `/v1/${path}/sheet?pharmacyId=${id}`,
        headers: { authorization: `Bearer ${world.keys.admin}` },
      });
    expect((await narrowed(pharmacyId)).statusCode).toBe(200);
    const none = await narrowed(other.pharmacyId);
    expect([none.statusCode, none.json<{ type: string }>().type]).toEqual([
      409,
      "/problems/conflict",
    ]);
    expect(await print(path, world.keys.support)).toMatchObject({ status: 403, codes: [] });
    world.side.time.now = new Date(NOW.getTime() + 15 * 86_400_000);
    expect((await print(path, world.keys.admin)).status).toBe(409);
  });
});

const tokenOf = ({ link = "" }: { readonly link?: string }): string => link.split("/").at(-1) ?? "";

/** In a browser, as whoever has the link. */
async function browse(url: string, form?: Readonly<Record<string, string>>, headers: object = {}) {
  const reply = await world.app.inject({
    method: form === undefined ? "GET" : "POST",
    url,
    headers: {
      accept: "text/html",
      "accept-language": "ja",
      ...(form !== undefined && { "content-type": "application/x-www-form-urlencoded" }),
      ...headers,
    },
    ...(form !== undefined && { payload: String(new URLSearchParams(form)) }),
  });
  const title = /<h1[^>]*>([^<]+)</.exec(reply.body)?.[1] ?? "";
  return { status: reply.statusCode, body: reply.body, title, to: reply.headers.location };
}
const SEND = "新しいご案内を送る";

describe("a link whose time is over", () => {
  it.each(["a device", "a machine that nobody has registered"])(
    "sends a new one for %s to the account's address, when somebody presses",
    async (what) => {
      const { accountId, deviceId, pharmacyId } = tenant;
      const body =
        what === "a device" ? { accountId, deviceId } : { accountId, pharmacyId, count: 1 };
      const answer = await world.call("POST", "/v1/enrolments", { body });
      const one = answer.body as unknown as { readonly id: string; readonly link: string };
      const { items } = answer.body as unknown as { readonly items?: readonly (typeof one)[] };
      const made = items?.[0] ?? one;
      const token = tokenOf(made);
      await world.sent();
      later(15 * DAY_MS);
      const before = await world.counts();
      for (let turn = 0; turn < 20; turn += 1)
        expect((await browse(`/start/${token}`)).body).toContain(SEND);
      expect(await world.counts()).toEqual(before);
      const cross = await browse("/start/anew", { token }, { origin: "https://evil.example" });
      expect(cross.status).toBe(403);

      const sent = await browse("/start/anew", { token });
      expect([sent.status, sent.title]).toEqual([200, "新しいご案内を送りました"]);
      const { body: account } = await world.call("GET", `/v1/accounts/${accountId}`);
      const { email } = account as unknown as { readonly email: string };
      expect(sent.body).not.toContain(email);
      expect(sent.body).toContain(`${email.slice(0, 1)}…@example.jp`);
      const [mail, ...others] = await world.sent();
      expect(others).toEqual([]);
      expect(mail?.to).toBe(email);
      const fresh = /\/start\/([0-9a-f]{32})/.exec(mail?.text ?? "")?.[1] ?? "";
      expect((await browse("/start", { token: fresh })).to).toBe("/way");
      // The code by which that browser's person says who they are.
      expect(await world.sent()).toMatchObject([{ to: email }]);
      const { body: list } = await world.call(
        "GET",
        `/v1/enrolments?accountId=${accountId}&state=started`,
      );
      const id = list.items[0]?.id ?? "";
      expect(await world.actionsOf(id)).toEqual(expect.arrayContaining(["enrolment.created"]));
      expect(await world.look(id)).toMatchObject({ askedBy: `enrolment:${made.id}` });
      // Somebody has gone on with it: the old link leads to nothing else.
      expect((await browse(`/start/${token}`)).body).not.toContain(SEND);
      expect((await browse("/start/anew", { token })).to).toBe(`/start/${token}`);
    },
  );

  it("sends three a day at most, whoever presses and at which link of the line, and the newest counts", async () => {
    const made = await world.make(tenant);
    later(15 * DAY_MS);
    const { code = "" } = made;
    const presses = await Promise.all([1, 2, 3, 4, 5].map(() => browse("/start/anew", { code })));
    expect(presses.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      200, 200, 200, 429, 429,
    ]);
    const open = await world.call(
      "GET",
      `/v1/enrolments?deviceId=${tenant.deviceId}&state=invited`,
    );
    expect(open.body.items).toHaveLength(1);
    later(16 * DAY_MS + 1);
    expect((await browse("/start/anew", { code })).status).toBe(200);
    // Those run out in their turn, unsent ones are not sent any more, and the first offers another until three months are over.
    later(40 * DAY_MS);
    expect(await world.sent()).toEqual([]);
    expect((await browse("/start", { code })).body).toContain(SEND);
    later((14 + 90) * DAY_MS);
    expect((await browse("/start", { code })).body).not.toContain(SEND);
    expect((await browse("/start/anew", { code })).status).toBe(404);
  });

  it("sends nothing for one that was withdrawn, replaced or followed, to nobody, and to no disabled person", async () => {
    const [withdrawn, replaced] = [await world.make(tenant), await world.make(tenant)];
    const newest = await world.make(tenant);
    await world.call("POST", `/v1/enrolments/${newest.id}/withdraw`);
    const late = await world.make(tenant);
    later(15 * DAY_MS);
    const follower = await world.make(tenant);
    later(30 * DAY_MS);
    for (const made of [withdrawn, replaced, newest, late]) {
      expect((await browse(`/start/${tokenOf(made)}`)).body).not.toContain(SEND);
      expect((await browse("/start/anew", { token: tokenOf(made) })).status).toBe(303);
    }
    const token = tokenOf(follower);
    expect((await browse(`/start/${token}`)).body).toContain(SEND);
    await world.call("PATCH", `/v1/accounts/${tenant.accountId}`, { body: { disabled: true } });
    expect((await browse(`/start/${token}`)).body).not.toContain(SEND);
    expect((await browse("/start/anew", { token })).status).toBe(303);
    for (const form of [{ token: "0".repeat(32) }, { code: "AAAA-AAAA" }])
      expect((await browse("/start/anew", form)).status).toBe(404);
    expect((await browse("/start/anew", {})).status).toBe(400);
    expect(await world.sent()).toEqual([]);
  });
});
