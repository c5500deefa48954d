import { spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";

import { afterAll, beforeAll, expect, it } from "vitest";

import { transcriptFault } from "../../src/ca/root-transcript.ts";
import { readResponse } from "../../src/ca/root-response.ts";
import {
  type Instance,
  instanceEnvironment,
  runSuido,
  startInstance,
} from "../../src/cli/instance.ts";
import { pemEncode } from "../../src/pki/pem.ts";
import { mustRun } from "../support/openssl-ca.ts";

/** A root session of docs/operations.md with the real program, step by step; each test stands on the one before. */
const folder = mkdtempSync(path.join(tmpdir(), "suido-session-"));
const at = (name: string): string => path.join(folder, name);
const vault = at("vault");
const requestFile = at("request.json");
const responseFile = at("response.json");
let env: Record<string, string>;
let instance: Instance;

async function must(...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runSuido(words, env);
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  return stdout;
}

beforeAll(async () => {
  const cert = at("mtls.pem");
  const key = at("mtls.key");
  const subject = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj";
  mustRun("openssl", [...subject.split(" "), "/CN=prove.example.jp", "-keyout", key, "-out", cert]);
  env = await instanceEnvironment({
    dataDir: at("data"),
    env: {
      SUIDO_MODE: "production",
      SUIDO_VA_URL: "http://va.example.jp",
      SUIDO_APP_URL: "https://suido.example.jp",
      SUIDO_MTLS_URL: "https://prove.example.jp",
      SUIDO_MTLS_CERT: cert,
      SUIDO_MTLS_KEY: key,
      SUIDO_KEK_FILE: at("kek"),
    },
  });
  await must("ca", "make-kek", at("kek"));
  await must("ca", "init");
  await must("ca", "root", "seal", vault);
  instance = await startInstance({ dataDir: at("data"), env });
}, 120_000);
afterAll(async () => {
  await instance.stop();
  rmSync(folder, { recursive: true, force: true });
});

const shares = [1, 3, 4].map((n) => path.join(vault, `share-${n}.${n === 3 ? "json" : "txt"}`));
const place = ["--root", vault, ...shares.flatMap((share) => ["--share", share])];
const SIGN = ["ca", "sign", requestFile, ...place, "--by", "鈴木,Tanaka", "--out", responseFile];

/** A program that ends at once when it wants a socket or a name's address. */
const NO_NETWORK = `
  import net from "node:net"; import dns from "node:dns"; import dgram from "node:dgram"; import { syncBuiltinESMExports } from "node:module";
  const end = () => process.exit(99);
  net.Socket.prototype.connect = net.Server.prototype.listen = dns.lookup = dns.promises.lookup = dgram.createSocket = end;
  syncBuiltinESMExports();`;

/** The root session as it is held: no network, nothing in the environment, an empty folder; `type` sees what is shown. */
async function offline(
  words: readonly string[],
  type: (digits: string) => string,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  mkdirSync(at("empty"), { recursive: true });
  const guard = ["--import", `data:text/javascript,${encodeURIComponent(NO_NETWORK)}`];
  const program = [...guard, path.resolve("src/cli/suido.js"), ...words];
  const child = spawn(process.execPath, program, { env: {}, cwd: at("empty") });
  let stderr = "";
  let answered = 0;
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
    const shown = [...stderr.matchAll(/SHA-256 {4}([0-9a-f]{8}) .*\n.*digits of the hash: /g)];
    for (const [, digits = ""] of shown.slice(answered)) child.stdin.write(`${type(digits)}\n`);
    answered = shown.length;
  });
  const stdout = await text(child.stdout);
  const code =
    child.exitCode ?? (await new Promise<number | null>((done) => child.once("close", done)));
  return { code, stdout, stderr };
}

const va = (): string => `http://${env["SUIDO_VA_LISTEN"]}`;
const publishedList = async (): Promise<Buffer> =>
  Buffer.from(await (await fetch(`${va()}/crl/root-g1.crl`)).arrayBuffer());

it("would notice a program that wants the network", async () => {
  const there = ["--va", "http://127.0.0.1:9", "--root", "0".repeat(64), "--folder", at("gate")];
  const other = await offline(["gate", "--once", ...there], () => "");
  expect(other.code).toBe(99);
}, 60_000);

it("asks while the service runs, and only once", async () => {
  const words = ["ca", "request", requestFile, "--new-issuing", "--json"];
  const asked = JSON.parse(await must(...words)) as { sha256: string };
  expect(mustRun("sha256sum", [requestFile])).toContain(asked.sha256);
  const again = await runSuido(["ca", "request", at("again.json")], env);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("--replace")]);
}, 60_000);

it("shows all of it without signing, and signs nothing that is not confirmed", async () => {
  const dry = await offline(["ca", "sign", requestFile, "--root", vault, "--dry-run"], () => "");
  expect([dry.code, dry.stdout]).toEqual([0, "nothing was signed\n"]);
  expect(dry.stderr).toContain("subject    CN=OCSP root-g1");
  expect(dry.stderr).toContain("issuer      CN=Suido Root CA G1,O=Suido");
  const wrong = await offline(SIGN, () => "00000000");
  expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("nothing is signed")]);
  const nobody = await runSuido(SIGN, env);
  expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringContaining("nothing is signed")]);
}, 60_000);

