import { rmSync } from "node:fs";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Ended } from "../support/gate-process.ts";
import {
  acceptedBy,
  pageOf,
  Proxy,
  type ProxyPlan,
  REFUSED,
  talk,
  VERSIONS,
} from "../support/proxy.ts";
import { ProxyClients } from "../support/proxy-clients.ts";

let clients: ProxyClients;
let haproxy: Proxy;

function planOf(more: Partial<ProxyPlan> = {}): ProxyPlan {
  return {
    recipe: "deploy/haproxy/crl.cfg",
    words: { PRODUCT: new URL(clients.productUrl).host },
    command: (file) => ["/usr/sbin/haproxy", "-W", "-db", "-f", file("recipe.conf")],
    ...more,
  };
}

async function started(more: Partial<ProxyPlan> = {}): Promise<Proxy> {
  const proxy = await Proxy.prepare(planOf(more));
  const gate = await clients.gate(proxy.folder);
  expect(await gate.once()).toMatchObject({ code: 0 });
  await proxy.start();
  return proxy;
}

/** Puts the published lists in force by `suido gate`, without a reload. */
async function takeLists(proxy: Proxy, ...more: readonly string[]): Promise<Ended> {
  const gate = await clients.gate(proxy.folder, "--haproxy", proxy.file("haproxy.sock"));
  return gate.once("--json", ...more);
}

beforeAll(async () => {
  clients = await ProxyClients.open();
  haproxy = await started();
});

afterAll(async () => {
  await haproxy.dispose();
  await clients.dispose();
});

it("accepts a good certificate, and tells the product whose it is whatever the client says", async () => {
  const good = clients.get("good");
  const told = acceptedBy(await haproxy.get(good, "--header", "X-Client-Serial: 00"));
  expect(told).toMatchObject({
    "x-client-serial": good?.serialNumber.toUpperCase(),
    "x-client-verify": "SUCCESS",
  });
});

it.for(REFUSED)("gives who comes with $name the page $page", async ({ name, page }) => {
  expect(pageOf(await haproxy.get(clients.get(name)))).toBe(`403 ${page}`);
  expect(pageOf(await haproxy.get(clients.get(name), "--data", "a=b"))).toBe(`403 ${page}`);
});

/** The recipe without its lines against resumed sessions. */
const careless = (recipe: string): string =>
  recipe.replace(/^ *tune.ssl.cachesize 0$/m, "").replace("no-tls-tickets ", "");

describe("a session of before the revocation", () => {
  it.for([
    {
      name: "is not taken up again",
      edit: (recipe: string) => recipe,
      after: { status: 403, isReused: false },
    },
    { name: "would be, without our lines", edit: careless, after: { status: 200, isReused: true } },
  ])("$name", async ({ edit, after }) => {
    const proxy = await started({ edit });
    try {
      const leaver = await clients.issue("leaver");
      const sessions = VERSIONS.map((version) => ({
        version,
        file: proxy.file(`${version}.session`),
      }));
      for (const session of sessions)
        expect(await talk(proxy.port, leaver, session)).toMatchObject({ status: 200 });
      await clients.revoke(leaver);
      const workers = proxy.workers();
      expect(await takeLists(proxy)).toMatchObject({ code: 0 });
      for (const session of sessions)
        expect(await talk(proxy.port, leaver, session)).toMatchObject(after);
      // A list by the runtime API needs no reload, and a new handshake knows it at once.
      expect(proxy.workers()).toEqual(workers);
      expect(pageOf(await proxy.get(leaver))).toBe("403 revoked");
    } finally {
      await proxy.dispose();
    }
  });
});

describe("suido gate beside HAProxy", () => {
  it("reloads where the lists do not fit into HAProxy's buffer", async () => {
    const proxy = await started();
    try {
      const buffer = ["--haproxy-buffer", "1500"];
      const alone = await takeLists(proxy, ...buffer);
      expect(alone.code).toBe(1);
      expect(JSON.parse(alone.stdout)).toMatchObject({ lastError: { code: "payload-too-large" } });
      const reload = ["--reload", `/bin/kill -USR2 ${proxy.pid}`];
      await proxy.untilNewWorkers(async () => {
        expect(await takeLists(proxy, ...buffer, ...reload)).toMatchObject({ code: 0 });
      });
      expect(await proxy.get(clients.get("good"))).toMatchObject({ status: 200 });
    } finally {
      await proxy.dispose();
    }
  });

  it.for([
    {
      name: "no file of this name",
      options: ["--crl-file", "/other/lists.pem"],
      says: "lists.pem",
    },
    { name: "no socket there", options: ["--haproxy", "/no/such.sock"], says: "/no/such.sock" },
  ])("says that nothing is in force when there is $name", async ({ options, says }) => {
    const proxy = await started();
    try {
      const ended = await takeLists(proxy, ...options);
      expect(ended.code).toBe(1);
      const message = expect.stringContaining(says) as string;
      expect(JSON.parse(ended.stdout)).toMatchObject({
        lastError: { code: "runtime-api-failed", message },
      });
      expect(await takeLists(proxy)).toMatchObject({ code: 0 });
      expect(await proxy.get(clients.get("good"))).toMatchObject({ status: 200 });
    } finally {
      await proxy.dispose();
    }
  });
});

it("lets who has a list in hand go on while the clock is 8 s behind", async () => {
  const proxy = await started({ prefix: ["faketime", "-f", "-8s"] });
  try {
    expect(await proxy.get(await clients.issue("new"))).toMatchObject({ status: 200 });
  } finally {
    await proxy.dispose();
  }
});

it("works on while the lists live", async () => {
  const proxy = await started({ prefix: ["faketime", "-f", "+6d"] });
  try {
    expect(await proxy.get(clients.get("good"))).toMatchObject({ status: 200 });
    expect(pageOf(await proxy.get(clients.get("revoked")))).toBe("403 revoked");
  } finally {
    await proxy.dispose();
  }
});

it("gives everybody the page other when the lists have expired", async () => {
  const proxy = await started({ prefix: ["faketime", "-f", "+8d"] });
  try {
    expect(pageOf(await proxy.get(clients.get("good")))).toBe("403 other");
  } finally {
    await proxy.dispose();
  }
});

it("gives everybody the page other when one list is missing", async () => {
  const proxy = await Proxy.prepare(planOf());
  try {
    await clients.layOutWithoutRootList(proxy.folder);
    await proxy.start();
    expect(pageOf(await proxy.get(clients.get("good")))).toBe("403 other");
  } finally {
    await proxy.dispose();
  }
});

it("does not start without the lists", async () => {
  const proxy = await Proxy.prepare(planOf());
  try {
    await clients.layOut(proxy.folder);
    rmSync(proxy.file("current/lists.pem"));
    const { code, text: said } = await proxy.refuseToStart();
    expect(code).not.toBe(0);
    expect(said).toContain("lists.pem");
  } finally {
    await proxy.dispose();
  }
});
