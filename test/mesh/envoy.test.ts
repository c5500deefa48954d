import { envoyPlan } from "../support/envoy-plan.ts";
import { describeForwardAuth } from "../support/forward-auth-contract.ts";

describeForwardAuth({
  planOf: ({ suido, identity, productUrl }) => {
    const plan = envoyPlan("deploy/envoy/envoy.yaml", new URL(productUrl));
    const [address = "", port = ""] = suido.split(":");
    return {
      ...plan,
      words: { ...plan.words, SUIDO_ADDRESS: address, SUIDO_PORT: port },
      prefix: ["/usr/bin/env", `SUIDO_PROXY_KEY=${identity.apiKey}`],
    };
  },
  sessions: [{ name: "there are some, and they do no harm", isReused: true }],
  whileAway: { good: "503 other", revoked: "503 other", expired: "503 other", none: "503 other" },
});
