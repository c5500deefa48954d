import { expect, it } from "vitest";

import { type Asking, pretendingToBe, toldBy } from "../support/forward-auth.ts";
import { describeForwardAuth, describeLists } from "../support/forward-auth-contract.ts";
import { nginxPlan } from "../support/nginx-plan.ts";
import type { ProxyPlan } from "../support/proxy.ts";
import type { Client } from "../support/proxy-clients.ts";

/** The recipe without its lines against resumed sessions. */
const careless = (recipe: string): string =>
  recipe
    .replace("ssl_session_tickets off;", "")
    .replace(/ssl_session_cache +off;/, "ssl_session_cache shared:tls:1m;");

const planOf = ({ suido, key, productUrl }: Asking): ProxyPlan =>
  nginxPlan(
    "deploy/nginx/recommended.conf",
    { SUIDO: suido, PRODUCT_URL: productUrl },
    { files: { "key.conf": `proxy_set_header Authorization "Bearer ${key}";\n` } },
  );

const at = describeForwardAuth({
  planOf,
  alsoTold: ({ serialNumber }) => ({ "x-client-serial": serialNumber.toUpperCase() }),
  sessions: [
    { name: "there are none", isReused: false },
    { name: "nor would they do harm", edit: careless, isReused: true },
  ],
  describeMore: describeLists,
  whileAway: {
    good: "200",
    revoked: "403 revoked",
    held: "403 revoked",
    expired: "403 expired",
    foreign: "403 other",
    none: "403 none",
  },
});

it("tells the product nothing of who goes on by the lists alone, whatever the client says", async () => {
  const { forwardAuth, proxy } = at();
  const good = forwardAuth.clients.get("good") as Client;
  const forged = pretendingToBe(forwardAuth.clients.get("foreign") as Client);
  expect(toldBy(await proxy.get(good, ...forged))).toEqual({
    "x-client-serial": good.serialNumber.toUpperCase(),
  });
});
