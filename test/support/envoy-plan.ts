import { readFileSync } from "node:fs";

import type { ProxyPlan } from "./proxy.ts";

/** One process of its own. Its log is written at once; of its own words only what goes wrong. */
const QUIET = [
  "--disable-hot-restart",
  "--concurrency",
  "1",
  "--file-flush-interval-msec",
  "50",
  "--log-level",
  "warn",
] as const;

/** A plan for Envoy with one of our recipes and, beside it, what it trusts. scripts/test-tools puts it there. */
export function envoyPlan(
  recipe: string,
  { hostname, port }: URL,
  more: Partial<ProxyPlan> = {},
): ProxyPlan {
  const edit = more.edit ?? ((text: string) => text);
  return {
    recipe,
    words: { ADDRESS: "127.0.0.1", PRODUCT_ADDRESS: hostname, PRODUCT_PORT: port },
    command: (file) => [
      "/opt/suido-test-tools/bin/envoy",
      "--config-path",
      file("recipe.yaml"),
      ...QUIET,
    ],
    ...more,
    files: {
      // Envoy goes by the ending.
      "recipe.yaml": edit(readFileSync(recipe, "utf8")),
      "sds.yaml": readFileSync("deploy/envoy/sds.yaml", "utf8"),
    },
  };
}
