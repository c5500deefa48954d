import { describeForwardAuth } from "../support/forward-auth-contract.ts";
import { nginxPlan } from "../support/nginx-plan.ts";

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
  sessions: [
    { name: "there are none", isReused: false },
    { name: "nor would they do harm", edit: careless, isReused: true },
  ],
  whileAway: { good: "503 other", revoked: "503 other", expired: "503 other", none: "503 other" },
});
