import { type ChildProcess, spawn } from "node:child_process";
import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { freePorts } from "../../src/cli/instance.ts";
import { embeddedUrl } from "../../src/storage/embedded.ts";
import { makeDeviceKey, Service, type World } from "../support/service.ts";
import { isInstalled, median, peerOf, print, run, wrk } from "./figures.ts";
import { posting, prepared } from "./posting.ts";

/**
 * P7: a request for a certificate by HTTP, the certificate in the answer, durable, 32 clients: a whole `suido serve` beside
 * `step-ca`, which keeps its books in a database of the same PostgreSQL. Its clients bring one-time tokens of a JWK
 * provisioner, made beforehand like the requests. It speaks TLS only; its connections are kept, so that no handshake counts.
 */
const ROUNDS = Number(process.argv[2] ?? 4);
const WARM_UP = 2;
const SECONDS = 4;
const CLIENTS = 32;
/** Requests ready for each second of load: more than can be answered. */
const PREPARED_PER_SECOND = 1_500;
const PATIENCE_MS = 30_000;

const STEP_CA = "github.com/smallstep/certificates/cmd/step-ca@v0.30.2";

const folder = mkdtempSync(path.join(tmpdir(), "suido-bench-step-ca-"));
const file = (name: string): string => path.join(folder, name);

/** In the path, or where `go install` puts programs. */
function stepCaProgram(): string | undefined {
  if (isInstalled("step-ca")) return "step-ca";
  const home = process.env["GOPATH"] ?? path.join(process.env["HOME"] ?? "", "go");
  const built = path.join(process.env["GOBIN"] ?? path.join(home, "bin"), "step-ca");
  return existsSync(built) ? built : undefined;
}

interface StepCa {
  readonly process: ChildProcess;
  readonly url: string;
  /** A body for its /1.0/sign. */
  readonly request: () => string;
}

const base64url = (value: object): string =>
  Buffer.from(JSON.stringify(value)).toString("base64url");

/** A JWT by the provisioner's key (RFC 7515 §3.1, RFC 7518 §3.4). */
function tokenOf(key: KeyObject, kid: string, audience: string): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: "bench",
    aud: audience,
    sub: "device",
    sans: ["device"],
    jti: randomUUID(),
    iat: now,
    nbf: now - 60,
    exp: now + 3_600,
  };
  const text = `${base64url({ alg: "ES256", typ: "JWT", kid })}.${base64url(claims)}`;
  const signature = sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" });
  return `${text}.${signature.toString("base64url")}`;
}

/** A root and an issuing CA, as `step ca init` would make them. */
async function makeCas(): Promise<void> {
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const root = ["-keyout", file("root.key"), "-out", file("root.crt"), "-subj", "/CN=root"];
  await run("openssl", ["req", "-x509", ...ec, ...root, "-days", "3650"]);
  const request = ["-keyout", file("ca.key"), "-out", file("ca.csr"), "-subj", "/CN=issuing"];
  await run("openssl", ["req", ...ec, ...request]);
  writeFileSync(
    file("extensions"),
    "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n",
  );
  const by = ["-CA", file("root.crt"), "-CAkey", file("root.key"), "-CAcreateserial"];
  const from = ["-in", file("ca.csr"), "-extfile", file("extensions"), "-days", "1825"];
  await run("openssl", ["x509", "-req", ...from, ...by, "-out", file("ca.crt")]);
}

async function startStepCa(program: string, databaseUrl: string): Promise<StepCa> {
  await makeCas();
  const [port = 0] = await freePorts(1);
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = publicKey.export({ format: "jwk" });
  const kid = createHash("sha256").update(JSON.stringify(jwk)).digest("base64url");
  const key = { ...jwk, kid, alg: "ES256", use: "sig" };
  const claims = { maxTLSCertDuration: "9600h", defaultTLSCertDuration: "9600h" };
  const config = {
    root: file("root.crt"),
    crt: file("ca.crt"),
    key: file("ca.key"),
    address: `127.0.0.1:${port}`,
    dnsNames: ["localhost", "127.0.0.1"],
    db: {
      type: "postgresql",
      dataSource: databaseUrl.replace(/\/[^/]*$/, "/"),
      database: "stepca",
    },
    authority: { provisioners: [{ type: "JWK", name: "bench", key, claims }] },
  };
  writeFileSync(file("ca.json"), JSON.stringify(config));
  const child = spawn(program, [file("ca.json")], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
  const deadline = performance.now() + PATIENCE_MS;
  while (!said.includes("Serving HTTPS")) {
    if (child.exitCode !== null || performance.now() > deadline)
      throw new Error(`step-ca does not start: ${said}`);
    await sleep(50);
  }
  const url = `https://127.0.0.1:${port}/1.0/sign`;
  const request = (): string =>
    JSON.stringify({ csr: makeDeviceKey().csr, ott: tokenOf(privateKey, kid, url) });
  return { process: child, url, request };
}

interface Side {
  readonly url: string;
  readonly bodies: () => readonly string[];
  readonly authorization?: string;
}

async function round(name: string, { authorization, bodies, url }: Side): Promise<number> {
  const posted = { folder, name, bodies: bodies() };
  const script = posting({ ...posted, ...(authorization !== undefined && { authorization }) });
  return wrk({ url, connections: CLIENTS, seconds: SECONDS, script });
}

const COUNT = SECONDS * PREPARED_PER_SECOND;

async function measure(service: Service, stepCa: StepCa | undefined): Promise<void> {
  const worlds: World[] = [];
  while (worlds.length < CLIENTS) worlds.push(await service.world());
  const suido: Side = {
    url: `${service.instance.urls.app}/v1/certificates`,
    bodies: () => prepared(worlds, COUNT),
    authorization: `Bearer ${service.key}`,
  };
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let i = 0; i < WARM_UP + ROUNDS; i++) {
    const rate = await round(`suido-${i}`, suido);
    if (i >= WARM_UP) ours.push(rate);
    if (stepCa === undefined) continue;
    const { request, url } = stepCa;
    const bodies = (): readonly string[] => Array.from({ length: COUNT }, request);
    const theirRate = await round(`step-ca-${i}`, { url, bodies });
    if (i >= WARM_UP) theirs.push(theirRate);
  }
  const beside = peerOf("step-ca-on-postgresql", theirs);
  print({ name: "P7-issue", value: median(ours), unit: "certificates/s", beside });
}

const program = stepCaProgram();
if (program === undefined)
  console.error(`step-ca is not there: no ratio. With Go: CGO_ENABLED=0 go install ${STEP_CA}`);
const service = await Service.open({ SUIDO_LOG_LEVEL: "error" });
let stepCa: StepCa | undefined;
try {
  const databaseUrl = embeddedUrl(service.dataDir) ?? "";
  stepCa = program === undefined ? undefined : await startStepCa(program, databaseUrl);
  await measure(service, stepCa);
} finally {
  stepCa?.process.kill();
  await service.dispose();
  rmSync(folder, { recursive: true });
}
