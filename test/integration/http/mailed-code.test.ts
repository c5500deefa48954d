import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

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
  await world.call("PATCH", `/v1/accounts/${tenant.accountId}`, {
    body: { email: "taro@mizuki.example" },
  });
});
afterAll(() => world.close());

const later = (ms: number): void => {
  world.side.time.now = new Date(NOW.getTime() + ms);
};

/** Somebody who has pressed 「はじめる」 and asked for a code. */
async function asked(): Promise<{ readonly id: string; readonly visitor: Visitor }> {
  const { id, code } = await world.make(tenant);
  await world.sent();
  const visitor = new Visitor(world.app);
  await visitor.press({ code });
  await visitor.go("POST", "/way/code-mails", { form: {} });
  return { id, visitor };
}

/** The code in the newest mail. */
async function mailedCode(): Promise<string> {
  const mails = await world.sent();
  const [, found = ""] = /(\d{3} \d{3})/.exec(mails.at(-1)?.subject ?? "") ?? [];
  return found;
}

const enter = (visitor: Visitor, text: string) =>
  visitor.go("POST", "/way/codes", { form: { code: text } });

describe("a mailed code", () => {
  it("identifies the person, and the certificate says how", async () => {
    const { id, visitor } = await asked();
    const page = await visitor.go("GET", "/way");
    expect(page.body).toContain("t…@mizuki.example");
    expect(page.body).not.toContain("taro@");
    const typed = await mailedCode();
    expect(typed).toMatch(/^\d{3} \d{3}$/);
    // As a Japanese keyboard writes it.
    const full = typed.replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)));
    expect((await enter(visitor, full)).statusCode).toBe(303);
    expect(await visitor.state()).toBe("make");
    expect((await visitor.csr()).statusCode).toBe(200);
    expect(await world.look(id)).toMatchObject({
      state: "issued",
      identifiedHow: "mailed-code",
      identifiedBy: `enrolment:${id}`,
    });
    expect(await world.actionsOf(id)).toContain("enrolment.identified");
  });

  it("lies nowhere before its mail is written, and after it only as a hash", async () => {
    await asked();
    const typed = (await mailedCode()).replace(" ", "");
    const rows = await world.side.admin.query<{ text: string }>(
      "select m::text as text from app.mail m union all select e::text from app.enrolment e union all select a::text from app.audit a union all select v::text from app.event v",
    );
    for (const { text } of rows) expect(text).not.toContain(typed);
  });

  it("is wrong five times, recorded each time, and then right for nobody", async () => {
    const { id, visitor } = await asked();
    const typed = await mailedCode();
    const wrong = typed === "123 456" ? "654321" : "123456";
    for (let turn = 0; turn < 8; turn += 1) {
      const reply = await enter(visitor, wrong);
      expect(reply.statusCode).toBe(422);
      expect(reply.body).toContain("番号と違うか");
      expect(reply.body).toContain('href="/way?lang=en"');
    }
    expect((await enter(visitor, typed)).statusCode).toBe(422);
    const actions = await world.actionsOf(id);
    expect(actions.filter((action) => action === "enrolment.code-wrong")).toHaveLength(5);
    // Another one is mailed, and works.
    await visitor.go("POST", "/way/code-mails", { form: {} });
    expect((await enter(visitor, await mailedCode())).statusCode).toBe(303);
    expect(await visitor.state()).toBe("make");
  });

  it("ends after ten minutes, and with the next one", async () => {
    const { visitor } = await asked();
    const first = await mailedCode();
    later(60_000);
    await visitor.go("POST", "/way/code-mails", { form: {} });
    const second = await mailedCode();
    expect(second).not.toBe("");
    expect((await enter(visitor, first)).statusCode).toBe(first === second ? 303 : 422);
    later(60_000 + 10 * 60_000);
    expect((await enter(visitor, second)).statusCode).toBe(422);
  });

  it("is mailed five times at most", async () => {
    const { visitor } = await asked();
    let mails = (await world.sent()).length;
    for (let turn = 0; turn < 9; turn += 1) {
      await visitor.go("POST", "/way/code-mails", { form: {} });
      mails += (await world.sent()).length;
    }
    expect(mails).toBe(5);
  });

  it("is the browser's that asked: another that begins finds it void", async () => {
    const { id, visitor } = await asked();
    const typed = await mailedCode();
    const made = await world.side.admin.query<{ begun: number }>(
      "select begun from app.enrolment where id = $1",
      [id],
    );
    expect(made).toEqual([{ begun: 1 }]);
    const again = await world.make(tenant);
    const other = new Visitor(world.app);
    await other.press({ code: again.code });
    expect((await enter(other, typed)).statusCode).toBe(422);
    expect(await visitor.state()).toBe("replaced");
    expect((await enter(visitor, typed)).statusCode).toBe(303);
    expect(await visitor.state()).toBe("replaced");
  });

  it("goes to nobody whose address is shared, or who has none", async () => {
    for (const body of [{ emailShared: true }, { email: null }]) {
      await world.call("PATCH", `/v1/accounts/${tenant.accountId}`, { body });
      const { visitor } = await asked();
      expect(await world.sent()).toEqual([]);
      expect((await visitor.go("GET", "/way")).body).not.toContain("/way/code-mails");
      expect((await enter(visitor, "123456")).statusCode).toBe(422);
    }
  });

  it("is sent unasked to whoever begins by a link, once for each browser, and to nobody who types one", async () => {
    const { link = "", code } = await world.make(tenant);
    await world.sent();
    const token = link.slice(-32);
    const visitor = new Visitor(world.app);
    for (let turn = 0; turn < 3; turn += 1) await visitor.press({ token });
    expect(await visitor.page()).toBe("メールの番号を入力してください");
    expect((await enter(visitor, await mailedCode())).statusCode).toBe(303);
    expect(await visitor.state()).toBe("make");
    const typing = new Visitor(world.app);
    await typing.press({ code });
    expect(await world.sent()).toEqual([]);
    // Of five codes in all, this browser is sent the second.
    const other = new Visitor(world.app);
    await other.press({ token });
    expect(await world.sent()).toHaveLength(1);
  });

  it("is asked for by nobody without a session, and by no other site", async () => {
    const stranger = new Visitor(world.app);
    expect((await stranger.go("POST", "/way/code-mails", { form: {} })).statusCode).toBe(303);
    const { visitor } = await asked();
    await world.sent();
    const reply = await visitor.go("POST", "/way/code-mails", {
      form: {},
      headers: { "sec-fetch-site": "cross-site" },
    });
    expect(reply.statusCode).toBe(403);
    expect(await world.sent()).toEqual([]);
  });
});
