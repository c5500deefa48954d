import { readFileSync, writeFileSync } from "node:fs";

/**
 * Completes package-lock.json after an install from a registry that serves the packages of its own platform only: npm then
 * leaves the others out of the lock, and `npm ci` refuses it everywhere. Their versions stand in their parents, exactly
 * pinned; os and cpu follow from their names. Without having been fetched they have no integrity here: whoever installs on
 * such a platform gets the version, and can add it. Run it after every change of the dependencies.
 */

interface LockedPackage {
  readonly version?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

interface Lock {
  packages: Record<string, LockedPackage & { os?: string[]; cpu?: string[]; libc?: string[] }>;
}

const SYSTEMS = [
  "aix",
  "android",
  "darwin",
  "freebsd",
  "linux",
  "netbsd",
  "openbsd",
  "openharmony",
  "sunos",
  "win32",
  "windows",
];
const PROCESSORS = [
  "arm64",
  "arm",
  "x64",
  "ia32",
  "loong64",
  "mips64el",
  "ppc64",
  "riscv64",
  "s390x",
  "wasm32",
];

/** What the package's name says of where it runs. Names that say nothing are no platform's. */
function platformOf(name: string): { os?: string[]; cpu?: string[]; libc?: string[] } | undefined {
  const words = name.split(/[/-]/);
  const os = SYSTEMS.find((system) => words.includes(system));
  const cpu = PROCESSORS.find((processor) => words.includes(processor));
  if (os === undefined && cpu === undefined) return undefined;
  return {
    ...(cpu !== undefined && { cpu: [cpu] }),
    ...(os !== undefined && { os: [os === "windows" ? "win32" : os] }),
    ...(words.includes("musl") && { libc: ["musl"] }),
    ...(words.includes("gnu") && os === "linux" && { libc: ["glibc"] }),
  };
}

const lock = JSON.parse(readFileSync("package-lock.json", "utf8")) as Lock;
const added: string[] = [];
for (const { dev, optionalDependencies } of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies ?? {})) {
    const place = `node_modules/${name}`;
    const isThere = Object.keys(lock.packages).some(
      (path) => path === place || path.endsWith(`/${place}`),
    );
    const platform = platformOf(name);
    if (isThere || platform === undefined) continue;
    lock.packages[place] = { version, ...(dev === true && { dev }), optional: true, ...platform };
    added.push(`${name}@${version}`);
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).toSorted(([a], [b]) => (a < b ? -1 : 1)),
);
writeFileSync("package-lock.json", `${JSON.stringify(lock, undefined, 2)}\n`);
console.log(
  added.length === 0 ? "nothing was missing" : `added ${added.length}: ${added.join(", ")}`,
);
