import { describe, expect, it } from "vitest";

import type { Principal } from "../../../src/registry/principal.ts";
import { principalCache } from "../../../src/staff/principal-cache.ts";

function principal(id: string): Principal {
  return { id, actor: `api-key:${id}`, role: "proxy" };
}

describe("principalCache", () => {
  it("remembers for one second, however often it is asked", () => {
    let now = 0;
    const cache = principalCache(() => new Date(now));
    cache.set("digest", principal("1"));
    for (now = 0; now < 1_000; now += 100) expect(cache.get("digest")?.id).toBe("1");
    expect(cache.get("digest")).toBeUndefined();
  });

  it("forgets a key by its id and no other", () => {
    const cache = principalCache(() => new Date(0));
    cache.set("a", principal("1"));
    cache.set("b", principal("2"));
    cache.drop("1");
    expect([cache.get("a"), cache.get("b")?.id]).toEqual([undefined, "2"]);
  });

  it("holds a thousand and lets the oldest go", () => {
    const cache = principalCache(() => new Date(0));
    for (let i = 0; i <= 1_000; i++) cache.set(`digest ${i}`, principal(`${i}`));
    expect(cache.get("digest 0")).toBeUndefined();
    expect([cache.get("digest 1")?.id, cache.get("digest 1000")?.id]).toEqual(["1", "1000"]);
  });
});
