import { randomUUID } from "node:crypto";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { newKey, NOW } from "../ca/app-side.ts";
import { type CheckWorld, openCheckWorld } from "./check-world.ts";
import { Visitor as AnyVisitor } from "./visitor.ts";
import type { Tenant } from "./world.ts";

interface Made {
  readonly id: string;
  readonly code: string;
  readonly supportNumber: string;
}

let world: CheckWorld;
let tenant: Tenant;
let count = 0;

const IPAD =
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15";

/** A browser at this world's app. */
class Visitor extends AnyVisitor {
  constructor(agent?: string) {
    super(world.app, agent);
  }
  name = (form: object) => this.go("POST", "/way/device", { form });
}

beforeAll(async () => {
  world = await openCheckWorld();
});
beforeEach(async () => {
  world.side.time.now = NOW;
  tenant = await world.tenant(`薬局${(count += 1)}`);
});
afterAll(() => world.close());

async function invite(): Promise<Made> {
  const { accountId, pharmacyId } = tenant;
  const body = { accountId, pharmacyId, count: 1 };
  const answer = await world.call("POST", "/v1/enrolments", { body });
  expect(answer.status).toBe(201);
  const [made] = (answer.body as unknown as { readonly items: readonly Made[] }).items;
  return made as Made;
}
const look = async (id: string) =>
  (await world.call("GET", `/v1/enrolments/${id}`)).body as unknown as Record<string, unknown>;
const confirm = async (id: string): Promise<void> => {
  const { supportNumber } = await look(id);
  const body = { how: "telephone", supportNumber };
  const said = await world.call("POST", `/v1/enrolments/${id}/confirm`, { body });
  expect(said.status).toBe(200);
};

/** Somebody whose person is identified, before a machine that nobody has named. */
async function before(agent?: string): Promise<{ readonly id: string; readonly visitor: Visitor }> {
  const { id, code } = await invite();
  const visitor = new Visitor(agent);
  expect((await visitor.press({ code })).statusCode).toBe(303);
  await confirm(id);
  expect(await visitor.state()).toBe("name");
  return { id, visitor };
}

const devices = () =>
  world.side.admin.query<{ id: string; name: string; platform: string }>(
    "select id, name, platform from app.device where pharmacy_id = $1 order by created_at, name",
    [tenant.pharmacyId],
  );
const names = async () => (await devices()).map(({ name }) => name);
const actions = async (subject: string) =>
  (
    await world.side.admin.query<{ action: string }>(
      `select a.action from app.audit a join app.event e on e.xid = a.xid and e.subject = a.subject
         and e.type = 'jp.suido.' || a.action where a.subject = $1 order by a.xid, a.action`,
      [subject],
    )
  ).map(({ action }) => action);

/** Certificate, check and proof. */
async function prove(visitor: Visitor): Promise<void> {
  const key = newKey();
  const made = await visitor.csr(key);
  expect(made.statusCode).toBe(200);
  const { certificate } = made.json<{ certificate: string }>();
  const check = await visitor.go("POST", "/way/checks", { form: {} });
  const shown = await world.outcome(String(check.headers.location), { key, cert: certificate });
  expect(shown).toMatchObject({ outcome: "proven" });
}

