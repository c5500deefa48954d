import { rmSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  type Asking,
  ForwardAuth,
  OpenConnection,
  pretendingToBe,
  toldBy,
} from "./forward-auth.ts";
import type { GateProcess } from "./gate-process.ts";
import {
  pageOf,
  type Proxy,
  type ProxyPlan,
  REFUSED,
  type Reply,
  talk,
  VERSIONS,
} from "./proxy.ts";
import type { Client } from "./proxy-clients.ts";
import { signalAll } from "./process-tree.ts";
import { eventually } from "./service.ts";

/** A recipe with which a proxy asks Suido for each request, and in what such recipes differ. */
export interface ForwardAuthRecipe {
  readonly planOf: (asking: Asking) => ProxyPlan;
  /** What the product is told besides, of whom is let in with a certificate. */
  readonly alsoTold?: (client: Client) => object;
  /** What who is refused gets: status and help page. Absent: 403, and the page as a file. */
  readonly refusals?: Readonly<Record<(typeof REFUSED)[number]["name"], string>>;
  /** Status and page, where pages are not those of deploy/help. */
  readonly pageOf?: (reply: Reply) => string;
  /** Forms of the recipe, and whether they take up sessions. */
  readonly sessions: readonly {
    readonly name: string;
    readonly edit?: (recipe: string) => string;
    readonly isReused: boolean;
  }[];
  /** Tests of its own, while Suido answers. */
  readonly describeMore?: (at: () => Stand) => void;
  /** What each client gets while Suido says that it cannot tell; absent: the same as when it is stopped. */
  readonly whileStale?: Readonly<Record<string, string>>;
  /** What each client gets while Suido hangs; absent: the same as when it is stopped. */
  readonly whileHanging?: Readonly<Record<string, string>>;
  /** What each client gets while Suido does not answer: "200", or status and help page. */
  readonly whileAway: Readonly<Record<string, string>>;
}

/** What the tests of one recipe share. */
export interface Stand {
  readonly forwardAuth: ForwardAuth;
  readonly proxy: Proxy;
}

const PATIENTLY = { timeout: 20_000, interval: 200 };

/** "200", or status and help page. */
const outcomesOf =
  (recipe: ForwardAuthRecipe) =>
  (reply: Reply): string =>
    reply.status === 200 ? "200" : (recipe.pageOf ?? pageOf)(reply);

const PAGES_WITH_403 = Object.fromEntries(REFUSED.map(({ name, page }) => [name, `403 ${page}`]));

function describeWhoPasses(at: () => Stand, recipe: ForwardAuthRecipe): void {
  const { alsoTold, refusals = PAGES_WITH_403 } = recipe;
  const outcomeOf = outcomesOf(recipe);
  const get = (name: string, ...more: string[]): ReturnType<Proxy["get"]> =>
    at().proxy.get(at().forwardAuth.clients.get(name), ...more);
  const good = (): Client => at().forwardAuth.clients.get("good") as Client;

  it("lets a good certificate in, and tells the product whose it is, and nothing that the client says", async () => {
    const { deviceId, accountId, pharmacyId, corporationId } = at().forwardAuth.clients.world;
    const forged = pretendingToBe(at().forwardAuth.clients.get("foreign") as Client);
    expect(toldBy(await get("good", ...forged))).toEqual({
      "suido-stage": "enforce",
      "suido-device": deviceId,
      "suido-account": accountId,
      "suido-pharmacy": pharmacyId,
      "suido-corporation": corporationId,
      "suido-serial": good().serialNumber,
      "suido-days-left": expect.stringMatching(/^(?:39|40)\d$/) as string,
      ...alsoTold?.(good()),
    });
  });

  it("lets no client take away what the product is told", async () => {
    const dropped = "Connection: close, Suido-Device, suido-account, X-Forwarded-Tls-Client-Cert";
    const told = toldBy(await get("good", "--http1.1", "--header", dropped));
    const { deviceId, accountId } = at().forwardAuth.clients.world;
    expect(told).toMatchObject({ "suido-device": deviceId, "suido-account": accountId });
  });

  it("hands on method, address and body as they are", async () => {
    const reply = await get("good", "--data", "a=b");
    expect(JSON.parse(reply.body)).toMatchObject({
      url: "/",
      headers: { "content-length": "3", "content-type": "application/x-www-form-urlencoded" },
    });
  });

  it.for(Object.entries(refusals))("gives who comes with %s the page: %s", async ([name, page]) => {
    expect(outcomeOf(await get(name))).toBe(page);
    // By HTTP/2 a proxy may end a request as soon as it is answered (RFC 9113 §8.1); curl 7.88 loses the answer then.
    expect(outcomeOf(await get(name, "--data", "a=b", "--http1.1"))).toBe(page);
  });

  it.for(Object.entries(refusals))(
    "believes who comes with %s no field of a good one: %s",
    async (refusal) => {
      const [name, page] = refusal;
      expect(outcomeOf(await get(name, ...pretendingToBe(good())))).toBe(page);
    },
  );

  it("gives who shows the one before, once that is superseded, the page: 403 replaced", async () => {
    const { clients } = at().forwardAuth;
    const { serialNumber } = await clients.issue("replaced");
    await clients.service.revoke(serialNumber, "superseded");
    await expect.poll(async () => outcomeOf(await get("replaced")), PATIENTLY).toBe("403 replaced");
  });

  it("says that the page is HTML, and is to be kept by nobody", async () => {
    const { body } = await get("none", "--include");
    expect(body).toMatch(/^content-type: text\/html; charset=utf-8\r$/im);
    expect(body).toMatch(/^cache-control: no-store\r$/im);
  });

  it("lets in under observe, with the reason and no name", async () => {
    const { forwardAuth } = at();
    const observer = await forwardAuth.start(await forwardAuth.identity("observe"));
    const told = async (): Promise<object> =>
      toldBy(await observer.get(undefined, ...pretendingToBe(good())));
    await expect
      .poll(told, { timeout: 10_000 })
      .toEqual({ "suido-stage": "observe", "suido-reason": "no-certificate" });
    await observer.dispose();
  });

  it("lets nobody in whose proxy Suido does not know", async () => {
    const unknown = await at().forwardAuth.start(at().forwardAuth.unknown());
    expect(outcomeOf(await unknown.get(good()))).toBe("403 other");
    expect(await unknown.get(undefined)).toMatchObject({ status: 403 });
    await unknown.dispose();
  });
}

