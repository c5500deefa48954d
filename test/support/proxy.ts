import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

import { freePorts } from "../../src/cli/instance.ts";
import { mustRun } from "./openssl-ca.ts";
import { ask, type Said } from "./outside-judge.ts";
import { processTree, signalAll, untilGone } from "./process-tree.ts";
import type { Client } from "./proxy-clients.ts";

/** How to run a program with one of our recipes. */
export interface ProxyPlan {
  /** Our file, such as deploy/haproxy/crl.cfg: it becomes `recipe.conf` in the folder. */
  readonly recipe: string;
  /** Another form of the recipe, to show what its lines are for. */
  readonly edit?: (recipe: string) => string;
  /** The words between @ signs, besides LISTEN and FOLDER. */
  readonly words?: Readonly<Record<string, string>>;
  /** What the test says besides, by file name: the program's own surroundings. */
  readonly files?: Readonly<Record<string, string>>;
  /** Program and arguments, which keep it in the foreground. */
  readonly command: (file: (name: string) => string) => readonly string[];
  /** A program to run it under, such as faketime. */
  readonly prefix?: readonly string[];
}

/** What a client saw. */
export interface Reply {
  /** HTTP status, or 0 when there was no answer. */
  readonly status: number;
  readonly body: string;
  /** What the TLS library said, if the connection failed. */
  readonly said: string;
}

/** A real proxy with one of our recipes, on a port of its own. */
export class Proxy {
  readonly folder = mkdtempSync(path.join(tmpdir(), "suido-proxy-"));
  readonly port: number;
  readonly #command: readonly string[];
  #child: ChildProcess | undefined;
  #said = "";

  private constructor(port: number, plan: ProxyPlan) {
    this.port = port;
    // As root, a program gives its workers to a user who must be able to come this far; the keys stay root's.
    chmodSync(this.folder, 0o711);
    const words: Readonly<Record<string, string>> = {
      LISTEN: `127.0.0.1:${port}`,
      PORT: String(port),
      FOLDER: this.folder,
      ...plan.words,
    };
    const fill = (content: string): string =>
      content.replaceAll(/@([A-Z_]+)@/g, (whole, word: string) => words[word] ?? whole);
    const recipe = readFileSync(plan.recipe, "utf8");
    const files = { ...plan.files, "recipe.conf": plan.edit?.(recipe) ?? recipe };
    for (const [name, content] of Object.entries(files))
      writeFileSync(this.file(name), fill(content));
    cpSync("deploy/help", this.file("help"), { recursive: true });
    const file = (name: string): string => this.file(name);
    this.#command = [...(plan.prefix ?? []), ...plan.command(file)];
    this.#makeServerCertificate();
  }

  static async prepare(plan: ProxyPlan): Promise<Proxy> {
    const [port = 0] = await freePorts(1);
    return new Proxy(port, plan);
  }

  file(name: string): string {
    return path.join(this.folder, name);
  }

