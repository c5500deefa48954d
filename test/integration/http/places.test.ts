import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { NOW } from "../ca/app-side.ts";
import type { CheckWorld, Device } from "./check-world.ts";
import { choose, HTML, LISTENER, pairs, PlaceWorld } from "./place-world.ts";
import { Visitor } from "./visitor.ts";
import type { Tenant } from "./world.ts";

const QUESTION = "この端末には、もう証明書があります";
const FURTHER = 'name="place" value="further"';
const FULL = "この端末には、これ以上入れられません";
const IPHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1";

let here: PlaceWorld;
let world: CheckWorld;
let tenant: Tenant;

beforeAll(async () => {
  here = await PlaceWorld.open();
  world = here.world;
});
beforeEach(async () => {
  tenant = await here.next();
});
afterAll(() => world.close());

describe("a device that has a certificate in use", () => {
  it("asks whether it is another user's or browser's, and then both work, in places of their own", async () => {
    const one = await world.issue(tenant);
    const { id, visitor } = await here.before();
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
    expect(await here.look(id)).toMatchObject({ place: "further" });
    // A first attempt that never arrives is no place.
    expect((await visitor.csr()).statusCode).toBe(200);
    here.pass();
    const two = await here.prove(visitor);
    expect(await here.waiting()).toEqual([]);
    for (const device of [one, two]) await here.works(device);
    const places = await here.lineage();
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
    expect(await here.look(id)).toMatchObject({ place: "further" });
  });

  it("may be another machine: then all its places end after the proof, however often it was changed before", async () => {
    const [one, two] = [await world.issue(tenant), await world.issue(tenant)];
    const { id, visitor } = await here.before({ reason: "replacement" });
    await choose(visitor, "further");
    await choose(visitor, "instead");
    expect(await visitor.state()).toBe("make");
    expect(await here.look(id)).toMatchObject({ place: "instead" });
    expect((await visitor.csr()).statusCode).toBe(200);
    expect(await here.waiting()).toEqual([]);
    here.pass();
    const instead = await here.prove(visitor);
    expect(await here.waiting()).toEqual(pairs([one, two], instead));
    for (const device of [one, two, instead]) await here.works(device);
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
    const next = await here.prove(await here.renewing(instead));
    expect(await here.waiting()).toEqual(
      [...pairs([one, two], instead), ...pairs([one, two, instead], next)].toSorted(),
    );
  });

  it("is asked about again in another browser, unless whoever has invited them has said it", async () => {
    const one = await world.issue(tenant);
    const first = await here.before();
    await choose(first.visitor, "instead");
    expect((await first.visitor.csr()).statusCode).toBe(200);
    here.pass();
    const { visitor } = await here.begun(first);
    expect(await here.look(first.id)).not.toHaveProperty("place");
    expect(await visitor.state()).toBe("place");
    expect((await visitor.csr()).statusCode).toBe(409);
    await choose(visitor, "further");
    await here.prove(visitor);
    expect(await here.waiting()).toEqual([]);
    await here.works(one);
    const said = await here.before({ place: "instead" });
    expect(await (await here.begun(said)).visitor.state()).toBe("make");
  });

  it("is asked about by its name too: the same machine keeps what it has", async () => {
    const one = await world.issue(tenant);
    const { deviceId } = tenant;
    const { id, visitor } = await here.unnamed();
    const form = { offer: "受付1号機" };
    const asked = await visitor.go("POST", "/way/device", { form });
    expect(asked.body).toContain("この端末に入れ替えますか");
    expect(asked.body).toContain(FURTHER);
    const said = { form: { ...form, takesOver: deviceId, place: "further" } };
    expect((await visitor.go("POST", "/way/device", said)).statusCode).toBe(303);
    const two = await here.prove(visitor);
    expect(await here.look(id)).toMatchObject({ state: "proven", deviceId, place: "further" });
    expect(await here.waiting()).toEqual([]);
    for (const device of [one, two]) await here.works(device);
    const [device] = await world.side.admin.query("select name from app.device where id = $1", [
      deviceId,
    ]);
    expect(device).toEqual({ name: "受付1号機" });

    // The next one is a new machine: it takes the place of both.
    const machine = await here.unnamed();
    await machine.visitor.go("POST", "/way/device", { form: { ...form, takesOver: deviceId } });
    const three = await here.prove(machine.visitor);
    expect(await here.waiting()).toEqual(pairs([one, two], three));
  });

  it("is not asked about where nothing of it is in use, nor taken for a machine of another kind", async () => {
    const first = await here.before();
    expect((await first.visitor.csr()).statusCode).toBe(200);
    // Left there: nobody has proven it.
    const second = await here.before();
    expect(await second.visitor.state()).toBe("make");
    await here.prove(second.visitor);
    const phone = await here.before({}, IPHONE);
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
    const refused = await here.ask({ place: "further" });
    expect(refused).toMatchObject({ status: 409, body: { type: "/problems/conflict" } });
    expect(refused.body.errors).toMatchObject([{ field: "place" }]);
    const { visitor } = await here.before();
    const page = (await visitor.go("GET", "/way")).body;
    expect(page).toContain(FULL);
    expect(page).toContain("お問い合わせ番号");
    expect(page).not.toContain(FURTHER);
    await choose(visitor, "further");
    expect(await visitor.state()).toBe("place");
    const named = await here.unnamed();
    const form = { offer: "受付1号機", takesOver: tenant.deviceId, place: "further" };
    const told = await named.visitor.go("POST", "/way/device", { form });
    expect([told.statusCode, told.body.includes(FULL)]).toEqual([200, true]);

    await world.call("POST", `/v1/certificates/${devices[2]?.serialNumber}/revoke`, {
      body: { reason: "cessationOfOperation" },
    });
    expect((await named.visitor.go("POST", "/way/device", { form })).statusCode).toBe(303);
    expect((await choose(visitor, "further")).statusCode).toBe(303);
    expect(await visitor.state()).toBe("make");
    await here.prove(visitor);
    // Of two who come to the last one at once the second names its machine anew.
    expect(await named.visitor.state()).toBe("name");
    expect((await named.visitor.csr()).statusCode).toBe(409);
  });
});