describe("a machine that nobody has registered", () => {
  it("is named by whoever stands before it, and becomes a device with its first certificate", async () => {
    const { id, visitor } = await before();
    const page = (await visitor.go("GET", "/way")).body;
    expect(page).toContain("この端末の名前を選んでください");
    // The first one is there already.
    expect(page).toContain('value="受付2号機"');
    expect(page).not.toContain("iPad");
    expect((await visitor.csr()).statusCode).toBe(409);
    expect(await names()).toEqual(["受付1号機"]);

    const named = await visitor.name({ offer: "受付2号機" });
    expect([named.statusCode, named.headers.location]).toEqual([303, "/way"]);
    expect(await visitor.state()).toBe("make");
    expect(await look(id)).toMatchObject({ state: "identified", deviceName: "受付2号機" });
    expect(await names()).toEqual(["受付1号機"]);

    await prove(visitor);
    const [, device] = await devices();
    expect(device).toMatchObject({ name: "受付2号機", platform: "windows" });
    expect(await look(id)).toMatchObject({ state: "proven", deviceId: device?.id });
    expect(await actions(`device/${device?.id}`)).toEqual(["device.created"]);
    expect(await actions(`enrolment/${id}`)).toContain("enrolment.named");
    expect((await visitor.go("GET", "/way")).body).toContain("受付2号機");
  });

  it("is an iPad where the page feels fingers, whatever the header says, and else what the person says", async () => {
    const pad = await before(IPAD);
    expect((await pad.visitor.go("GET", "/way")).body).toContain('value="投薬台iPad"');
    pad.visitor.cookies.set("suido-touch", "5");
    await pad.visitor.name({ offer: "投薬台iPad" });
    const mac = await before(IPAD);
    await mac.visitor.name({ own: "院長のMac" });
    const unknown = await before("curl/8");
    expect((await unknown.visitor.go("GET", "/way")).body).toContain('value="chromeos"');
    await unknown.visitor.name({ own: "検品機", platform: "linux" });
    const desk = await before();
    await desk.visitor.name({ own: "事務PC", platform: "android" });
    for (const { visitor } of [pad, mac, unknown, desk])
      expect((await visitor.csr()).statusCode).toBe(200);
    expect((await devices()).map(({ name, platform }) => [name, platform])).toEqual(
      expect.arrayContaining([
        ["投薬台iPad", "ipados"],
        ["院長のMac", "macos"],
        ["検品機", "linux"],
        ["事務PC", "windows"],
      ]),
    );
  });

  it("gets no name that is none: the page comes again and says why, and nothing is kept", async () => {
    const { id, visitor } = await before();
    const bad = [
      "",
      " ",
      "a\u0000b",
      "一行\n二行",
      "\u202eabc",
      "\u200b",
      "あ".repeat(51),
      "x".repeat(4000),
    ];
    for (const own of bad) {
      const reply = await visitor.name({ own });
      expect([own, reply.statusCode]).toEqual([own, 422]);
      expect(reply.body).toContain("1文字から50文字まで");
    }
    for (const form of [
      { own: "x".repeat(5000) },
      { own: "A", platform: "toaster" },
      { own: "A", takesOver: "1" },
    ])
      expect((await visitor.name(form)).statusCode).toBe(400);
    const cross = { form: { own: "A" }, headers: { origin: "https://evil.example" } };
    expect((await visitor.go("POST", "/way/device", cross)).statusCode).toBe(403);
    expect(await visitor.state()).toBe("name");
    expect(await look(id)).not.toHaveProperty("deviceName");

    expect((await visitor.name({ own: " Ａ受付 " })).statusCode).toBe(303);
    await prove(visitor);
    expect((await visitor.name({ own: "あとから" })).headers.location).toBe("/way");
    expect((await new Visitor().name({ own: "だれか" })).headers.location).toBe("/way");
    expect(await names()).toEqual(["Ａ受付", "受付1号機"].toSorted());
  });

  it("makes one device where two tabs ask for its first certificate at once", async () => {
    const { id, visitor } = await before();
    await visitor.name({ own: "監査台" });
    const answers = await Promise.all([visitor.csr(), visitor.csr(), visitor.csr()]);
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200]);
    expect(await names()).toEqual(["受付1号機", "監査台"]);
    const good = await world.side.admin.query(
      "select from app.binding b join ca.issued i on i.serial = b.serial where b.enrolment_id = $1 and i.state = 'good'",
      [id],
    );
    expect(good).toHaveLength(1);
  });

  it("gets a name from one of two who choose it at once, and the other is told", async () => {
    const [one, other] = [await before(), await before()];
    const form = { offer: "監査台" };
    const both = await Promise.all([one.visitor.name(form), other.visitor.name(form)]);
    expect(both.map(({ statusCode }) => statusCode).toSorted((a, b) => a - b)).toEqual([200, 303]);
    expect(both.find(({ statusCode }) => statusCode === 200)?.body).toContain("準備中です");
    const states = [await one.visitor.state(), await other.visitor.state()];
    expect(states.toSorted()).toEqual(["make", "name"]);
    expect((await (states[0] === "name" ? one : other).visitor.go("GET", "/way")).body).toContain(
      'value="監査台 2"',
    );
    // Nobody keeps a name for long without a certificate.
    world.side.time.now = new Date(NOW.getTime() + 31 * 60_000);
    expect((await (states[0] === "name" ? one : other).visitor.name(form)).statusCode).toBe(303);
  });

  it("loses a name that another device gets meanwhile, and is asked anew", async () => {
    const { id, visitor } = await before();
    await visitor.name({ own: "監査台" });
    const { pharmacyId } = tenant;
    const body = { pharmacyId, name: "監査台", platform: "windows" };
    expect((await world.call("POST", "/v1/devices", { body })).status).toBe(201);
    expect(await visitor.state()).toBe("name");
    const refused = await visitor.csr();
    expect([refused.statusCode, refused.json().type]).toEqual([409, "/problems/conflict"]);
    expect((await visitor.go("GET", "/way")).body).toContain("別の端末の名前になりました");
    expect(await look(id)).not.toHaveProperty("deviceId");
    expect((await visitor.name({ own: "監査台 2" })).statusCode).toBe(303);
    expect((await visitor.csr()).statusCode).toBe(200);
  });

  it("is named anew in another browser", async () => {
    const { id, code } = await invite();
    const [first, second] = [new Visitor(), new Visitor()];
    await first.press({ code });
    await confirm(id);
    await first.name({ own: "監査台" });
    await second.press({ code });
    await confirm(id);
    expect(await second.state()).toBe("name");
    expect((await first.name({ own: "事務PC" })).headers.location).toBe("/way");
    expect(await look(id)).not.toHaveProperty("deviceName");
  });
});

