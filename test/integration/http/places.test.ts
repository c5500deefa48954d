import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { insertParty } from "../../support/relying-parties.ts";
import { newKey, NOW } from "../ca/app-side.ts";
import { type CheckWorld, type Device, openCheckWorld } from "./check-world.ts";
import { askAs, soon } from "./proxy-questions.ts";
import { Visitor } from "./visitor.ts";
import type { Tenant } from "./world.ts";

const LISTENER = "https://localhost:8443";
const HTML = { accept: "text/html", "accept-language": "ja" };
const QUESTION = "この端末には、もう証明書があります";
const FURTHER = 'name="place" value="further"';
const FULL = "この端末には、これ以上入れられません";
const IPHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1";

let world: CheckWorld;
let party: Awaited<ReturnType<typeof insertParty>>;
let tenant: Tenant;
let count = 0;

beforeAll(async () => {
  world = await openCheckWorld();
  party = await insertParty(world.side.admin);
});
beforeEach(async () => {
  world.side.time.now = NOW;
  tenant = await world.tenant(`薬局${(count += 1)}`);
});
afterAll(() => world.close());

type Fields = Readonly<Record<string, unknown>>;

const ask = (fields: Fields = {}) => {
  const { accountId, deviceId } = tenant;
  return world.call("POST", "/v1/enrolments", { body: { accountId, deviceId, ...fields } });
};
const look = async (id: string): Promise<Fields> =>
  (await world.call("GET", `/v1/enrolments/${id}`)).body as unknown as Fields;

interface Standing {
  readonly id: string;
  readonly visitor: Visitor;
}

/** Somebody who is identified, before the device or, named, before a machine that nobody has registered. */
async function before(fields: Fields = {}, agent?: string): Promise<Standing> {
  const { body } = await ask(fields);
  const made = (body.items?.[0] ?? body) as unknown as { id: string; code: string };
  const visitor = new Visitor(world.app, agent);
  expect((await visitor.press({ code: made.code })).statusCode).toBe(303);
  const said = { key: world.keys.support, body: { how: "telephone" } };
  expect((await world.call("POST", `/v1/enrolments/${made.id}/confirm`, said)).status).toBe(200);
  return { id: made.id, visitor };
}
const unnamed = (agent?: string): Promise<Standing> => {
  const { accountId, pharmacyId } = tenant;
  return before({ accountId, pharmacyId, deviceId: undefined, count: 1 }, agent);
};
const choose = (visitor: Visitor, place: string) =>
  visitor.go("POST", "/way/place", { form: { place } });

/** A second, so that of two attempts of one enrolment one is the later. */
function pass(): void {
  const { time } = world.side;
  time.signer = new Date(time.signer.getTime() + 1000);
}

/** Certificate, check and proof. */
async function prove(visitor: Visitor): Promise<Device> {
  const key = newKey();
  const made = await visitor.csr(key);
  expect(made.statusCode).toBe(200);
  const { certificate: cert } = made.json<{ certificate: string }>();
  const check = await visitor.go("POST", "/way/checks", { form: {} });
  const shown = await world.outcome(String(check.headers.location), { key, cert });
  expect(shown).toMatchObject({ outcome: "proven" });
  return { key, cert, serialNumber: String(shown["serialNumber"]) };
}

/** The page that asks for a renewal, pressed on a device. */
async function renewing(client: Device): Promise<Visitor> {
  const reply = await world.visit(`${LISTENER}/renew`, { client, method: "POST", headers: HTML });
  const visitor = new Visitor(world.app);
  await visitor.go("GET", new URL(String(reply.headers["location"])).pathname);
  return visitor;
}

/** Which certificates wait to be superseded, and by which. */
const waiting = async (): Promise<readonly string[]> =>
  (
    await world.side.admin.query<{ line: string }>(
      `select encode(s.serial, 'hex') || ' ' || encode(s.successor, 'hex') as line from ca.supersession s
       join app.binding b on b.serial = s.serial where b.device_id = $1 order by 1`,
      [tenant.deviceId],
    )
  ).map(({ line }) => line);
const pairs = (of: readonly Device[], by: Device): readonly string[] =>
  of.map(({ serialNumber }) => `${serialNumber} ${by.serialNumber}`).toSorted();

