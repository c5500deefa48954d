import { expect, it } from "vitest";

import { requestHash } from "../../../src/http/request-hash.ts";

const hash = (body: unknown, path = "/v1/devices"): string =>
  Buffer.from(requestHash({ method: "POST", path, body })).toString("hex");

it("does not depend on the order of members, at any depth", () => {
  expect(hash({ a: 1, b: { c: [{ d: 1, e: 2 }], f: 3 } })).toBe(
    hash({ b: { f: 3, c: [{ e: 2, d: 1 }] }, a: 1 }),
  );
});

it.for([
  { name: "a value", other: { a: 2 } },
  { name: "a member", other: { b: 1 } },
  { name: "a type", other: { a: "1" } },
  { name: "a list's order", other: { a: [2, 1] } },
  { name: "no body", other: undefined },
])("depends on $name", ({ other }) => {
  expect(hash(other)).not.toBe(hash({ a: 1 }));
  expect(hash(other)).not.toBe(hash({ a: [1, 2] }));
});

it("depends on the path", () => {
  expect(hash({}, "/v1/devices")).not.toBe(hash({}, "/v1/accounts"));
});