describe("a machine that takes the place of another", () => {
  it("is that device, whose certificate stays good until the new one is proven and superseded", async () => {
    const old = await world.issue(tenant);
    const { deviceId } = tenant;
    const open = await world.call("POST", "/v1/enrolments", {
      body: { accountId: tenant.accountId, deviceId },
    });
    const { id, visitor } = await before();
    const asked = await visitor.name({ own: "受付1号機" });
    expect(asked.statusCode).toBe(200);
    expect(asked.body).toContain("この端末に入れ替えますか");
    expect(asked.body).toContain(`薬局${count}`);
    expect(asked.body).toContain("2027年");
    expect(await visitor.state()).toBe("name");
    // Somebody else's id is no answer to the question.
    const wrong = await visitor.name({ offer: "受付1号機", takesOver: randomUUID() });
    expect(wrong.body).toContain("この端末に入れ替えますか");

    expect((await visitor.name({ offer: "受付1号機", takesOver: deviceId })).statusCode).toBe(303);
    // Until there is a certificate the other way to that device stays open.
    expect(await look(open.body.id)).toMatchObject({ state: "invited" });
    await prove(visitor);
    expect(await look(id)).toMatchObject({ state: "proven", deviceId });
    expect(await look(open.body.id)).toMatchObject({ state: "withdrawn", replacedBy: id });
    expect(await names()).toEqual(["受付1号機"]);
    const { body } = await world.call("GET", `/v1/certificates/${old.serialNumber}`);
    expect(body).toMatchObject({ status: "good" });
    const waiting = await world.side.admin.query(
      "select from ca.supersession where serial = decode($1, 'hex')",
      [old.serialNumber],
    );
    expect(waiting).toHaveLength(1);
  });

  it("is not another person's own device, and not one that is gone by then", async () => {
    const { corporationId, pharmacyId, deviceId } = tenant;
    const mine = await world.call("POST", "/v1/accounts", {
      body: { corporationId, name: "薬師 花子" },
    });
    const accountId = mine.body.id;
    await world.call("POST", "/v1/memberships", {
      body: { accountId, pharmacyId, role: "pharmacist" },
    });
    await world.call("PATCH", `/v1/devices/${deviceId}`, { body: { use: "personal" } });
    const { serialNumber } = await world.issue({ ...tenant, accountId });
    const { visitor } = await before();
    for (const takesOver of [{}, { takesOver: deviceId }]) {
      const reply = await visitor.name({ own: "受付1号機", ...takesOver });
      expect(reply.body).toContain("ほかの方が自分で使っている端末です");
      expect(reply.body).not.toContain("花子");
    }
    await world.call("PATCH", `/v1/devices/${deviceId}`, { body: { use: "shared" } });
    expect((await visitor.name({ own: "受付1号機", takesOver: deviceId })).statusCode).toBe(303);
    await world.call("POST", `/v1/certificates/${serialNumber}/revoke`, {
      body: { reason: "cessationOfOperation" },
    });
    expect((await world.call("DELETE", `/v1/devices/${deviceId}`)).status).toBe(204);
    expect(await visitor.state()).toBe("name");
    expect((await visitor.csr()).statusCode).toBe(409);
    expect((await visitor.name({ own: "受付1号機" })).statusCode).toBe(303);
    expect((await visitor.csr()).statusCode).toBe(200);
  });
});

