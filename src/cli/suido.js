#!/usr/bin/env -S node --max-semi-space-size=1
// A small nursery keeps the processes small: most of what a request allocates is garbage a moment later. `npm start` and
// instances that we start ourselves give the same flag; forked processes inherit it.
//
// The one file of plain JavaScript: an old Node cannot read TypeScript, and should say so in a sentence.
import module from "node:module";

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 24 || (major === 24 && minor < 12)) {
  process.stderr.write(
    `Suido needs Node 24.12 or later and this is ${process.versions.node}. "npm ci" brings the right one on Linux: start with "npm start" or "npx suido".\n`,
  );
  process.exit(1);
}
module.enableCompileCache();
// Forked processes inherit it: without it each would strip and compile its modules anew, and keep 25 MB for that.
const cache = module.getCompileCacheDir();
if (cache !== undefined) process.env.NODE_COMPILE_CACHE ??= cache;
const { main } = await import("./main.ts");
process.exitCode = await main(process.argv.slice(2), process.env);
