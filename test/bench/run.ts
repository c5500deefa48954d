import { spawnSync } from "node:child_process";
import path from "node:path";

/** `npm run bench [name]`: one benchmark, or all, each in a process of its own. One line a figure: `name value unit ratio peer`. */
const NAMES = [
  "certificate",
  "ocsp",
  "authorize",
  "issue",
  "bulk",
  "start",
  "crl",
  "revoke",
  "pages",
  "load",
  "growth",
  "step-ca",
] as const;

const [wanted] = process.argv.slice(2);
const names = NAMES.filter((name) => wanted === undefined || name === wanted);
if (names.length === 0) {
  console.error(`There is no benchmark "${wanted}". There are: ${NAMES.join(", ")}`);
  process.exit(2);
}
for (const name of names) {
  const script = path.join(import.meta.dirname, `${name}.ts`);
  const { status } = spawnSync(process.execPath, [script], { stdio: "inherit" });
  if (status !== 0) process.exitCode = 1;
}
