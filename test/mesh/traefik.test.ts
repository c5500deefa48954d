import { readFileSync } from "node:fs";

import { describeForwardAuth } from "../support/forward-auth-contract.ts";
import { pageOf, type Reply } from "../support/proxy.ts";

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

/** Suido's own pages have the certificate's number besides. */
const withoutNumber = ({ body, ...reply }: Reply): Reply => ({
  ...reply,
  body: body.replaceAll(/<li>[^<]*<br \/><code>[^<]*<\/code><\/li>/g, ""),
});

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
  pageOf: (reply) => pageOf(withoutNumber(reply)),
  sessions: [{ name: "there are some, and they do no harm", isReused: true }],
  whileStale: { good: "503 other", revoked: "503 other", expired: "503 other", none: "503 other" },
  // It would wait half a minute.
  whileHanging: {},
  whileAway: { good: "500  ", revoked: "500  ", expired: "500  ", none: "500  " },
});
