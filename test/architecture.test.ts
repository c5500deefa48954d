import { globSync, readFileSync } from "node:fs";
import path from "node:path";

import { expect, test } from "vitest";

/** The rooms of the house from the ground up, each with the rooms that it may import from. */
const ROOMS: Record<string, readonly string[]> = {
  pki: [],
  config: ["pki"],
  storage: ["pki", "config"],
  audit: ["pki", "storage"],
  registry: ["pki", "storage", "audit"],
  ca: ["pki", "config", "storage", "audit", "registry"],
  va: ["pki", "storage"],
  gate: ["pki", "storage"],
  delivery: ["pki", "config", "storage", "audit", "registry"],
  lifecycle: ["pki", "config", "storage", "audit", "registry", "ca", "delivery"],
  staff: ["pki", "storage", "audit", "registry"],
  web: ["pki"],
  http: ["pki", "config", "audit", "registry", "ca", "va", "delivery", "lifecycle", "staff", "web"],
  jobs: ["pki", "config", "audit", "registry", "ca", "va", "delivery", "lifecycle", "staff"],
};

const IMPORT = /\bfrom\s+"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)|\bimport\s+"([^"]+)"/g;

function* importsOf(file: string): Generator<string> {
  for (const match of readFileSync(file, "utf8").matchAll(IMPORT)) {
    yield match[1] ?? match[2] ?? match[3] ?? "";
  }
}

function* roomsImported(file: string): Generator<string> {
  for (const specifier of importsOf(file)) {
    if (!specifier.startsWith(".")) continue;
    const target = path.relative("src", path.resolve(path.dirname(file), specifier));
    if (target.includes(path.sep)) yield target.split(path.sep)[0] ?? "";
  }
}

test.for(Object.entries(ROOMS))("src/%s imports only rooms below it", ([room, allowed]) => {
  const files = globSync(`src/${room}/**/*.ts`);
  expect(files).not.toEqual([]);
  const strays = files.flatMap((file) =>
    [...roomsImported(file)]
      .filter((to) => to !== room && !allowed.includes(to))
      .map((to) => `${file} -> ${to}`),
  );
  expect(strays).toEqual([]);
});

test("every room of src is in the table, but for the one that composes them", () => {
  const rooms = new Set(
    globSync("src/*/**/*.ts").map((file) => path.relative("src", file).split(path.sep)[0] ?? ""),
  );
  expect([...rooms].filter((room) => room !== "cli").toSorted()).toEqual(
    Object.keys(ROOMS).toSorted(),
  );
});

const DYNAMIC_IMPORT = /\bimport\(\s*"[^"]+"\s*\)/g;

/**
 * All that a file loads, directly or through our own files, `lazily` or at once only. Types vanish at run time, so
 * `import type` does not count.
 */
function loadedBy(entry: string, { lazily = true } = {}): Set<string> {
  const seen = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const source = readFileSync(file, "utf8").replaceAll(/\b(?:import|export) type [^;]+;/g, "");
    const code = lazily ? source : source.replaceAll(DYNAMIC_IMPORT, "");
    for (const match of code.matchAll(IMPORT)) {
      const specifier = match[1] ?? match[2] ?? match[3] ?? "";
      if (specifier.startsWith(".")) visit(path.resolve(path.dirname(file), specifier));
      else packages.add(specifier);
    }
  };
  visit(path.resolve(entry));
  return packages;
}

test("the signer's process loads no web server, no ORM, no queue and no ASN.1 library", () => {
  const packages = [...loadedBy("src/cli/signer.ts")];
  expect(packages).toContain("node:crypto");
  expect(packages.filter((name) => !name.startsWith("node:")).toSorted()).toEqual(["pg", "pino"]);
});

test("the gate beside a proxy loads nothing but Node and ours", () => {
  const packages = [...loadedBy("src/cli/commands/gate.ts")];
  expect(packages).toContain("node:net");
  expect(packages.filter((name) => !name.startsWith("node:"))).toEqual([]);
  // Of the other commands it loads none: they are asked for by name.
  const commandLine = [...loadedBy("src/cli/main.ts", { lazily: false })];
  expect(commandLine.filter((name) => !name.startsWith("node:"))).toEqual([]);
});

test("what a role does not use is not loaded by its process", () => {
  /** All but the command line and `serve`, whose roles are loaded when they are asked for. */
  const heavy =
    /^(?:@prisma|@fastify|bullmq|ioredis|nodemailer|@peculiar|reflect-metadata|yaml|prisma)/;
  const heavyOf = (entry: string): string[] =>
    [...loadedBy(entry, { lazily: false })].filter((name) => heavy.test(name)).toSorted();
  for (const entry of [
    "src/cli/main.ts",
    "src/cli/va-role.ts",
    "src/cli/va-process.ts",
    "src/cli/own-signer.ts",
  ])
    expect([entry, ...heavyOf(entry)]).toEqual([entry]);
  expect(heavyOf("src/cli/app-role.ts").join(" ")).toContain("@prisma/client");
  expect(heavyOf("src/cli/duties.ts")).toContain("bullmq");
});
