import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Logger } from "pino";
import { lockDataFolder } from "./data-folder-lock.ts";
import { type Ids, accountOf, chooseAccounts } from "./embedded-account.ts";
import { type Binaries, findBinaries } from "./embedded-binaries.ts";
import { createCluster } from "./embedded-cluster.ts";
import { clearOrphan, stopServer } from "./embedded-orphan.ts";
import { EmbeddedPostgresError } from "./errors.ts";

export interface EmbeddedOptions {
  /** Suido's data folder. The server's files, its log and the URL with its password go below it. */
  readonly dataDir: string;
  readonly log: Pick<Logger, "info" | "warn">;
  /** Settings of postgresql.conf on top of ours. Tests turn `fsync` off. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Called once when the server ends though nobody stopped it. Starting again gives the same URL where the port is still free. */
  readonly onExit?: (error: EmbeddedPostgresError) => void;
}

export interface Embedded {
  readonly url: string;
  stop(): Promise<void>;
}

/** The database's superuser and the database, both ours alone. */
const NAME = "suido";

/** Recovery after a crash reads the log of changes since the last checkpoint, which is at most some minutes' worth. */
const START_TIMEOUT_MS = 120_000;

/** Another program may take the free port first, and the last crash's processes may take a moment to be gone. */
const ATTEMPTS = 20;
const ATTEMPT_WAIT_MS = 250;
const POLL_MS = 10;

/** A server that starts or recovers says so at once; whoever is silent on that port is somebody else. */
const ANSWER_TIMEOUT_MS = 1_000;

/**
 * Starts the PostgreSQL that comes with Suido, makes its cluster when there is none, and clears what a killed process has
 * left. It listens on loopback only, with a random password. As root it runs under a number of its own, also when the data
 * folder lies where nobody else may enter.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const cluster = path.join(options.dataDir, "postgres");
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const lock = await lockDataFolder(options.dataDir, "postgres");
  try {
    // 1. As whom, and with which programs.
    const accounts = chooseAccounts();
    const ids = existsSync(cluster) ? accountOf(cluster, accounts) : accounts.server;
    const binaries = findBinaries(options.dataDir, ids);
    // 2. The cluster: made, or cleared of what a crash has left.
    const urlFile = urlFileOf(options.dataDir);
    if (existsSync(cluster)) {
      const stopped = await clearOrphan(cluster);
      if (stopped)
        options.log.warn({ cluster }, "stopped the server that a killed process had left");
    } else {
      const password = randomBytes(24).toString("base64url");
      writeUrl(urlFile, { password, port: 0 });
      const sync = options.settings?.["fsync"] !== "off";
      await createCluster({ cluster, binaries, accounts, user: NAME, password, sync });
      options.log.info({ cluster }, "made the embedded PostgreSQL's cluster");
    }
    checkVersion(cluster, binaries);
    // 3. The server.
    const { child, port, password } = await launch({ ...options, cluster, binaries, ids });
    options.log.info({ port, server: child.pid }, "embedded PostgreSQL started");
    return supervise(child, {
      url: urlOf({ password, port }),
      onExit: options.onExit,
      release: () => lock.release(),
    });
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** The URL of a data folder's embedded server, for commands beside a running `suido serve`. It holds the password. */
export function embeddedUrl(dataDir: string): string | undefined {
  const file = urlFileOf(dataDir);
  return existsSync(file) ? urlOf(readUrl(file)) : undefined;
}

interface Address {
  readonly password: string;
  readonly port: number;
}

function urlFileOf(dataDir: string): string {
  return path.join(dataDir, "postgres.url");
}

function urlOf({ password, port }: Address): string {
  return `postgres://${NAME}:${password}@127.0.0.1:${port}/${NAME}`;
}

function writeUrl(file: string, address: Address): void {
  writeFileSync(`${file}.tmp`, `${urlOf(address)}\n`, { mode: 0o600, flush: true });
  renameSync(`${file}.tmp`, file);
}

function readUrl(file: string): Address {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new EmbeddedPostgresError(`its password cannot be read from ${file}`, { cause: error });
  }
  const found = /^postgres:\/\/[^:]+:([^@]+)@[^:]+:(\d+)\//.exec(text);
  if (found?.[1] === undefined) throw new EmbeddedPostgresError(`${file} holds no URL of ours`);
  return { password: found[1], port: Number(found[2]) };
}

function checkVersion(cluster: string, { major }: Binaries): void {
  const found = readFileSync(path.join(cluster, "PG_VERSION"), "utf8").trim();
  if (found !== major) {
    throw new EmbeddedPostgresError(
      `the data in ${cluster} were written by PostgreSQL ${found}, and this one is ${major}`,
    );
  }
}

