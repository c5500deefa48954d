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
