import { spawn } from "node:child_process";
import { generateKeyPairSync, type KeyObject, randomUUID } from "node:crypto";
import { once } from "node:events";
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import {
  type Instance,
  instanceEnvironment,
  runSuido,
  startInstance,
} from "../../src/cli/instance.ts";
import { pemEncode } from "../../src/pki/pem.ts";
import { makeCsr } from "./csr.ts";
import { processTree, signalAll, untilGone } from "./process-tree.ts";

type Environment = Readonly<Record<string, string>>;

/** An answer of the API, whatever its status. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test reads the members that it expects
  readonly body: any;
}

export interface Call {
  readonly body?: object;
  readonly idempotencyKey?: string;
  /** Another API key than the admin's. */
  readonly key?: string;
  readonly timeoutMs?: number;
}

/** Ids of one of each: a corporation, a pharmacy of it, its manager, a device. */
export interface World {
  readonly corporationId: string;
  readonly pharmacyId: string;
  readonly accountId: string;
  readonly deviceId: string;
}

/** A key that a device has made, with its request. */
export interface DeviceKey {
  readonly privateKey: KeyObject;
  /** PKCS#8 in PEM. */
  readonly pem: string;
  /** PKCS#10 in PEM. */
  readonly csr: string;
}

/** The API's certificate, as far as tests read it. */
export interface Certificate {
  readonly serialNumber: string;
  readonly status: string;
  readonly reason?: string;
  readonly revokedAt?: string;
  readonly notAfter: string;
  readonly deviceId: string;
  readonly certificate: string;
  readonly chain: readonly string[];
  readonly pkcs12?: { readonly data: string; readonly password: string };
}

/** A certificate with the key that belongs to it. */
export interface Issued extends Certificate {
  readonly privateKey: string;
}

/** A P-256 key and its request. Fast enough for load: nothing is started for it. */
export function makeDeviceKey(): DeviceKey {
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = new Uint8Array(pair.publicKey.export({ type: "spki", format: "der" }));
  const der = makeCsr({ privateKey: pair.privateKey, spki });
  return {
    privateKey: pair.privateKey,
    pem: pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    csr: pemEncode("CERTIFICATE REQUEST", der),
  };
}

/** Runs `suido serve` that is expected to end by itself; what it said, and its exit code. It is killed after `timeoutMs`; `under` is a program to run it under. */
export async function serveUntilEnd(
  env: Environment,
  options: { readonly timeoutMs?: number; readonly under?: readonly string[] } = {},
): Promise<{ readonly code: number | null; readonly said: string; readonly tookMs: number }> {
  const began = performance.now();
  const { timeoutMs = 30_000, under = [] } = options;
  const program = [...under, process.execPath, path.resolve("src/cli/suido.js"), "serve"];
  const [command = "", ...args] = program;
  const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
  const timer = setTimeout(() => signalAll(processTree(child.pid ?? 0), "SIGKILL"), timeoutMs);
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  return { code, said, tookMs: performance.now() - began };
}

/** What a failing command wants people to read: its lines that are no log. */
export function sentencesOf(said: string): string[] {
  return said.split("\n").filter((line) => line !== "" && !line.startsWith("{"));
}

/** Asks again and again until the answer is as wished. */
export async function eventually<T>(
  ask: () => Promise<T>,
  isAsWished: (answer: T) => boolean,
  patienceMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const answer = await ask();
    if (isAsWished(answer)) return answer;
    if (performance.now() > deadline)
      throw new Error(`not within ${patienceMs} ms; last: ${JSON.stringify(answer)}`);
    await sleep(50);
  }
}

/** One whole Suido in a folder of its own, as somebody would run it: started, stopped and killed from outside. */
export class Service {
  readonly dataDir: string;
  readonly env: Environment;
  readonly #key = { text: "" };
  readonly #agent = new Agent({ keepAlive: true });
  #instance: Instance | undefined;

  private constructor(dataDir: string, env: Environment) {
    this.dataDir = dataDir;
    this.env = env;
  }

  /** On free ports and an embedded PostgreSQL of its own; started, and with an admin's API key. */
  static async open(env: Environment = {}): Promise<Service> {
    const service = await Service.prepare(env);
    try {
      await service.start();
      await service.makeKey();
      return service;
    } catch (error) {
      await service.dispose();
      throw error;
    }
  }

  /** The same, not yet started. */
  static async prepare(env: Environment = {}): Promise<Service> {
    const dataDir = mkdtempSync(path.join(tmpdir(), "suido-service-"));
    return new Service(dataDir, await instanceEnvironment({ dataDir, env }));
  }

