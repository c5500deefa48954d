import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { freePorts } from "../../src/cli/instance.ts";
import { mustRun } from "./openssl-ca.ts";
import { ask, type Said } from "./outside-judge.ts";
import { processTree, signalAll, untilGone } from "./process-tree.ts";

/** What the test says besides the recipe: nginx's own surroundings, so that it touches nothing of the machine's. */
export const NGINX_FRAME = `daemon off;
pid @FOLDER@/nginx.pid;
error_log @FOLDER@/error.log info;
worker_processes 1;
@USER@
events {}
http {
  access_log off;
  client_body_temp_path @FOLDER@/tmp;
  proxy_temp_path @FOLDER@/tmp;
  fastcgi_temp_path @FOLDER@/tmp;
  uwsgi_temp_path @FOLDER@/tmp;
  scgi_temp_path @FOLDER@/tmp;
  include @FOLDER@/recipe.conf;
}
`;

/** What curl saw: the status, or 0 when there was no answer. */
export interface Reply {
  readonly status: number;
  readonly body: string;
  /** What nginx wrote into its error log meanwhile. */
  readonly log: string;
}

/** Where Debian puts it: not on an ordinary user's PATH. */
export const NGINX = "/usr/sbin/nginx";

/** A real nginx with one of our recipes, on a port of its own. */
export class Nginx {
  readonly folder = mkdtempSync(path.join(tmpdir(), "suido-nginx-"));
  readonly port: number;
  readonly #prefix: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(port: number, prefix: readonly string[]) {
    this.port = port;
    this.#prefix = prefix;
  }

  /** Writes the recipe with these words put in. `prefix` is a program to run nginx under, such as faketime. */
  static async prepare(
    recipe: string,
    words: Readonly<Record<string, string>>,
    prefix: readonly string[] = [],
  ): Promise<Nginx> {
    const [port = 0] = await freePorts(1);
    const nginx = new Nginx(port, prefix);
    const all: Readonly<Record<string, string>> = {
      LISTEN: `127.0.0.1:${port}`,
      FOLDER: nginx.folder,
      RESOLVER: "127.0.0.1",
      // As root its workers would become somebody who may not enter the folder.
      USER: process.getuid?.() === 0 ? "user root;" : "",
      ...words,
    };
    const fill = (text: string): string =>
      text.replaceAll(/@([A-Z_]+)@/g, (whole, word: string) => all[word] ?? whole);
    mkdirSync(nginx.file("tmp"));
    writeFileSync(nginx.file("nginx.conf"), fill(NGINX_FRAME));
    writeFileSync(nginx.file("recipe.conf"), fill(readFileSync(recipe, "utf8")));
    nginx.#makeServerCertificate();
    return nginx;
  }

  file(name: string): string {
    return path.join(this.folder, name);
  }

  #makeServerCertificate(): void {
    const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    const files = ["-keyout", this.file("server.key"), "-out", this.file("server.pem")];
    mustRun("openssl", ["req", "-x509", "-days", "30", ...key, ...names, ...files]);
  }

  #command(...args: readonly string[]): [string, string[]] {
    const all = [...this.#prefix, NGINX, "-p", this.folder, "-c", this.file("nginx.conf")];
    const [program = NGINX, ...rest] = [...all, "-e", this.file("error.log"), ...args];
    return [program, rest];
  }

  /** nginx's own check of its configuration. */
  check(): Promise<Said> {
    return ask(...this.#command("-t"));
  }

  async start(): Promise<void> {
    const child = spawn(...this.#command(), { stdio: "ignore" });
    this.#child = child;
    for (let waited = 0; !(await this.#listens()); waited++) {
      if (waited > 500 || child.exitCode !== null)
        throw new Error(`nginx does not listen: ${this.#log()}`);
      await sleep(10);
    }
  }

  /** The words that make nginx read its files anew, for the script that fetches them. */
  get reloadCommand(): readonly string[] {
    const [program, args] = this.#command("-s", "reload");
    return [program, ...args];
  }

  /** Waits for the workers to be new ones after a reload. */
  async reloaded(work: () => Promise<unknown>): Promise<void> {
    const before = this.#workers();
    await work();
    for (let waited = 0; this.#workers().some((pid) => before.includes(pid)); waited++) {
      if (waited > 1000) throw new Error(`nginx has not reloaded: ${this.#log()}`);
      await sleep(10);
    }
  }

  #workers(): number[] {
    return processTree(this.#child?.pid ?? 0).slice(1);
  }

  /** A handshake with the client's certificate and `GET /`, by curl, on a new connection. */
  async get(client?: { readonly cert: string; readonly key: string }): Promise<Reply> {
    const before = this.#log().length;
    const own = client === undefined ? [] : ["--cert", client.cert, "--key", client.key];
    const base = ["--silent", "--cacert", this.file("server.pem"), "--max-time", "15"];
    const url = `https://localhost:${this.port}/`;
    const { text } = await ask("curl", [...base, ...own, "--write-out", "\n%{http_code}", url]);
    const lines = text.split("\n");
    const log = this.#log().slice(before);
    return { status: Number(lines.at(-1)), body: lines.slice(0, -1).join("\n"), log };
  }

  #log(): string {
    const file = this.file("error.log");
    return existsSync(file) ? readFileSync(file, "utf8") : "";
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
      await Promise.race([once(child, "exit"), sleep(3_000)]);
      signalAll(tree, "SIGKILL");
      await untilGone(tree);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
