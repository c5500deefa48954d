import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, it } from "vitest";

const read = (folder: string, extension: string): Map<string, string> =>
  new Map(
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(extension))
      .toSorted()
      .map((name) => [name, readFileSync(path.join(folder, name), "utf8")]),
  );

it("the committed Prisma client and help pages are what scripts/generate makes", () => {
  const copy = mkdtempSync(path.join(tmpdir(), "suido-generate-"));
  try {
    for (const name of ["prisma", "scripts", "src", "prisma.config.ts", "package.json"]) {
      cpSync(name, path.join(copy, name), { recursive: true });
    }
    rmSync(path.join(copy, "src/storage/generated"), { recursive: true });
    symlinkSync(path.resolve("node_modules"), path.join(copy, "node_modules"));
    execFileSync(path.join(copy, "scripts/generate"));
    const client = read(path.join(copy, "src/storage/generated"), ".ts");
    expect(client.size).toBeGreaterThan(10);
    expect(client).toEqual(read("src/storage/generated", ".ts"));
    const pages = read(path.join(copy, "deploy/help"), ".html");
    expect(pages.size).toBe(5);
    expect(pages).toEqual(read("deploy/help", ".html"));
  } finally {
    rmSync(copy, { recursive: true });
  }
});
