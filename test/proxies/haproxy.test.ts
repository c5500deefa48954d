import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { text } from "node:stream/consumers";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

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
  await clients.layOut(proxy.folder);
  await proxy.start();
  return proxy;
}

/** One command of the runtime API, and its answer. */
async function command(proxy: Proxy, words: string): Promise<string> {
  const socket = connect(proxy.file("haproxy.sock"));
  await once(socket, "connect");
  socket.end(`${words}\n`);
  return text(socket);
}

/** Puts the published lists in force as `suido gate` does it: without a reload. */
async function takeLists(proxy: Proxy): Promise<string> {
  await clients.layOut(proxy.folder);
  const file = proxy.file("current/lists.pem");
  // An empty line ends what is handed over.
  const lists = readFileSync(file, "utf8").replaceAll(/\n+/g, "\n").trimEnd();
  const set = await command(proxy, `set ssl crl-file ${file} <<\n${lists}\n`);
  return set + (await command(proxy, `commit ssl crl-file ${file}`));
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
      expect(await takeLists(proxy)).toContain("Success!");
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

it("lets who has a list in hand go on while the clock is 8 s behind", async () => {
  const proxy = await started({ prefix: ["faketime", "-f", "-8s"] });
  try {
    expect(await proxy.get(await clients.issue("new"))).toMatchObject({ status: 200 });
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