describe("a place that was asked for", () => {
  it("is not asked about again, and leaves the renewal of another place alone", async () => {
    const one = await world.issue(tenant);
    const renewal = await here.renewing(one);
    const { id, visitor } = await here.before({ place: "further" });
    expect(await here.look(id)).toMatchObject({ place: "further", reason: "first" });
    expect(await visitor.state()).toBe("make");
    expect(await renewal.state()).toBe("make");
    const two = await here.prove(visitor);
    const next = await here.prove(renewal);
    expect(await here.waiting()).toEqual(pairs([one], next));
    const places = await here.lineage();
    const [place] = places[one.serialNumber] ?? [];
    expect(places).toEqual({
      [one.serialNumber]: [place, false],
      [next.serialNumber]: [place, true],
      [two.serialNumber]: [place === 1 ? 2 : 1, true],
    });
  });

  it("takes the place of what the device has got since it was asked for", async () => {
    const { visitor } = await here.before({ place: "instead" });
    const since = await world.issue(tenant);
    here.pass();
    const instead = await here.prove(visitor);
    expect(await here.waiting()).toEqual(pairs([since], instead));
  });

  it("is the whole device's where that is what was said, and of nothing else but a device", async () => {
    const [one, two] = [await world.issue(tenant), await world.issue(tenant)];
    const renewal = await here.renewing(one);
    const { visitor } = await here.before({ place: "instead" });
    expect(await renewal.state()).toBe("replaced");
    // The old machine's script comes by night, and throws nobody out at the new one.
    const [night, nightToo] = [await here.renewing(one), await here.renewing(two)];
    for (const each of [visitor, night, nightToo]) expect(await each.state()).toBe("make");
    expect((await night.csr()).statusCode).toBe(200);
    here.pass();
    const instead = await here.prove(visitor);
    const ended = await here.waiting();
    for (const pair of pairs([one, two], instead)) expect(ended).toContain(pair);
    expect(ended).toHaveLength(3);
    const { pharmacyId } = tenant;
    for (const fields of [
      { place: "further", reason: "renewal" },
      { place: "further", deviceId: undefined, pharmacyId, count: 1 },
      { place: "elsewhere" },
    ])
      expect(await here.ask(fields)).toMatchObject({
        status: 400,
        body: { errors: [{ field: "place" }] },
      });
  });
});

it("renews each place by itself, side by side, and each ends only what was there", async () => {
  const [one, two] = [await world.issue(tenant), await world.issue(tenant)];
  const [first, second] = [await here.renewing(one), await here.renewing(two)];
  expect([await first.state(), await second.state()]).toEqual(["make", "make"]);
  const [nextOne, nextTwo] = [await here.prove(first), await here.prove(second)];
  expect(await here.waiting()).toEqual(
    [...pairs([one], nextOne), ...pairs([two], nextTwo)].toSorted(),
  );
  const places = await here.lineage();
  for (const [old, next] of [
    [one, nextOne],
    [two, nextTwo],
  ] as const)
    expect(places[next.serialNumber]).toEqual([places[old.serialNumber]?.[0], true]);
  // Pressed again it is the same place, and the one before is over.
  const [again, once] = [await here.renewing(nextOne), await here.renewing(nextOne)];
  expect([await again.state(), await once.state()]).toEqual(["replaced", "make"]);
});

it("is renewed by the portal too: the newest, or the one that is named", async () => {
  const [one, two] = [await world.issue(tenant), await world.issue(tenant)];
  const renewal = { reason: "renewal" };
  for (const { serialNumber: replaces } of [one, two]) {
    const { id, visitor } = await here.before({ ...renewal, replaces });
    expect(await here.look(id)).toMatchObject({ state: "identified", reason: "renewal", replaces });
    await here.prove(visitor);
  }
  expect((await here.waiting()).map((line) => line.split(" ")[0])).toEqual(
    [one.serialNumber, two.serialNumber].toSorted(),
  );
  const stranger = await world.issue(await world.tenant("よその薬局"));
  const replaces = stranger.serialNumber;
  expect(await here.ask({ ...renewal, replaces })).toMatchObject({ status: 404 });
  for (const fields of [{ replaces }, { replaces, reason: "support" }])
    expect(await here.ask(fields)).toMatchObject({
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
    const { body } = await here.ask(fields);
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
