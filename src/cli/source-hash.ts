import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** What the program is: its code, the CA's configuration, and the lock that names every library by its hash. */
const PARTS = ["src/**/*.*", "ca-config/**/*.*", "package.json", "package-lock.json"];

/**
 * SHA-256, hex, over the program's files: of each its path and its own hash, sorted by path. Two checkouts of the same commit
 * have the same, on every machine.
 */
export function sourceHash(): string {
  const files = globSync(PARTS, { cwd: ROOT })
    .map((file) => file.split(path.sep).join("/"))
    .toSorted();
  const hash = createHash("sha256");
  for (const file of files) {
    const content = createHash("sha256").update(readFileSync(path.join(ROOT, file)));
    hash.update(`${content.digest("hex")}  ${file}\n`);
  }
  return hash.digest("hex");
}
