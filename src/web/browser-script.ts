import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

import type * as Esbuild from "esbuild";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** What every browser that `lifecycle/user-agent.ts` passes as supported understands. */
const TARGETS = ["chrome110", "firefox115", "safari15"];

/** The licences of the packages in it want to be named where it goes. */
const NOTICE =
  "/*! Suido (Apache-2.0), with @noble/hashes, Paul Miller, and des.js, Fedor Indutny (MIT); inherits, Isaac Z. Schlueter, and minimalistic-assert, Calvin Metcalf (ISC) */";

/** A script as it was bundled, with the digest of each file that it came from. */
interface Kept {
  readonly bundler: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly script: string;
}

const load = createRequire(import.meta.url);

const digestOf = (file: string): string =>
  createHash("sha256")
    .update(readFileSync(path.join(ROOT, file)))
    .digest("hex");

/** With what a script was bundled: another version, or other settings, make another script. */
function bundlerName(): string {
  const { version } = load("esbuild/package.json") as { readonly version: string };
  return `esbuild ${version} for ${TARGETS.join(", ")}`;
}

/** The kept script, if every file that it came from is what it was. */
function readKept(file: string): string | undefined {
  try {
    const { bundler, inputs, script } = JSON.parse(readFileSync(file, "utf8")) as Kept;
    const isFresh = Object.entries(inputs).every(([input, digest]) => digestOf(input) === digest);
    return isFresh && bundler === bundlerName() ? script : undefined;
  } catch {
    return undefined; // there is none, it cannot be read, or one of its files is gone
  }
}

/** Keeps the script for the next start. Where the folder may not be written to, the next start bundles again. */
function keep(file: string, kept: Kept): void {
  try {
    mkdirSync(path.dirname(file), { recursive: true });
    const half = `${file}.${process.pid}.tmp`;
    writeFileSync(half, JSON.stringify(kept));
    renameSync(half, file);
  } catch {
    // Only slower.
  }
}

function bundle(entry: string): Kept {
  // Loaded only when it is needed: most starts find a script that is fresh.
  const { buildSync } = load("esbuild") as typeof Esbuild;
  const { metafile, outputFiles } = buildSync({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "iife",
    target: TARGETS,
    charset: "utf8",
    banner: { js: NOTICE },
    metafile: true,
    write: false,
  });
  const inputs = Object.fromEntries(
    Object.keys(metafile.inputs)
      .filter((input) => !input.startsWith("("))
      .map((input) => [input, digestOf(input)]),
  );
  return { bundler: bundlerName(), inputs, script: outputFiles[0]?.text ?? "" };
}

/**
 * The script of a page as one file, from its entry point (a path below the checkout). Bundled anew when one of the files that
 * it came from has changed, else what was kept under `cache`. Throws esbuild's error when the sources are wrong.
 */
export function browserScript(entry: string, cache = path.join(ROOT, ".cache", "web")): Buffer {
  const file = path.join(cache, `${path.basename(entry, ".ts")}.json`);
  const kept = readKept(file);
  if (kept !== undefined) return Buffer.from(kept);
  const fresh = bundle(entry);
  keep(file, fresh);
  return Buffer.from(fresh.script);
}