  #makeServerCertificate(): void {
    const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    const files = ["-keyout", this.file("server.key"), "-out", this.file("server.pem")];
    mustRun("openssl", ["req", "-x509", "-days", "30", ...key, ...names, ...files]);
    // HAProxy looks for the key beside the certificate.
    writeFileSync(this.file("server.pem.key"), readFileSync(this.file("server.key")));
  }

  async start(): Promise<void> {
    const [program = "", ...args] = this.#command;
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (chunk: string) => (this.#said += chunk));
    for (let waited = 0; !(await this.#listens()); waited++) {
      if (waited > 1000 || child.exitCode !== null)
        throw new Error(`${program} does not listen: ${this.said()}`);
      await sleep(10);
    }
  }

  /** Starts it although it must not start; what it said. */
  async refuseToStart(): Promise<Said> {
    const [program = "", ...args] = this.#command;
    return ask(program, args);
  }

  /** All that the program has said, on its streams and in error.log. */
  said(): string {
    const log = this.file("error.log");
    return this.#said + (existsSync(log) ? readFileSync(log, "utf8") : "");
  }

  /** Its first process. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** The processes that serve: all but the first. */
  workers(): number[] {
    return processTree(this.#child?.pid ?? 0).slice(1);
  }

  /** Does the work, and waits until no worker of before is left. */
  async untilNewWorkers(work: () => unknown): Promise<void> {
    const before = this.workers();
    await work();
    for (let waited = 0; this.workers().some((pid) => before.includes(pid)); waited++) {
      if (waited > 1500) throw new Error(`old workers are still there: ${this.said()}`);
      await sleep(10);
    }
  }

  /** A handshake with the client's certificate and `GET /`, by curl, on a new connection. */
  async get(client: Client | undefined, ...more: readonly string[]): Promise<Reply> {
    const own = client === undefined ? [] : ["--cert", client.cert, "--key", client.key];
    const base = ["--silent", "--show-error", "--cacert", this.file("server.pem")];
    const url = `https://localhost:${this.port}/`;
    const asked = [...base, "--max-time", "15", ...own, ...more];
    const { text: all } = await ask("curl", [...asked, "--write-out", "\n%{http_code}\n", url]);
    const [, body = "", status = "0", said = ""] = /^(.*)\n(\d{3})\n(.*)$/s.exec(all) ?? [];
    return { status: Number(status), body, said };
  }

  #listens(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, "127.0.0.1", () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => resolve(false));
    });
  }

  async dispose(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const tree = processTree(child.pid ?? 0);
      child.kill("SIGTERM");
      await Promise.race([once(child, "exit"), sleep(1_000)]);
      signalAll(tree, "SIGKILL");
      await untilGone(tree);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Clients that no proxy may let through, each with the help page that it is given. */
export const REFUSED = [
  { name: "revoked", page: "revoked" },
  { name: "held", page: "revoked" },
  { name: "expired", page: "expired" },
  { name: "foreign", page: "other" },
  { name: "none", page: "none" },
] as const;

/** Which of our help pages this is, or what else came. */
export function pageOf({ status, body, said }: Reply): string {
  const pages = ["expired", "revoked", "replaced", "none", "other"];
  const page = pages.find((each) => readFileSync(`deploy/help/${each}.html`, "utf8") === body);
  return page === undefined ? `${status} ${body} ${said}` : `${status} ${page}`;
}

/** What the product behind the proxy was told; all of the reply when the proxy let nobody through. */
export function acceptedBy(reply: Reply): Record<string, unknown> {
  return reply.status === 200
    ? (JSON.parse(reply.body) as { headers: Record<string, unknown> }).headers
    : { ...reply };
}

/** What a TLS client saw that keeps its session. */
export interface Talk {
  readonly status: number;
  /** Whether the session of before was taken up again. */
  readonly isReused: boolean;
  /** Whether there is a session for the next time. */
  readonly hasSession: boolean;
  readonly text: string;
}

/** Versions of TLS, which resume sessions in different ways. */
export const VERSIONS = ["1.2", "1.3"] as const;

/**
 * `GET /` by `openssl s_client` with this version of TLS ("1.2", "1.3"), which keeps its session in the file and takes up
 * the one that is in it.
 */
export async function talk(
  port: number,
  client: Client,
  session: { readonly version: string; readonly file: string },
): Promise<Talk> {
  const version = `-tls${session.version.replace(".", "_")}`;
  const own = ["-cert", client.cert, "-key", client.key];
  const sessions = existsSync(session.file) ? ["-sess_in", session.file] : [];
  const base = ["s_client", "-connect", `127.0.0.1:${port}`, "-servername", "localhost", version];
  const child = spawn(
    "openssl",
    [...base, ...own, ...sessions, "-sess_out", session.file, "-ign_eof"],
    {
      stdio: ["pipe", "pipe", "pipe"],
    },
  );
  const timer = setTimeout(() => child.kill(), 15_000);
  child.stdin.on("error", () => undefined);
  child.stdin.end("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  clearTimeout(timer);
  return {
    status: Number(/HTTP\/1\.1 (\d{3}) /.exec(out)?.[1] ?? 0),
    isReused: /^Reused, TLS/m.test(out),
    hasSession: existsSync(session.file),
    text: out + err,
  };
}