function describeRevocation(at: () => Stand, recipe: ForwardAuthRecipe): void {
  const { sessions } = recipe;
  const outcomeOf = outcomesOf(recipe);
  it("refuses who is revoked at the next request on the same connection, and lets who is released in again", async () => {
    const { forwardAuth, proxy } = at();
    const { service } = forwardAuth.clients;
    const client = await forwardAuth.clients.issue("held meanwhile");
    const connection = new OpenConnection(proxy, client);
    try {
      expect(await connection.get()).toMatchObject({ status: 200, isReused: false });
      await service.revoke(client.serialNumber, "certificateHold");
      const next = async (): Promise<unknown> => {
        const reply = await connection.get();
        return [reply.isReused, outcomeOf(reply)];
      };
      await expect.poll(next, { timeout: 10_000 }).toEqual([true, "403 revoked"]);
      await service.unhold(client.serialNumber);
      await expect.poll(next, { timeout: 10_000 }).toEqual([true, "200"]);
    } finally {
      connection.close();
    }
  });

  it.for(sessions)("refuses who is revoked on a session of before: $name", async (form) => {
    const { forwardAuth } = at();
    const { edit, isReused } = form;
    const identity = await forwardAuth.identity();
    const proxy = await forwardAuth.start(identity, edit === undefined ? {} : { edit });
    const leaver = await forwardAuth.clients.issue(`leaver, ${form.name}`);
    const kept = VERSIONS.map((version) => ({ version, file: proxy.file(`${version}.session`) }));
    for (const session of kept)
      expect(await talk(proxy.port, leaver, session)).toMatchObject({ status: 200 });
    for (const session of kept)
      expect(await talk(proxy.port, leaver, session)).toMatchObject({ status: 200, isReused });
    await forwardAuth.clients.service.revoke(leaver.serialNumber);
    const now = async (): Promise<string> => outcomeOf(await proxy.get(leaver));
    await expect.poll(now, { timeout: 10_000 }).toBe("403 revoked");
    for (const session of kept)
      expect(await talk(proxy.port, leaver, session)).toMatchObject({ status: 403, isReused });
    await proxy.dispose();
  });
}

/**
 * What recipes do besides that have lists in a file. `takeLists` puts those in force that are published now, by
 * `suido gate`. Who is put on them here is "on the lists".
 */
