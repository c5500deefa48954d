import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { RegistryError } from "../../../src/registry/errors.ts";
import { parseForeignId, parseName } from "../../../src/registry/text.ts";

const invalid: unknown = expect.objectContaining({ code: "invalid-value", field: "name" });

function outcome(text: string): string | RegistryError {
  try {
    return parseName(text, "name", 50);
  } catch (error) {
    if (error instanceof RegistryError) return error;
    throw error;
  }
}

describe("parseName", () => {
  it.for([
    ["plain", "すいどう薬局 本店", "すいどう薬局 本店"],
    ["trimmed, the ideographic space too", " \u3000受付1号機\u3000 ", "受付1号機"],
    ["Normalization Form C", "か\u3099っこう", "がっこう"],
    ["half-width kana stay", "ﾔｯｷｮｸ", "ﾔｯｷｮｸ"],
    ["astral characters count once", "𠮷".repeat(50), "𠮷".repeat(50)],
    ["emoji with joiners", "👩‍⚕️", "👩‍⚕️"],
    ["long before normalisation only", "か\u3099".repeat(50), "が".repeat(50)],
  ])("takes %s", ([, text, name]) => {
    expect(parseName(text ?? "", "name", 50)).toBe(name);
  });

  it.for([
    ["nothing", ""],
    ["spaces", " \u3000\t"],
    ["zero-width characters only", "\u200b\u200d\ufeff"],
    ["a combining mark only", "\u3099"],
    ["NUL", "a\u0000b"],
    ["a line feed", "a\nb"],
    ["a carriage return", "a\rb"],
    ["a C1 control", "a\u0085b"],
    ["a line separator", "a\u2028b"],
    ["U+202A", "a\u202ab"],
    ["U+202E", "a\u202eb"],
    ["U+2066", "a\u2066b"],
    ["U+2069", "a\u2069b"],
    ["half a surrogate pair", "a\ud800b"],
    ["51 characters", "あ".repeat(51)],
  ])("refuses %s", ([, text]) => {
    expect(() => parseName(text ?? "", "name", 50)).toThrow(invalid);
  });

  it("gives a name that it takes again unchanged, or a RegistryError", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
        const name = outcome(text);
        expect(name instanceof RegistryError || outcome(name) === name).toBe(true);
      }),
    );
  });
});

describe("parseForeignId", () => {
  it.for(["248289761001", "か\u3099", "a b", "https://accounts.example.jp/"])(
    "keeps %j as it came",
    (text) => {
      expect(parseForeignId(text, "name", 255)).toBe(text);
    },
  );

  it.for(["", " a", "a\u3000", "a\u0000", "a\nb", "\u202ea", "\udc00", "a".repeat(256)])(
    "refuses %j",
    (text) => {
      expect(() => parseForeignId(text, "name", 255)).toThrow(invalid);
    },
  );
});