const another = (visitor: Visitor, headers: object = {}) =>
  visitor.go("POST", "/way/another", { form: {}, headers });
const codeOn = (body: string): string =>
  /<b class="number" aria-hidden="true">([A-Z2-9]{4}-[A-Z2-9]{4})</.exec(body)?.[1] ?? "";

describe("one more machine", () => {
  it("is asked for on the page of one that is done, and identified anew", async () => {
    const { visitor } = await before();
    await visitor.name({ own: "監査台" });
    expect((await another(visitor)).headers.location).toBe("/way");
    await prove(visitor);
    expect((await visitor.go("GET", "/way")).body).toContain('action="/way/another"');
    expect((await another(visitor, { "sec-fetch-site": "cross-site" })).statusCode).toBe(403);

    const shown = await another(visitor);
    expect(shown.statusCode).toBe(200);
    expect(shown.body).toContain("localhost:8000/start");
    expect(shown.body).toContain('class="qr"');
    const again = await another(visitor);
    expect(codeOn(again.body)).not.toBe(codeOn(shown.body));
    const { accountId, pharmacyId } = tenant;
    const made = await world.call("GET", `/v1/enrolments?accountId=${accountId}&state=invited`);
    expect(made.body.items).toHaveLength(1);
    const id = made.body.items[0]?.id ?? "";
    expect(await look(id)).toMatchObject({ accountId, pharmacyId, mailed: false });
    expect(await actions(`enrolment/${id}`)).toEqual([
      "enrolment.created",
      "enrolment.handed-over",
      "enrolment.handed-over",
    ]);

    const second = new Visitor();
    await second.press({ code: codeOn(again.body) });
    expect(await second.state()).toBe("identify");
    await confirm(id);
    await second.name({ own: "監査台 2" });
    await prove(second);
    // Two a day here, whichever device they are asked for on; the button goes with the right.
    expect((await another(second)).statusCode).toBe(200);
    const third = await another(visitor);
    expect([third.statusCode, third.headers.location]).toEqual([303, "/way"]);
    expect((await visitor.go("GET", "/way")).body).not.toContain('action="/way/another"');
    expect((await another(new Visitor())).headers.location).toBe("/way");
  });

  it("is not asked for an hour later, nor by a certificate that renews itself", async () => {
    const { id, visitor } = await before();
    await visitor.name({ own: "監査台" });
    await prove(visitor);
    world.side.time.now = new Date(NOW.getTime() + 61 * 60_000);
    expect((await visitor.go("GET", "/way")).body).not.toContain('action="/way/another"');
    expect((await another(visitor)).headers.location).toBe("/way");
    world.side.time.now = NOW;
    await world.side.admin.query(
      "update app.enrolment set identified_how = 'certificate' where id = $1",
      [id],
    );
    expect((await another(visitor)).headers.location).toBe("/way");
  });
});