export function describeLists(
  at: () => Stand,
  takeLists: (proxy: Proxy, gate: GateProcess) => Promise<void>,
): void {
  it("takes the lists that gate brings", async () => {
    const { forwardAuth, proxy } = at();
    const { clients } = forwardAuth;
    const leaver = await clients.issue("on the lists");
    await clients.revoke(leaver);
    await takeLists(proxy, await clients.gate(proxy.folder));
    expect(pageOf(await proxy.get(leaver))).toBe("403 revoked");
  });

  it("gives who shows a certificate the page other when the lists have expired", async () => {
    const { forwardAuth } = at();
    const prefix = ["faketime", "-f", "+8d"];
    const proxy = await forwardAuth.start(await forwardAuth.identity(), { prefix });
    expect(pageOf(await proxy.get(forwardAuth.clients.get("good")))).toBe("403 other");
    expect(pageOf(await proxy.get(undefined))).toBe("403 none");
    await proxy.dispose();
  });

  it("does not start without the lists", async () => {
    const { forwardAuth } = at();
    const proxy = await forwardAuth.prepare(await forwardAuth.identity());
    rmSync(proxy.file("current/lists.pem"));
    const { code, text } = await proxy.refuseToStart();
    expect(code).not.toBe(0);
    expect(text).toContain("lists.pem");
    await proxy.dispose();
  });
}

/** What such recipes do while Suido is stopped. */
export function describeByListsAlone(at: () => Stand): void {
  it("tells the product nothing of who goes on by the lists alone, whatever the client says", async () => {
    const { forwardAuth, proxy } = at();
    const good = forwardAuth.clients.get("good") as Client;
    const forged = pretendingToBe(forwardAuth.clients.get("foreign") as Client);
    expect(toldBy(await proxy.get(good, ...forged))).toEqual({
      "x-client-serial": good.serialNumber.toUpperCase(),
    });
  });
}

function describeAway(at: () => Stand, recipe: ForwardAuthRecipe): void {
  const { whileAway, whileHanging = whileAway, whileStale = whileAway } = recipe;
  const outcomeOf = outcomesOf(recipe);
  const all = async (names: readonly string[]): Promise<Record<string, string>> => {
    const { forwardAuth, proxy } = at();
    const seen = names.map(async (name) => {
      const reply = await proxy.get(forwardAuth.clients.get(name));
      return [name, outcomeOf(reply)] as const;
    });
    return Object.fromEntries(await Promise.all(seen));
  };

  it("lets nobody in by mistake while Suido is too long without its database", async () => {
    const { forwardAuth, proxy } = at();
    const { service } = forwardAuth.clients;
    const { apiKey: key } = await forwardAuth.identity();
    await service.stop();
    await service.start({ SUIDO_MAX_STALE: "3s" });
    const good = forwardAuth.clients.get("good");
    const told = async (): Promise<object> => toldBy(await proxy.get(good));
    await expect.poll(told, PATIENTLY).toHaveProperty("suido-device");
    const { postgres } = service.processes();
    signalAll(postgres, "SIGSTOP");
    try {
      const asked = async (): Promise<number> =>
        (await service.call("GET", "/v1/authorize", { key })).status;
      await expect.poll(asked, PATIENTLY).toBe(503);
      expect(await all(Object.keys(whileStale))).toEqual(whileStale);
    } finally {
      signalAll(postgres, "SIGCONT");
    }
    await expect.poll(told, PATIENTLY).toHaveProperty("suido-device");
  }, 90_000);

  it("nor while it hangs, and asks it again afterwards", async () => {
    const { forwardAuth, proxy } = at();
    const { pid } = forwardAuth.clients.service;
    process.kill(pid, "SIGSTOP");
    try {
      expect(await all(Object.keys(whileHanging))).toEqual(whileHanging);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    const good = forwardAuth.clients.get("good");
    const told = async (): Promise<object> => toldBy(await proxy.get(good));
    await expect.poll(told, PATIENTLY).toHaveProperty("suido-device");
  });

  it("nor while it is stopped", async () => {
    await at().forwardAuth.clients.service.stop();
    expect(await all(Object.keys(whileAway))).toEqual(whileAway);
  });
}

/** What every recipe for forward auth does. Suido is stopped at the end. */
export function describeForwardAuth(recipe: ForwardAuthRecipe): () => Stand {
  let stand: Stand | undefined;
  const at = (): Stand => {
    if (stand === undefined) throw new Error("nothing has been started");
    return stand;
  };
  beforeAll(async () => {
    const forwardAuth = await ForwardAuth.open(recipe.planOf);
    const proxy = await forwardAuth.start(await forwardAuth.identity());
    stand = { forwardAuth, proxy };
    // What was registered and revoked a moment ago is known everywhere.
    const { clients } = forwardAuth;
    const statusOf = async (name: string): Promise<number> =>
      (await proxy.get(clients.get(name))).status;
    await eventually(
      async () => [await statusOf("good"), await statusOf("held")],
      ([good, held]) => good === 200 && held === 403,
    );
  });
  afterAll(() => stand?.forwardAuth.dispose());
  describe("who passes", () => {
    describeWhoPasses(at, recipe);
  });
  describe("a revocation", () => {
    describeRevocation(at, recipe);
  });
  recipe.describeMore?.(at);
  describe("Suido away", () => {
    describeAway(at, recipe);
  });
  return at;
}
