import { expect, it } from "vitest";

import { changesOf } from "../../../src/registry/patch.ts";

const CURRENT = { name: "a", code: null as string | null, at: new Date(1) as Date | null };

it.for([
  ["nothing given", {}, []],
  ["undefined is not given", { name: undefined, code: undefined }, []],
  ["equal values", { name: "a", code: null, at: new Date(1) }, []],
  ["another text", { name: "b" }, ["name"]],
  ["a text for null", { code: "c" }, ["code"]],
  ["null for a date", { at: null }, ["at"]],
  ["another date", { at: new Date(2), name: "a" }, ["at"]],
] as const)("%s", ([, patch, fields]) => {
  const changes = changesOf<typeof CURRENT>(CURRENT, patch);
  expect(changes.fields).toEqual(fields);
  expect(Object.keys(changes.data)).toEqual(fields);
});
