import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { pageOf, windowOf } from "../../../src/registry/page.ts";

describe("pages", () => {
  it("has 50 items by default", () => {
    expect(windowOf({}, "devices")).toEqual({ after: null, size: 51 });
  });

  it.for([0, -1, 201, 1.5, Number.NaN])("refuses a limit of %d", (limit) => {
    expect(() => windowOf({ limit }, "devices")).toThrow(
      expect.objectContaining({ code: "invalid-value", field: "limit" }),
    );
  });

  it.for(["", "x", "A".repeat(23), `${"A".repeat(21)}B`, `${"A".repeat(20)}+A`, "' or 1=1"])(
    "refuses the cursor %j",
    (after) => {
      expect(() => windowOf({ after }, "devices")).toThrow(
        expect.objectContaining({ code: "invalid-value", field: "after" }),
      );
    },
  );

  it("has a cursor to the next page just when there is a row beyond it", () => {
    const rows = [1, 2, 3].map((i) => ({ id: `0193b2a4-1f00-7000-8000-00000000000${i}` }));
    expect(pageOf(rows, windowOf({ limit: 3 }, "devices"), "devices")).toEqual({ items: rows });
    const { items, nextCursor } = pageOf(rows, windowOf({ limit: 2 }, "devices"), "devices");
    expect(items).toEqual(rows.slice(0, 2));
    expect(windowOf({ after: nextCursor ?? "" }, "devices").after).toBe(rows[1]?.id);
  });

  it("refuses a cursor of another collection", () => {
    const rows = [1, 2].map((i) => ({ id: `0193b2a4-1f00-7000-8000-00000000000${i}` }));
    const { nextCursor: after = "" } = pageOf(rows, windowOf({ limit: 1 }, "accounts"), "accounts");
    expect(() => windowOf({ after }, "devices")).toThrow(
      expect.objectContaining({ code: "invalid-value", field: "after" }),
    );
    expect(windowOf({ after }, "accounts").after).toBe(rows[0]?.id);
  });

  it("brings every id back from its cursor", () => {
    fc.assert(
      fc.property(fc.uuid(), (id) => {
        const { nextCursor = "" } = pageOf(
          [{ id }, { id }],
          windowOf({ limit: 1 }, "devices"),
          "devices",
        );
        expect(nextCursor).toMatch(/^[A-Za-z0-9_-]{23}$/);
        expect(windowOf({ after: nextCursor }, "devices").after).toBe(id);
      }),
    );
  });
});
