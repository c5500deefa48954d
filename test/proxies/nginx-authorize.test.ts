import { expect, it } from "vitest";

import { toldBy } from "../support/forward-auth.ts";
import { describeForwardAuth } from "../support/forward-auth-contract.ts";
import { nginxPlan } from "../support/nginx-plan.ts";
import { standIn } from "../support/night.ts";
import { pageOf } from "../support/proxy.ts";

/** The recipe without its lines against resumed sessions. */
const careless = (recipe: string): string =>
  recipe
    .replace("ssl_session_tickets off;", "")
    .replace(/ssl_session_cache +off;/, "ssl_session_cache shared:tls:1m;");

describeForwardAuth({
  planOf: ({ suido, identity, productUrl }) =>
    nginxPlan(
      "deploy/nginx/authorize.conf",
      { SUIDO: suido, PRODUCT_URL: productUrl },
      { files: { "key.conf": `proxy_set_header Authorization "Bearer ${identity.apiKey}";\n` } },
    ),
  describeMore: (at) => {
    it(
      "lets in the machine that stands in for a night, and tells the product that it does",
      { timeout: 90_000 },
      async () => {
        const { forwardAuth, proxy } = at();
        const machine = await standIn(forwardAuth.clients);
        const told = async (): Promise<object> => toldBy(await proxy.get(machine));
        await expect.poll(told, { timeout: 20_000 }).toMatchObject({
          "suido-serial": machine.serialNumber,
          "suido-pharmacy": forwardAuth.clients.world.pharmacyId,
          "suido-emergency": "yes",
          "suido-days-left": expect.stringMatching(/^[01]$/) as string,
        });
        await forwardAuth.clients.service.revoke(machine.serialNumber);
        const now = async (): Promise<string> => pageOf(await proxy.get(machine));
        await expect.poll(now, { timeout: 10_000 }).toBe("403 revoked");
      },
    );
  },
  sessions: [
    { name: "there are none", isReused: false },
    { name: "nor would they do harm", edit: careless, isReused: true },
  ],
  whileAway: { good: "503 other", revoked: "503 other", expired: "503 other", none: "503 other" },
});
