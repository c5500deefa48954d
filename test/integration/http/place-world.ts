import { expect } from "vitest";

import { insertParty } from "../../support/relying-parties.ts";
import { newKey, NOW } from "../ca/app-side.ts";
import { type CheckWorld, type Device, openCheckWorld } from "./check-world.ts";
import { askAs, soon } from "./proxy-questions.ts";
import { Visitor } from "./visitor.ts";
import type { Tenant } from "./world.ts";

export const LISTENER = "https://localhost:8443";
export const HTML = { accept: "text/html", "accept-language": "ja" };

export type Fields = Readonly<Record<string, unknown>>;

interface Invited {
  readonly id: string;
  readonly code: string;
}

interface Standing extends Invited {
  readonly visitor: Visitor;
}

/** Which certificates wait for which to be in use. */
export const pairs = (of: readonly Device[], by: Device): readonly string[] =>
  of.map(({ serialNumber }) => `${serialNumber} ${by.serialNumber}`).toSorted();

/** What a step on the way has to come to. */
const holds = (what: object, like: object): void => {
  expect(what).toMatchObject(like);
};

/** A world with a party that asks, and a pharmacy of its own for each test, whose one device gets certificates in several places. */
export class PlaceWorld {
  readonly world: CheckWorld;
  readonly #partyKey: string;
  #tenant: Tenant | undefined;
  #count = 0;

  private constructor(world: CheckWorld, partyKey: string) {
    this.world = world;
    this.#partyKey = partyKey;
  }

  static async open(): Promise<PlaceWorld> {
    const world = await openCheckWorld();
    return new PlaceWorld(world, (await insertParty(world.side.admin)).key);
  }

  /** The pharmacy of this test. */
  get tenant(): Tenant {
    if (this.#tenant === undefined) throw new Error("no test has begun");
    return this.#tenant;
  }

  /** One more pharmacy, and the clock as it was. */
  async next(): Promise<Tenant> {
    this.world.side.time.now = NOW;
    return (this.#tenant = await this.world.tenant(`薬局${(this.#count += 1)}`));
  }

  ask(fields: Fields = {}): ReturnType<CheckWorld["call"]> {
    const { accountId, deviceId } = this.tenant;
    return this.world.call("POST", "/v1/enrolments", { body: { accountId, deviceId, ...fields } });
  }

  async look(id: string): Promise<Fields> {
    return (await this.world.call("GET", `/v1/enrolments/${id}`)).body as unknown as Fields;
  }

  /** Somebody who is identified, before the device or, named, before a machine that nobody has registered. */
  async before(fields: Fields = {}, agent?: string): Promise<Standing> {
    const { body } = await this.ask(fields);
    return this.begun((body.items?.[0] ?? body) as unknown as Invited, agent);
  }

  /** The same enrolment, in one more browser. */
  async begun({ id, code }: Invited, agent?: string): Promise<Standing> {
    const visitor = new Visitor(this.world.app, agent);
    holds(await visitor.press({ code }), { statusCode: 303 });
    const { supportNumber } = await this.look(id);
    const said = { key: this.world.keys.support, body: { how: "telephone", supportNumber } };
    holds(await this.world.call("POST", `/v1/enrolments/${id}/confirm`, said), { status: 200 });
    return { id, code, visitor };
  }

  unnamed(agent?: string): Promise<Standing> {
    const { accountId, pharmacyId } = this.tenant;
    return this.before({ accountId, pharmacyId, deviceId: undefined, count: 1 }, agent);
  }

  /** A second, so that of two attempts of one enrolment one is the later. */
  pass(): void {
    const { time } = this.world.side;
    time.signer = new Date(time.signer.getTime() + 1000);
  }

  /** Certificate, check and proof. */
  async prove(visitor: Visitor): Promise<Device> {
    const key = newKey();
    const made = await visitor.csr(key);
    holds(made, { statusCode: 200 });
    const { certificate: cert } = made.json<{ certificate: string }>();
    const check = await visitor.go("POST", "/way/checks", { form: {} });
    const shown = await this.world.outcome(String(check.headers.location), { key, cert });
    holds(shown, { outcome: "proven" });
    return { key, cert, serialNumber: String(shown["serialNumber"]) };
  }

  /** The page that asks for a renewal, pressed on a device. */
  async renewing(client: Device): Promise<Visitor> {
    const asking = { client, method: "POST", headers: HTML };
    const reply = await this.world.visit(`${LISTENER}/renew`, asking);
    const visitor = new Visitor(this.world.app);
    await visitor.go("GET", new URL(String(reply.headers["location"])).pathname);
    return visitor;
  }

  /** Which certificates wait to be superseded, and by which. */
  async waiting(): Promise<readonly string[]> {
    const rows = await this.world.side.admin.query<{ line: string }>(
      `select encode(s.serial, 'hex') || ' ' || encode(s.successor, 'hex') as line from ca.supersession s
       join app.binding b on b.serial = s.serial where b.device_id = $1 order by 1`,
      [this.tenant.deviceId],
    );
    return rows.map(({ line }) => line);
  }

  /** Of each certificate its place, and whether it is the current one there. */
  async lineage(): Promise<Readonly<Record<string, readonly [unknown, unknown]>>> {
    const { deviceId } = this.tenant;
    const { body } = await this.world.call("GET", `/v1/devices/${deviceId}/certificates`);
    const items = body.items as unknown as readonly Fields[];
    return Object.fromEntries(
      items.map(({ serialNumber, place, current }) => [serialNumber, [place, current]]),
    ) as Record<string, [unknown, unknown]>;
  }

  /** What products and their proxies are told, and whom the listener sees in a real handshake. */
  async works(device: Device): Promise<void> {
    const { deviceId } = this.tenant;
    const { body } = await this.world.call("GET", `/v1/status/${device.serialNumber}`);
    holds(body, { status: "good", device: { id: deviceId } });
    await soon(async () => {
      const headers = { "x-ssl-client-cert": encodeURIComponent(device.cert) };
      const told = await askAs(this.world, this.#partyKey, headers);
      holds(told, {
        status: 200,
        headers: { "suido-device": deviceId, "suido-serial": device.serialNumber },
      });
    });
    const seen = await this.world.visit(`${LISTENER}/v1/whoami`, { client: device });
    holds([seen.status, JSON.parse(seen.text)], [200, { deviceId }]);
  }
}

/** What becomes of the certificates that the device has. */
export const choose = (visitor: Visitor, place: string): ReturnType<Visitor["go"]> =>
  visitor.go("POST", "/way/place", { form: { place } });