/** Of each certificate its place, and whether it is the current one there. */
async function lineage(): Promise<Readonly<Record<string, readonly [unknown, unknown]>>> {
  const { body } = await world.call("GET", `/v1/devices/${tenant.deviceId}/certificates`);
  const items = body.items as unknown as readonly Fields[];
  return Object.fromEntries(
    items.map(({ serialNumber, place, current }) => [serialNumber, [place, current]]),
  ) as Record<string, [unknown, unknown]>;
}

/** What products and their proxies are told, and whom the listener sees in a real handshake. */
async function works(device: Device): Promise<void> {
  const { body } = await world.call("GET", `/v1/status/${device.serialNumber}`);
  expect(body).toMatchObject({ status: "good", device: { id: tenant.deviceId } });
  await soon(async () => {
    const headers = { "x-ssl-client-cert": encodeURIComponent(device.cert) };
    const told = await askAs(world, party.key, headers);
    expect(told).toMatchObject({
      status: 200,
      headers: { "suido-device": tenant.deviceId, "suido-serial": device.serialNumber },
    });
  });
  const seen = await world.visit(`${LISTENER}/v1/whoami`, { client: device });
  expect([seen.status, JSON.parse(seen.text)]).toMatchObject([200, { deviceId: tenant.deviceId }]);
}

