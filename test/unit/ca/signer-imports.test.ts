import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";

/** An import that is left when types are stripped. */
const IMPORT =
  /^(?:import|export)\s+(?!type\b)[^;]*?\bfrom\s+"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)|^import\s+"([^"]+)"/gm;

/** All packages that a module loads, directly or through others of ours. */
function packagesOf(entry: string): ReadonlySet<string> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const waiting = [path.resolve(entry)];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const match of readFileSync(file, "utf8").matchAll(IMPORT)) {
      const name = match[1] ?? match[2] ?? match[3] ?? "";
      if (name.startsWith(".")) waiting.push(path.resolve(path.dirname(file), name));
      else if (!name.startsWith("node:")) packages.add(name);
    }
  }
  expect(seen.size).toBeGreaterThan(30);
  return packages;
}

it("the signer's process loads nothing but pg and pino", () => {
  expect([...packagesOf("src/cli/signer.ts")].toSorted()).toEqual(["pg", "pino"]);
});
