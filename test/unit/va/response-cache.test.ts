import { expect, it } from "vitest";

import { ResponseCache } from "../../../src/va/response-cache.ts";

it("never holds more than its limit, and keeps what is asked for", () => {
  const cache = new ResponseCache<number>(100);
  cache.set("wanted", 1);
  for (let n = 0; n < 1_000; n++) {
    cache.set(`other ${n}`, n);
    expect(cache.get("wanted")).toBe(1);
    expect(cache.size).toBeLessThanOrEqual(101);
  }
  expect(cache.get("other 0")).toBeUndefined();
});

it("forgets what it is told to", () => {
  const cache = new ResponseCache<number>(10);
  for (let n = 0; n < 8; n++) cache.set(String(n), n);
  cache.delete("1");
  cache.delete("7");
  expect([cache.get("1"), cache.get("7"), cache.get("6")]).toEqual([undefined, undefined, 6]);
  cache.clear();
  expect(cache.size).toBe(0);
});
