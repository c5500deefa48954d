import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";

import { browserScript } from "../../../src/web/browser-script.ts";

const ENTRY = "src/web/browser/key-form.ts";
const folder = mkdtempSync(path.join(tmpdir(), "suido-script-"));
const kept = path.join(folder, "key-form.json");

afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface Kept {
  bundler: string;
  inputs: Record<string, string>;
  script: string;
}

/** Changes what was kept, and gives what the next start then serves. */
function afterEdit(edit: (kept: Kept) => void): string {
  browserScript(ENTRY, folder);
  const content = JSON.parse(readFileSync(kept, "utf8")) as Kept;
  edit(content);
  writeFileSync(kept, JSON.stringify(content));
  return browserScript(ENTRY, folder).toString();
}

describe("browserScript", () => {
  const script = browserScript(ENTRY, folder).toString();

  it.for([
    {
      name: "evaluates text",
      pattern: /\beval\(|\bnew Function\b|\.(?:inner|outer)HTML\b|insertAdjacentHTML/g,
    },
    { name: "loads another file", pattern: /\bimport\(|\brequire\("/g },
    { name: "is for Node only", pattern: /node:|\bBuffer\b|\bprocess\./g },
    { name: "keeps anything", pattern: /\b(?:local|session)Storage\b|indexedDB|\.cookie\b/g },
    {
      name: "Safari 15.4 has not",
      pattern:
        /\.(?:toSorted|toReversed|toSpliced|with|findLast|findLastIndex|isWellFormed|groupBy|withResolvers|fromHex|toHex|toBase64)\(/g,
    },
  ])("has nothing in it that $name", ({ pattern }) => {
    expect(script.match(pattern)).toBeNull();
  });

  it("is the whole script, with the licences of what it contains", () => {
    const words = ["data-key-form", "PBKDF2", "@noble/hashes", "des.js"];
    expect(words.filter((word) => !script.includes(word))).toEqual([]);
  });

  it("is kept with the digest of each file that it came from", () => {
    const { inputs } = JSON.parse(readFileSync(kept, "utf8")) as Kept;
    expect(Object.keys(inputs)).toEqual(
      expect.arrayContaining([ENTRY, "src/pki/pkcs12.ts", "node_modules/des.js/lib/des/ede.js"]),
    );
  });

  it("is taken from there while nothing has changed", () => {
    expect(afterEdit((content) => (content.script = "kept"))).toBe("kept");
  });

  it.for([
    {
      name: "a file has changed",
      edit: (content: Kept) => (content.inputs["src/pki/der.ts"] = "0"),
    },
    { name: "a file is gone", edit: (content: Kept) => (content.inputs["src/pki/gone.ts"] = "0") },
    { name: "the bundler is another", edit: (content: Kept) => (content.bundler = "older") },
  ])("is made anew when $name", ({ edit }) => {
    const made = afterEdit((content) => {
      content.script = "kept";
      edit(content);
    });
    expect(made === script).toBe(true);
  });

  it("is made anew when what was kept is no JSON", () => {
    writeFileSync(kept, "{");
    expect(browserScript(ENTRY, folder).toString() === script).toBe(true);
  });

  it("is made where nothing can be kept", () => {
    const file = path.join(folder, "file");
    cpSync(kept, file);
    expect(browserScript(ENTRY, path.join(file, "below")).toString() === script).toBe(true);
    expect(existsSync(path.join(file, "below"))).toBe(false);
  });
});
