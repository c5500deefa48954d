import { describeForwardAuth } from "../support/forward-auth-contract.ts";

/** What the machine would have besides: no administration, and no other ports than the recipe's. */
const FRAME = `{
	admin off
	auto_https off
	servers {
		protocols h1 h2
	}
}
import @FOLDER@/recipe.conf
`;

describeForwardAuth({
  planOf: ({ suido, identity, productUrl }) => ({
    recipe: "deploy/caddy/Caddyfile",
    // Caddy has a name to go by where others have an address to listen on.
    edit: (recipe) => recipe.replaceAll("@SITE@", "https://localhost:@PORT@"),
    words: { SUIDO: suido, PRODUCT: new URL(productUrl).host },
    files: { Caddyfile: FRAME },
    command: (file) => {
      const environment = [
        `SUIDO_PROXY_KEY=${identity.apiKey}`,
        `HOME=${file("")}`,
        `XDG_DATA_HOME=${file("")}`,
      ];
      const run = ["run", "--adapter", "caddyfile", "--config", file("Caddyfile")];
      return ["/usr/bin/env", ...environment, "/usr/bin/caddy", ...run];
    },
  }),
  sessions: [{ name: "there are some, and they do no harm", isReused: true }],
  whileAway: { good: "503 other", revoked: "503 other", expired: "503 other", none: "503 other" },
});
