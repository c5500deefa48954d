import { expect } from "vitest";

import type { Asking } from "../support/forward-auth.ts";
import {
  describeByListsAlone,
  describeForwardAuth,
  describeLists,
} from "../support/forward-auth-contract.ts";
import type { GateProcess } from "../support/gate-process.ts";
import { nginxPlan, nginxReloads } from "../support/nginx-plan.ts";
import type { Proxy, ProxyPlan } from "../support/proxy.ts";

/** The recipe without its lines against resumed sessions. */
const careless = (recipe: string): string =>
  recipe
    .replace("ssl_session_tickets off;", "")
    .replace(/ssl_session_cache +off;/, "ssl_session_cache shared:tls:1m;");

const planOf = ({ suido, identity, productUrl }: Asking): ProxyPlan =>
  nginxPlan(
    "deploy/nginx/recommended.conf",
    { SUIDO: suido, PRODUCT_URL: productUrl },
    { files: { "key.conf": `proxy_set_header Authorization "Bearer ${identity.apiKey}";\n` } },
  );

async function takeLists(proxy: Proxy, gate: GateProcess): Promise<void> {
  await proxy.untilNewWorkers(async () => {
    expect(await gate.once(...nginxReloads(proxy))).toMatchObject({ code: 0 });
  });
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