  get instance(): Instance {
    if (this.#instance === undefined) throw new Error("the service is not running");
    return this.#instance;
  }

  get pid(): number {
    return this.instance.child.pid ?? 0;
  }

  get vaUrl(): string {
    return this.instance.urls.va;
  }

  get key(): string {
    return this.#key.text;
  }

  /** Starts it on the ports that it had before. Returns how long that took, in milliseconds. */
  async start(env: Environment = {}, roles?: string): Promise<number> {
    const began = performance.now();
    this.#instance = await startInstance({
      dataDir: this.dataDir,
      env: { ...this.env, ...env },
      ...(roles !== undefined && { roles }),
      timeoutMs: 60_000,
    });
    return performance.now() - began;
  }

  /** SIGTERM, and the exit code. */
  async stop(): Promise<number | null> {
    const code = await this.instance.stop();
    this.#instance = undefined;
    return code;
  }

  /** Makes the admin's key that `api` uses from now on. */
  async makeKey(): Promise<void> {
    const { key } = await this.command<{ key: string }>("api-key", "create", "--role", "admin");
    this.#key.text = key;
  }

  /** Ids of all processes: the app, the signer, and the embedded database with its children. */
  processes(): { readonly app: number; readonly signer: number; readonly postgres: number[] } {
    const tree = processTree(this.pid);
    const postmaster = this.postmaster();
    const postgres = postmaster === undefined ? [] : processTree(postmaster);
    const signer = tree.find((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("signer.ts"),
    );
    return { app: this.pid, signer: signer ?? 0, postgres };
  }

  /** The embedded database's first process, while it runs. */
  postmaster(): number | undefined {
    const file = path.join(this.dataDir, "postgres", "postmaster.pid");
    return existsSync(file) ? Number(readFileSync(file, "utf8").split("\n")[0]) : undefined;
  }

  /** kill -9 of everything at once, as when the machine loses its power as far as processes can tell. */
  async killAll(): Promise<void> {
    const { app, signer, postgres } = this.processes();
    const all = [app, signer, ...postgres].filter((pid) => pid > 0);
    signalAll(all, "SIGKILL");
    await untilGone(all);
    this.#instance = undefined;
  }

  /** Waits for the app to end by itself, with its exit code. The database may be left behind. */
  async ended(): Promise<number | null> {
    const { child } = this.instance;
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    this.#instance = undefined;
    return child.exitCode;
  }

  /** Runs a command that has to work, and reads its JSON. */
  async command<T>(...words: readonly string[]): Promise<T> {
    const { code, stdout, stderr } = await runSuido([...words, "--json"], this.env);
    if (code !== 0) throw new Error(`suido ${words.join(" ")} ended with ${code}: ${stderr}`);
    return JSON.parse(stdout) as T;
  }

  /** Calls the API. Throws only when no whole answer comes. */
  async call(method: string, route: string, call: Call = {}): Promise<Answer> {
    const { body, idempotencyKey, key = this.key, timeoutMs = 20_000 } = call;
    const sent = request(`${this.instance.urls.app}${route}`, {
      method,
      agent: this.#agent,
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        authorization: `Bearer ${key}`,
        ...(body !== undefined && { "content-type": "application/json" }),
        ...(idempotencyKey !== undefined && { "idempotency-key": idempotencyKey }),
      },
    });
    sent.end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const answer = await text(response);
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: answer === "" ? undefined : (JSON.parse(answer) as unknown),
    };
  }

  /** Calls the API, for what has to work. */
  async must<T>(method: string, route: string, call: Call = {}): Promise<T> {
    const answer = await this.call(method, route, call);
    if (answer.status < 300) return answer.body as T;
    throw new Error(`${method} ${route}: ${answer.status} ${JSON.stringify(answer.body)}`);
  }

  async #make(what: string, body: object): Promise<string> {
    return (await this.must<{ id: string }>("POST", `/v1/${what}`, { body })).id;
  }

  /** A corporation with a pharmacy, its manager and a device. */
  async world(platform = "windows"): Promise<World> {
    const corporationId = await this.#make("corporations", { name: `みずき薬局 ${randomUUID()}` });
    const pharmacyId = await this.#make("pharmacies", { corporationId, name: "本店" });
    const accountId = await this.#make("accounts", { corporationId, name: "薬師 太郎" });
    await this.#make("memberships", { accountId, pharmacyId, role: "manager" });
    const deviceId = await this.#make("devices", { pharmacyId, name: "受付1号機", platform });
    return { corporationId, pharmacyId, accountId, deviceId };
  }

  /** Issues a certificate to the world's device for a key of its own. */
  async issue({ accountId, deviceId }: World): Promise<Issued> {
    const { csr, pem } = makeDeviceKey();
    const body = { accountId, deviceId, csr };
    const issued = await this.must<Certificate>("POST", "/v1/certificates", { body });
    return { ...issued, privateKey: pem };
  }

  revoke(serialNumber: string, reason = "keyCompromise"): Promise<Certificate> {
    const body = { reason };
    return this.must("POST", `/v1/certificates/${serialNumber}/revoke`, { body });
  }

  unhold(serialNumber: string): Promise<Certificate> {
    return this.must("POST", `/v1/certificates/${serialNumber}/unhold`);
  }

  status(serialNumber: string): Promise<Certificate> {
    return this.must("GET", `/v1/certificates/${serialNumber}`);
  }

  /** What /health/ready says. */
  readiness(): Promise<Answer> {
    return this.call("GET", "/health/ready");
  }

  /** Throws with the faults unless `suido audit invariants` finds none. */
  async checkInvariants(): Promise<void> {
    const { code, stdout, stderr } = await runSuido(["audit", "invariants", "--json"], this.env);
    if (code !== 0) throw new Error(`invariants: ${stdout}${stderr}`);
  }

  /** A file that the VA publishes, such as `crl/bundle.pem`. */
  async published(name: string): Promise<Buffer> {
    const response = await fetch(`${this.vaUrl}/${name}`);
    if (!response.ok) throw new Error(`${name}: ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  }

  /** Ends whatever runs and removes the folder. Safe to call at any time. */
  async dispose(): Promise<void> {
    this.#agent.destroy();
    if (this.#instance !== undefined) {
      signalAll(processTree(this.pid), "SIGKILL");
      this.#instance = undefined;
    }
    const postmaster = this.postmaster();
    const left = postmaster === undefined ? [] : processTree(postmaster);
    signalAll(left, "SIGKILL");
    await untilGone(left);
    rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}