it("opens with no two shares, no corrupted one, and no stranger's", async () => {
  const two = SIGN.filter((_, i) => i !== 5 && i !== 6);
  expect((await offline(two, (digits) => digits)).stderr).toContain("3 shares open this root");
  const broken = at("broken.txt");
  writeFileSync(broken, readFileSync(shares[2] ?? "", "utf8").replace(/^05 {2}..../m, "05  0000"));
  const corrupted = SIGN.map((word) => (word === shares[2] ? broken : word));
  expect((await offline(corrupted, (digits) => digits)).stderr).toContain(
    "broken.txt cannot be used: line 5",
  );
}, 60_000);

it("signs without network, database and environment what two people confirm", async () => {
  const { code, stdout, stderr } = await offline(SIGN, (digits) => digits);
  expect([code, stderr]).toEqual([0, expect.stringContaining("TO BE SIGNED: the list of root-g1")]);
  const response = readResponse(readFileSync(responseFile, "utf8"));
  const { transcript } = response;
  expect(readFileSync(`${responseFile}.transcript.txt`, "utf8")).toBe(transcript);
  expect(transcriptFault(transcript)).toBeUndefined();
  expect(stdout).toContain(transcript.trimEnd().slice(-64));
  for (const told of [
    "present: 鈴木 and Tanaka",
    "shares 1, 3, 4 of 5",
    "sources SHA-256 ",
    "Node v?2",
  ])
    expect(transcript).toMatch(new RegExp(told));
}, 60_000);

it("takes it in while the service runs, and answers with it", async () => {
  const before = await publishedList();
  const imported = JSON.parse(await must("ca", "import", responseFile, "--json")) as object;
  expect(imported).toMatchObject({ delegate: "taken", issuing: "issuing-g2" });
  const response = readResponse(readFileSync(responseFile, "utf8"));
  await expect.poll(publishedList, { timeout: 20_000 }).toEqual(Buffer.from(response.list));
  expect(before.equals(Buffer.from(response.list))).toBe(false);

  const fetched = async (id: string): Promise<string> => {
    const file = at(`${id}.pem`);
    writeFileSync(file, await (await fetch(`${va()}/ca/${id}.pem`)).text());
    return file;
  };
  const root = await fetched("root-g1");
  const issuing = await fetched("issuing-g1");
  const ask = [
    "ocsp",
    "-issuer",
    root,
    "-cert",
    issuing,
    "-CAfile",
    root,
    "-url",
    `${va()}/ocsp`,
    "-resp_text",
  ];
  const { serialNumber } = new X509Certificate(response.delegate);
  const answer = (): string => mustRun("openssl", ask).replaceAll(/[:\s]/g, "").toUpperCase();
  await expect.poll(answer, { timeout: 20_000 }).toContain(serialNumber);
  expect(mustRun("openssl", ask)).toMatch(/: good[^]*Response verify OK/);
  const list = at("list.pem");
  writeFileSync(list, pemEncode("X509 CRL", response.list));
  expect(
    mustRun("openssl", [
      "verify",
      "-x509_strict",
      "-crl_check",
      "-CRLfile",
      list,
      "-CAfile",
      root,
      issuing,
    ]),
  ).toContain("OK");
}, 60_000);

it("takes nothing in twice, and nothing that was changed", async () => {
  const again = await runSuido(["ca", "import", responseFile], env);
  expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("imported on")]);
  const changed = at("changed.json");
  writeFileSync(changed, readFileSync(responseFile, "utf8").replace("Tanaka", "Satoh"));
  const other = await runSuido(["ca", "import", changed], env);
  expect([other.code, other.stderr]).toEqual([
    1,
    expect.stringContaining("another response already"),
  ]);
}, 60_000);

it("has a new issuing CA take over, and needs the root again for the revocation of the old one", async () => {
  await must("crl", "publish");
  const by = ["--by", "鈴木,Tanaka"];
  const early = await runSuido(["ca", "activate", "issuing-g2"], env);
  expect([early.code, early.stderr]).toEqual([
    1,
    expect.stringContaining("no relying party is registered"),
  ]);
  expect(await must("ca", "activate", "issuing-g2", "--override", ...by)).toContain("is active");
  const reason = ["--reason", "keyCompromise"];
  const revoked = await must("ca", "revoke", "issuing-g1", ...reason, ...by);
  expect(revoked).toContain("hold a root session now");
  const request = at("emergency.json");
  await must("ca", "request", request);
  const dry = await offline(["ca", "sign", request, "--root", vault, "--dry-run"], () => "");
  expect(dry.stderr).toMatch(/revoked +[0-9a-f]{32}.*keyCompromise/);
}, 60_000);

it("keeps journal, database and lists agreed", async () => {
  expect(await must("audit", "invariants")).toContain("ok");
}, 60_000);