interface Launch extends EmbeddedOptions {
  readonly cluster: string;
  readonly binaries: Binaries;
  readonly ids: Ids;
}

interface Launched extends Address {
  readonly child: ChildProcess;
}

/** Starts the server, first on the port that it had before, so that who knows the URL finds it again. */
async function launch(options: Launch): Promise<Launched> {
  const urlFile = urlFileOf(options.dataDir);
  const { password, port: before } = readUrl(urlFile);
  const logFile = path.join(options.dataDir, "postgres.log");
  if (existsSync(logFile)) renameSync(logFile, `${logFile}.before`);
  for (let attempt = 1; ; attempt += 1) {
    const port = attempt === 1 && before !== 0 ? before : await freePort();
    const child = spawnServer(options, port, logFile);
    const ended = await untilReady(child, { password, port });
    if (ended === undefined) {
      writeUrl(urlFile, { password, port });
      return { child, port, password };
    }
    const said = lastFatal(logFile);
    if (
      attempt === ATTEMPTS ||
      !/Address already in use|shared memory block|TCP\/IP sockets/.test(said)
    ) {
      throw new EmbeddedPostgresError(`its server ended at once, saying "${said}" (${logFile})`, {
        cause: ended,
      });
    }
    await sleep(ATTEMPT_WAIT_MS);
  }
}

/**
 * `/proc/self/cwd` is the cluster to whoever has it as working folder, and needs no right to search the folders above it:
 * Node.js changes the folder before it changes the user. Apart from us in a session of its own, because Ctrl-C must reach
 * us first; its log is a file, because a pipe would end with us.
 */
function spawnServer(
  { cluster, binaries, ids, settings }: Launch,
  port: number,
  logFile: string,
): ChildProcess {
  const folder = process.platform === "linux" ? "/proc/self/cwd" : cluster;
  const all = { listen_addresses: "127.0.0.1", unix_socket_directories: "", ...settings };
  const args = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const log = openSync(logFile, "w", 0o600);
  try {
    const child = spawn(binaries.postgres, ["-D", folder, "-p", String(port), ...args], {
      ...ids,
      cwd: cluster,
      env: { LC_ALL: "C", TZ: "UTC" },
      detached: true,
      stdio: ["ignore", log, log],
    });
    child.unref();
    return child;
  } finally {
    closeSync(log);
  }
}

/** Waits until the server answers with our password: then it is ours, and its database is there. What it ended of, otherwise. */
async function untilReady(child: ChildProcess, address: Address): Promise<Error | undefined> {
  let ended: Error | undefined;
  child.once("error", (error) => {
    ended = error;
  });
  child.once("exit", (code, signal) => {
    ended ??= new Error(`exit ${code ?? signal}`);
  });
  for (let waited = 0; waited < START_TIMEOUT_MS; waited += POLL_MS) {
    await sleep(POLL_MS);
    if (ended !== undefined) return ended;
    if (await answers(address)) return undefined;
  }
  child.kill("SIGQUIT");
  throw new EmbeddedPostgresError("its server does not answer");
}

async function answers({ password, port }: Address): Promise<boolean> {
  const client = new pg.Client({
    host: "127.0.0.1",
    port,
    user: NAME,
    password,
    database: "postgres",
    connectionTimeoutMillis: ANSWER_TIMEOUT_MS,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const { rowCount } = await client.query("select from pg_database where datname = $1", [NAME]);
    if (rowCount === 0) await client.query(`create database ${NAME}`);
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new TypeError("a port was expected");
  return address.port;
}

/** The last thing that the server complained of. */
function lastFatal(logFile: string): string {
  const lines = readFileSync(logFile, "utf8").trim().split("\n");
  const faults = lines.filter(
    (line) =>
      /FATAL|PANIC|could not bind|shared memory block/.test(line) && !line.includes("starting up"),
  );
  return (faults.length > 0 ? faults : lines.slice(-1)).join("; ").slice(0, 500);
}

interface Supervision {
  readonly url: string;
  readonly onExit: EmbeddedOptions["onExit"];
  readonly release: () => Promise<void>;
}

function supervise(child: ChildProcess, { url, onExit, release }: Supervision): Embedded {
  let stopping: Promise<void> | undefined;
  const isGone = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const unexpected = (): void => {
    if (stopping !== undefined) return;
    stopping = release();
    const how = child.exitCode === null ? `signal ${child.signalCode}` : `exit ${child.exitCode}`;
    onExit?.(new EmbeddedPostgresError(`its server ended by ${how}`));
  };
  child.once("exit", unexpected);
  // It may have ended between its first answer and now.
  if (isGone()) queueMicrotask(unexpected);
  const stop = async (): Promise<void> => {
    if (child.pid !== undefined) await stopServer(child.pid, isGone);
    await release();
  };
  return {
    url,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}
