import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

import type { Asking } from "../support/forward-auth.ts";
import {
  describeByListsAlone,
  describeForwardAuth,
  describeLists,
} from "../support/forward-auth-contract.ts";
import type { GateProcess } from "../support/gate-process.ts";
import { pageOf, type Proxy, type ProxyPlan, REFUSED } from "../support/proxy.ts";

/** The recipe without its lines against resumed sessions. */
const careless = (recipe: string): string =>
  recipe.replace(/^ *tune.ssl.cachesize 0$/m, "").replace("no-tls-tickets ", "");

const planOf = ({ suido, identity, productUrl }: Asking): ProxyPlan => ({
  recipe: "deploy/haproxy/recommended.cfg",
  words: { SUIDO: suido, PRODUCT: new URL(productUrl).host },
  files: {
    "authorize.lua": readFileSync("deploy/haproxy/authorize.lua", "utf8"),
    "suido.key": `${identity.apiKey}\n`,
  },
  command: (file) => ["/usr/sbin/haproxy", "-W", "-db", "-f", file("recipe.conf")],
});

async function takeLists(proxy: Proxy, gate: GateProcess): Promise<void> {
  const socket = proxy.file("haproxy.sock");
  expect(await gate.once("--haproxy", socket)).toMatchObject({ code: 0 });
}

const at = describeForwardAuth({
  planOf,
  alsoTold: ({ serialNumber }) => ({ "x-client-serial": serialNumber.toUpperCase() }),
  sessions: [
    { name: "there are none", isReused: false },
    { name: "nor would they do harm", edit: careless, isReused: true },
  ],
  describeMore: (stand) => {
    describeLists(stand, takeLists);
    // HAProxy would end the request with CANCEL, which says that the answer counts for nothing.
    it.for(REFUSED)("hears out who comes with $name by HTTP/2", async ({ name, page }) => {
      const { forwardAuth, proxy } = stand();
      const client = forwardAuth.clients.get(name);
      for (let asked = 0; asked < 5; asked++) {
        const reply = await proxy.get(client, "--http2", "--data", "a=b");
        expect(pageOf(reply)).toBe(`403 ${page}`);
      }
    });
  },
  whileAway: {
    "on the lists": "403 revoked",
    good: "200",
    revoked: "403 revoked",
    held: "403 revoked",
    expired: "403 expired",
    foreign: "403 other",
    none: "403 none",
  },
});

describeByListsAlone(at);
