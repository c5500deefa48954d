import { globSync, readFileSync } from "node:fs";

import { expect, it } from "vitest";
import { parseAllDocuments } from "yaml";

/** Those whose program Debian has not: `npm run test:mesh` runs them. */
const RECIPES = globSync("deploy/{envoy,traefik}/*.yaml");

it.for(RECIPES)("%s is YAML without a doubled key, once its words are put in", (file) => {
  const text = readFileSync(file, "utf8").replaceAll(/@[A-Z_]+@/g, "1");
  const documents = parseAllDocuments(text, { uniqueKeys: true });
  expect(documents.map(({ errors, warnings }) => ({ errors, warnings }))).toEqual([
    { errors: [], warnings: [] },
  ]);
});

it("there are recipes for both", () => {
  expect(RECIPES).toHaveLength(4);
});

/** Those that know fields by their whole name only; the others take whatever begins with Suido's. */
const BY_NAME = [
  "deploy/nginx/authorize.conf",
  "deploy/nginx/recommended.conf",
  "deploy/caddy/Caddyfile",
];

it.for(BY_NAME)(
  "%s hands on each field that Suido answers with, and none that a client sends",
  (file) => {
    const reply = readFileSync("src/http/authorize-reply.ts", "utf8");
    const fields = new Set(
      Array.from(reply.matchAll(/"(suido-[a-z-]+)"/g), ([, name = ""]) => name),
    );
    expect(fields.size).toBe(10);
    const recipe = readFileSync(file, "utf8").toLowerCase();
    for (const field of fields)
      expect(recipe).toMatch(new RegExp(`(?:proxy_set_header|only_if_sent) ${field}\\b`));
  },
);
