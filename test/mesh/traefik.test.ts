import { readFileSync } from "node:fs";

import { describeForwardAuth } from "../support/forward-auth-contract.ts";
import type { Reply } from "../support/proxy.ts";

/** The static configuration. */
const STATIC = `entryPoints:
  websecure:
    address: "127.0.0.1:@PORT@"
providers:
  file:
    filename: "@FOLDER@/dynamic.yaml"
log:
  filePath: "@FOLDER@/error.log"
`;

const RECIPE = "deploy/traefik/dynamic.yaml";

const PAGES = ["expired", "revoked", "replaced", "none", "other"] as const;
const titleOf = (page: string): string => /<title>[^<]+</.exec(page)?.[0] ?? "";

/** Suido's own pages have the certificate's number besides, and links that files for a proxy cannot have. */
function pageOf({ body, said, status }: Reply): string {
  const isOf = (page: string): boolean =>
    titleOf(readFileSync(`deploy/help/${page}.html`, "utf8")) === titleOf(body);
  return `${status} ${PAGES.find(isOf) ?? `${body} ${said}`}`;
}

describeForwardAuth({
  planOf: ({ authorities, suidoMtls, identity, productUrl }) => ({
    recipe: RECIPE,
    words: { HOST: "localhost", SUIDO_MTLS: suidoMtls, PRODUCT_URL: productUrl },
    files: {
      "static.yaml": STATIC,
      // Traefik goes by the ending.
      "dynamic.yaml": readFileSync(RECIPE, "utf8"),
      "proxy.pem": identity.certificate + authorities,
      "proxy.key": identity.privateKey,
    },
    command: (file) => ["/opt/suido-test-tools/bin/traefik", `--configFile=${file("static.yaml")}`],
  }),
  refusals: {
    revoked: "403 revoked",
    held: "403 revoked",
    expired: "401 expired",
    foreign: "401 other",
    none: "401 none",
  },
  pageOf,
  sessions: [{ name: "there are some, and they do no harm", isReused: true }],
  whileStale: { good: "503 other", revoked: "503 other", expired: "503 other", none: "503 other" },
  // It would wait half a minute.
  whileHanging: {},
  whileAway: { good: "500  ", revoked: "500  ", expired: "500  ", none: "500  " },
});
