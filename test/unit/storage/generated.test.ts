import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";

const read = (folder: string): Map<string, string> =>
  new Map(
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .toSorted()
      .map((name) => [name, readFileSync(path.join(folder, name), "utf8")]),
  );

it("the committed Prisma client is what scripts/generate makes of the schema", () => {
  const copy = mkdtempSync(path.join(tmpdir(), "suido-generate-"));
  try {
    for (const name of ["prisma", "scripts", "prisma.config.ts", "package.json"]) {
      cpSync(name, path.join(copy, name), { recursive: true });
    }
    symlinkSync(path.resolve("node_modules"), path.join(copy, "node_modules"));
    execFileSync(path.join(copy, "scripts/generate"));
    const made = read(path.join(copy, "src/storage/generated"));
    expect(made.size).toBeGreaterThan(10);
    expect(made).toEqual(read("src/storage/generated"));
  } finally {
    rmSync(copy, { recursive: true });
  }
});
