import { readFileSync } from "node:fs";

import { describeForwardAuth } from "../support/forward-auth-contract.ts";

const RECIPE = "deploy/envoy/envoy.yaml";

describeForwardAuth({
  planOf: ({ suido, key, productUrl }) => {
    const [suidoAddress = "", suidoPort = ""] = suido.split(":");
    const { hostname, port } = new URL(productUrl);
    return {
      recipe: RECIPE,
      words: {
        ADDRESS: "127.0.0.1",
        SUIDO_ADDRESS: suidoAddress,
        SUIDO_PORT: suidoPort,
        PRODUCT_ADDRESS: hostname,
        PRODUCT_PORT: port,
      },
      // Envoy goes by the ending.
      files: { "recipe.yaml": readFileSync(RECIPE, "utf8") },
      command: (file) => [
        "/usr/bin/env",
        `SUIDO_PROXY_KEY=${key}`,
        "/opt/suido-envoy/envoy",
        "--config-path",
        file("recipe.yaml"),
        "--disable-hot-restart",
        "--concurrency",
        "1",
      ],
    };
  },
  sessions: [{ name: "there are some, and they do no harm", isReused: true }],
  whileAway: { good: "503 other", revoked: "503 other", expired: "503 other", none: "503 other" },
});