describe("a device that has a certificate in use", () => {
  it("asks whether it is another user's or browser's, and then both work, in places of their own", async () => {
    const one = await world.issue(tenant);
    const { id, visitor } = await before();
    expect(await visitor.state()).toBe("place");
    const still = await world.counts();
    for (let turn = 0; turn < 3; turn += 1) {
      const page = (await visitor.go("GET", "/way")).body;
      for (const words of [QUESTION, "入れ替える", FURTHER, "受付1号機", "2027年"])
        expect(page).toContain(words);
    }
    expect(await world.counts()).toEqual(still);
    // Nobody gets around the question.
    expect((await visitor.csr()).statusCode).toBe(409);
    const forged = { form: { place: "further" }, headers: { origin: "https://evil.example" } };
    expect((await visitor.go("POST", "/way/place", forged)).statusCode).toBe(403);
    expect((await choose(visitor, "elsewhere")).statusCode).toBe(400);
    expect(await visitor.state()).toBe("place");

    expect((await choose(visitor, "further")).headers.location).toBe("/way");
    expect(await visitor.state()).toBe("make");
    expect(await look(id)).toMatchObject({ place: "further" });
    // A first attempt that never arrives is no place.
    expect((await visitor.csr()).statusCode).toBe(200);
    pass();
    const two = await prove(visitor);
    expect(await waiting()).toEqual([]);
    for (const device of [one, two]) await works(device);
    const places = await lineage();
    expect([places[one.serialNumber]?.[1], places[two.serialNumber]?.[1]]).toEqual([true, true]);
    // With its first attempt it is one place.
    expect(Object.keys(places)).toHaveLength(3);
    expect(new Set(Object.values(places).map(([place]) => place))).toEqual(new Set([1, 2]));
    expect(places[one.serialNumber]?.[0]).not.toBe(places[two.serialNumber]?.[0]);
    const chosen = await world.side.admin.query(
      "select detail from app.audit where subject = $1 and action = 'enrolment.place-chosen'",
      [`enrolment/${id}`],
    );
    expect(chosen).toEqual([{ detail: { place: "further" } }]);
    // It is said once there is a certificate.
    await choose(visitor, "instead");
    expect(await look(id)).toMatchObject({ place: "further" });
  });

  it("may be another machine: then all its places end after the proof, however often it was changed before", async () => {
    const [one, two] = [await world.issue(tenant), await world.issue(tenant)];
    const { id, visitor } = await before({ reason: "replacement" });
    await choose(visitor, "further");
    await choose(visitor, "instead");
    expect(await visitor.state()).toBe("make");
    expect(await look(id)).toMatchObject({ place: "instead" });
    expect((await visitor.csr()).statusCode).toBe(200);
    expect(await waiting()).toEqual([]);
    pass();
    const instead = await prove(visitor);
    expect(await waiting()).toEqual(pairs([one, two], instead));
    for (const device of [one, two, instead]) await works(device);
    // The old machine renews itself no more, whether its page names the new certificate or not.
    for (const client of [one, two]) {
      const page = await world.visit(`${LISTENER}/renew`, { client, headers: HTML });
      expect(page.text).not.toContain("<form");
      for (const [headers, type] of [
        [HTML, "text/html"],
        [{}, "application/problem+json"],
      ] as const) {
        const target = `${LISTENER}/renew`;
        const refused = await world.visit(target, { client, method: "POST", headers });
        expect([refused.status, refused.headers["content-type"]]).toEqual([
          409,
          expect.stringContaining(type),
        ]);
      }
    }
    // What they wait for goes on with whatever follows it.
    const next = await prove(await renewing(instead));
    expect(await waiting()).toEqual(
      [...pairs([one, two], instead), ...pairs([one, two, instead], next)].toSorted(),
    );
  });

  it("is asked about by its name too: the same machine keeps what it has", async () => {
    const one = await world.issue(tenant);
    const { deviceId } = tenant;
    const { id, visitor } = await unnamed();
    const form = { offer: "受付1号機" };
    const asked = await visitor.go("POST", "/way/device", { form });
    expect(asked.body).toContain("この端末に入れ替えますか");
    expect(asked.body).toContain(FURTHER);
    const said = { form: { ...form, takesOver: deviceId, place: "further" } };
    expect((await visitor.go("POST", "/way/device", said)).statusCode).toBe(303);
    const two = await prove(visitor);
    expect(await look(id)).toMatchObject({ state: "proven", deviceId, place: "further" });
    expect(await waiting()).toEqual([]);
    for (const device of [one, two]) await works(device);
    const [device] = await world.side.admin.query("select name from app.device where id = $1", [
      deviceId,
    ]);
    expect(device).toEqual({ name: "受付1号機" });

    // The next one is a new machine: it takes the place of both.
    const machine = await unnamed();
    await machine.visitor.go("POST", "/way/device", { form: { ...form, takesOver: deviceId } });
    const three = await prove(machine.visitor);
    expect(await waiting()).toEqual(pairs([one, two], three));
  });

  it("is not asked about where nothing of it is in use, nor taken for a machine of another kind", async () => {
    const first = await before();
    expect((await first.visitor.csr()).statusCode).toBe(200);
    // Left there: nobody has proven it.
    const second = await before();
    expect(await second.visitor.state()).toBe("make");
    await prove(second.visitor);
    const phone = await before({}, IPHONE);
    const page = (await phone.visitor.go("GET", "/way")).body;
    expect(page).toContain(QUESTION);
    expect(page).not.toContain(FURTHER);
    expect(page).not.toContain(FULL);
  });

  it("has three places here and no fourth, until one is given up", async () => {
    const devices = [
      await world.issue(tenant),
      await world.issue(tenant),
      await world.issue(tenant),
    ];
    // One that renews itself is in its place.
    await world.renew(devices[0] as Device);
    const refused = await ask({ place: "further" });
    expect(refused).toMatchObject({ status: 409, body: { type: "/problems/conflict" } });
    expect(refused.body.errors).toMatchObject([{ field: "place" }]);
    const { visitor } = await before();
    const page = (await visitor.go("GET", "/way")).body;
    expect(page).toContain(FULL);
    expect(page).toContain("お問い合わせ番号");
    expect(page).not.toContain(FURTHER);
    await choose(visitor, "further");
    expect(await visitor.state()).toBe("place");
    const named = await unnamed();
    const form = { offer: "受付1号機", takesOver: tenant.deviceId, place: "further" };
    const told = await named.visitor.go("POST", "/way/device", { form });
    expect([told.statusCode, told.body.includes(FULL)]).toEqual([200, true]);

    await world.call("POST", `/v1/certificates/${devices[2]?.serialNumber}/revoke`, {
      body: { reason: "cessationOfOperation" },
    });
    expect((await named.visitor.go("POST", "/way/device", { form })).statusCode).toBe(303);
    expect((await choose(visitor, "further")).statusCode).toBe(303);
    expect(await visitor.state()).toBe("make");
    await prove(visitor);
    // Of two who come to the last one at once the second names its machine anew.
    expect(await named.visitor.state()).toBe("name");
    expect((await named.visitor.csr()).statusCode).toBe(409);
  });
});

