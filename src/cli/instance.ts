import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import path from "node:path";
import { createInterface } from "node:readline";

/** A `suido serve` of its own: a child process with its own ports and its own data folder. */
export interface Instance {
  readonly env: Readonly<Record<string, string>>;
  readonly dataDir: string;
  readonly urls: { readonly va: string; readonly app: string; readonly mtls: string };
  readonly child: ChildProcess;
  /** Everything that it has said so far, line by line. */
  readonly output: readonly string[];
  /** SIGTERM, and its exit code once it has gone. */
  stop(): Promise<number | null>;
}

export interface InstanceOptions {
  readonly dataDir: string;
  /** More environment, for example DATABASE_URL or the ports of an earlier start. */
  readonly env?: Readonly<Record<string, string>>;
  /** Only these roles, as `--role` takes them. */
  readonly roles?: string;
  /** How long the start may take, in milliseconds. */
  readonly timeoutMs?: number;
}

/** How node runs the command: as the first line of the file says. */
const COMMAND = ["--max-semi-space-size=1", path.join(import.meta.dirname, "suido.js")];

/** Ports of the loopback address that were free a moment ago. All are held together first, so that no two are the same. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(async (server) => {
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const address = server.address();
      return typeof address === "object" && address !== null ? address.port : 0;
    }),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** The environment of an instance on free ports. What of ours the caller's own environment holds does not leak into it. */
export async function instanceEnvironment({
  dataDir,
  env,
}: InstanceOptions): Promise<Record<string, string>> {
  const inherited = Object.entries(process.env).filter(
    ([name, value]) => value !== undefined && !/^(?:SUIDO_.*|DATABASE_URL|REDIS_URL)$/.test(name),
  );
  const [va = 0, app = 0, mtls = 0] = await freePorts(3);
  return {
    ...(Object.fromEntries(inherited) as Record<string, string>),
    SUIDO_DATA_DIR: dataDir,
    SUIDO_VA_LISTEN: `127.0.0.1:${va}`,
    SUIDO_APP_LISTEN: `localhost:${app}`,
    SUIDO_MTLS_LISTEN: `localhost:${mtls}`,
    ...env,
  };
}

/** Runs one command of `suido` in this environment. */
export async function runSuido(
  words: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [...COMMAND, ...words], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const text = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (text.stdout += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (text.stderr += chunk));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...text };
}

/** Starts `suido serve` and waits for its ready line. Throws with what it said when it ends or takes too long. */
export async function startInstance(options: InstanceOptions): Promise<Instance> {
  const env = await instanceEnvironment(options);
  const roles = options.roles === undefined ? [] : ["--role", options.roles];
  const child = spawn(process.execPath, [...COMMAND, "serve", ...roles], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output: string[] = [];
  const ready = new Promise<string>((resolve, reject) => {
    const fail = (why: string): void =>
      reject(new Error(`suido serve ${why}:\n${output.join("\n")}`));
    const timer = setTimeout(() => fail("was not ready in time"), options.timeoutMs ?? 60_000);
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        output.push(line);
        if (line.startsWith("ready ")) resolve(line);
      });
    }
    child.once("exit", (code) => fail(`ended with ${String(code)}`));
    void Promise.resolve().then(() =>
      ready.finally(() => clearTimeout(timer)).catch(() => undefined),
    );
  });
  let line: string;
  try {
    line = await ready;
  } catch (error) {
    child.kill("SIGKILL");
    throw error;
  }
  const [va = "", app = "", mtls = ""] = ["va", "app", "mtls"].map(
    (name) => new RegExp(`\\b${name}=(\\S+)`).exec(line)?.[1],
  );
  return {
    env,
    dataDir: options.dataDir,
    urls: { va, app, mtls },
    child,
    output,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      child.kill("SIGTERM");
      const [code] = (await once(child, "exit")) as [number | null];
      return code;
    },
  };
}