describe("a place that was asked for", () => {
  it("is not asked about again, and leaves the renewal of another place alone", async () => {
    const one = await world.issue(tenant);
    const renewal = await renewing(one);
    const { id, visitor } = await before({ place: "further" });
    expect(await look(id)).toMatchObject({ place: "further", reason: "first" });
    expect(await visitor.state()).toBe("make");
    expect(await renewal.state()).toBe("make");
    const two = await prove(visitor);
    const next = await prove(renewal);
    expect(await waiting()).toEqual(pairs([one], next));
    const places = await lineage();
    const [place] = places[one.serialNumber] ?? [];
    expect(places).toEqual({
      [one.serialNumber]: [place, false],
      [next.serialNumber]: [place, true],
      [two.serialNumber]: [place === 1 ? 2 : 1, true],
    });
  });

  it("takes the place of what the device has got since it was asked for", async () => {
    const { visitor } = await before({ place: "instead" });
    const since = await world.issue(tenant);
    pass();
    const instead = await prove(visitor);
    expect(await waiting()).toEqual(pairs([since], instead));
  });

  it("is the whole device's where that is what was said, and of nothing else but a device", async () => {
    const [one, two] = [await world.issue(tenant), await world.issue(tenant)];
    const renewal = await renewing(one);
    const { visitor } = await before({ place: "instead" });
    expect(await renewal.state()).toBe("replaced");
    expect(await visitor.state()).toBe("make");
    const instead = await prove(visitor);
    expect(await waiting()).toEqual(pairs([one, two], instead));
    const { pharmacyId } = tenant;
    for (const fields of [
      { place: "further", reason: "renewal" },
      { place: "further", deviceId: undefined, pharmacyId, count: 1 },
      { place: "elsewhere" },
    ])
      expect(await ask(fields)).toMatchObject({
        status: 400,
        body: { errors: [{ field: "place" }] },
      });
  });
});

it("renews each place by itself, side by side, and each ends only what was there", async () => {
  const [one, two] = [await world.issue(tenant), await world.issue(tenant)];
  const [first, second] = [await renewing(one), await renewing(two)];
  expect([await first.state(), await second.state()]).toEqual(["make", "make"]);
  const [nextOne, nextTwo] = [await prove(first), await prove(second)];
  expect(await waiting()).toEqual([...pairs([one], nextOne), ...pairs([two], nextTwo)].toSorted());
  const places = await lineage();
  for (const [old, next] of [
    [one, nextOne],
    [two, nextTwo],
  ] as const)
    expect(places[next.serialNumber]).toEqual([places[old.serialNumber]?.[0], true]);
  // Pressed again it is the same place, and the one before is over.
  const [again, once] = [await renewing(nextOne), await renewing(nextOne)];
  expect([await again.state(), await once.state()]).toEqual(["replaced", "make"]);
});

it("is renewed by the portal too: the newest, or the one that is named", async () => {
  const [one, two] = [await world.issue(tenant), await world.issue(tenant)];
  const renewal = { reason: "renewal" };
  for (const { serialNumber: replaces } of [one, two]) {
    const { id, visitor } = await before({ ...renewal, replaces });
    expect(await look(id)).toMatchObject({ state: "identified", reason: "renewal", replaces });
    await prove(visitor);
  }
  expect((await waiting()).map((line) => line.split(" ")[0])).toEqual(
    [one.serialNumber, two.serialNumber].toSorted(),
  );
  const stranger = await world.issue(await world.tenant("よその薬局"));
  const replaces = stranger.serialNumber;
  expect(await ask({ ...renewal, replaces })).toMatchObject({ status: 404 });
  for (const fields of [{ replaces }, { replaces, reason: "support" }])
    expect(await ask(fields)).toMatchObject({
      status: 400,
      body: { errors: [{ field: "replaces" }] },
    });
});

it("is asked for anew where its time was over, each as it was, whatever was asked for another place since", async () => {
  const [one, two] = [await world.issue(tenant), await world.issue(tenant)];
  const asked = [
    { reason: "renewal", replaces: one.serialNumber },
    { reason: "renewal", replaces: two.serialNumber },
    { place: "further" },
  ];
  const codes: string[] = [];
  for (const fields of asked) {
    const { body } = await ask(fields);
    codes.push((body as unknown as { code: string }).code);
    world.side.time.now = new Date(world.side.time.now.getTime() + 1000);
  }
  world.side.time.now = new Date(NOW.getTime() + 15 * 86_400_000);
  for (const code of codes) {
    const sent = await new Visitor(world.app).go("POST", "/start/anew", { form: { code } });
    expect([sent.statusCode, sent.body.includes("新しいご案内を送りました")]).toEqual([200, true]);
  }
  const { body } = await world.call(
    "GET",
    `/v1/enrolments?deviceId=${tenant.deviceId}&state=invited`,
  );
  expect(body.items).toHaveLength(3);
  for (const fields of asked) expect(body.items).toContainEqual(expect.objectContaining(fields));
});
