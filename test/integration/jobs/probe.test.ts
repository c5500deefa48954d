import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Registry } from "prom-client";
import { afterAll, beforeEach, expect, it } from "vitest";
import { createProbe, type ProbeFindings } from "../../../src/jobs/probe.ts";
import { ocspAnswer } from "../../support/ocsp-answer.ts";
import { mustRun, nodeDigest, nodeVerify, OpensslCa } from "../../support/openssl-ca.ts";
import { portOf } from "../../support/smtp.ts";

const ca = new OpensslCa();
const delegate = ca.delegate();
const other = new OpensslCa();

/** An empty list of an issuing CA, made by the openssl program. */
function listOf(authority: OpensslCa, options: readonly string[] = []): Buffer {
  const index = authority.write("index.txt", "");
  const number = authority.write("number.txt", "01\n");
  const config = authority.write(
    "list.cnf",
    `[ca]\ndefault_ca=d\n[d]\ndatabase=${index}\ncrlnumber=${number}\ndefault_md=sha256\ndefault_crl_days=7\ncrl_extensions=e\n[e]\nauthorityKeyIdentifier=keyid\n`,
  );
  const { pem, key } = authority.issuing;
  const made = authority.file("list.pem");
  const files = ["-config", config, "-cert", pem, "-keyfile", key, "-out", made];
  mustRun("openssl", ["ca", "-gencrl", ...files, ...options]);
  mustRun("openssl", ["crl", "-in", made, "-outform", "DER", "-out", authority.file("list.crl")]);
  return readFileSync(authority.file("list.crl"));
}

type Answer = (body: Uint8Array) => Uint8Array | undefined;
let answers: Record<string, Answer> = {};
const good: Record<string, Answer> = {
  "/list.crl": () => listOf(ca),
  "/issuing.cer": () => ca.issuing.der,
  "/ocsp": (body) => ocspAnswer(body, { status: { kind: "good" }, by: delegate, now: new Date() }),
};

async function reply(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const answer = answers[request.url ?? ""]?.(Buffer.concat(chunks));
  response.writeHead(answer === undefined ? 404 : 200).end(answer);
}

const server = createServer((request, response) => void reply(request, response));
server.listen(0, "127.0.0.1");
await once(server, "listening");
const base = `http://127.0.0.1:${portOf(server)}`;
const leaf = ca.leaf(
  "leaf",
  `crlDistributionPoints=URI:${base}/list.crl\nauthorityInfoAccess=OCSP;URI:${base}/ocsp,caIssuers;URI:${base}/issuing.cer\n`,
);

beforeEach(() => {
  answers = { ...good };
});
afterAll(async () => {
  ca.dispose();
  other.dispose();
  await new Promise((resolve) => server.close(resolve));
});

const metrics = new Registry();
const probe = createProbe({
  subject: async () => ({ certificate: leaf.der, issuer: ca.issuing.der }),
  digest: nodeDigest,
  verify: nodeVerify,
  random: randomBytes,
  clock: () => new Date(Date.now() + 1_000),
  metrics,
});

it("finds nothing wrong where everything is as certificates promise", async () => {
  expect(await probe.look()).toEqual({ crl: [], ca: [], ocsp: [] });
  const text = await metrics.metrics();
  for (const what of ["crl", "ca", "ocsp"]) {
    expect(text).toContain(`suido_probe_success{what="${what}"} 1`);
    expect(text).toContain(`suido_probe_seconds{what="${what}"}`);
  }
});

it.for<[string, keyof ProbeFindings, string, Answer | undefined]>([
  ["a list that is not there", "crl", "/list.crl", undefined],
  ["something that is no list", "crl", "/list.crl", () => Buffer.from("<html>")],
  ["a list of another CA", "crl", "/list.crl", () => listOf(other)],
  [
    "an expired list",
    "crl",
    "/list.crl",
    () => listOf(ca, ["-crl_nextupdate", "20200101000000Z", "-crl_lastupdate", "20190101000000Z"]),
  ],
  ["another CA's certificate", "ca", "/issuing.cer", () => other.issuing.der],
  ["an OCSP responder that is away", "ocsp", "/ocsp", undefined],
  [
    "an OCSP answer of somebody else",
    "ocsp",
    "/ocsp",
    (body) => ocspAnswer(body, { status: { kind: "good" }, by: other.issuing, now: new Date() }),
  ],
  [
    "an OCSP responder that does not know the certificate",
    "ocsp",
    "/ocsp",
    (body) => ocspAnswer(body, { status: { kind: "unknown" }, by: delegate, now: new Date() }),
  ],
  [
    "an OCSP answer of yesterday",
    "ocsp",
    "/ocsp",
    (body) =>
      ocspAnswer(body, {
        status: { kind: "good" },
        by: delegate,
        now: new Date(Date.now() - 86_400_000),
      }),
  ],
] as const)("notices %s, and only that", async ([, what, path, answer]) => {
  answers = { ...good, [path]: answer ?? (() => undefined) };
  const findings = await probe.look();
  const bad = Object.entries(findings ?? {}).filter(([, found]) => found.length > 0);
  expect(bad.map(([name]) => name)).toEqual([what]);
  expect(await metrics.metrics()).toContain(`suido_probe_success{what="${what}"} 0`);
});

it("says nothing while there is no certificate to ask about", async () => {
  const empty = createProbe({
    subject: async () => undefined,
    digest: nodeDigest,
    verify: nodeVerify,
    random: randomBytes,
    clock: () => new Date(),
    metrics: new Registry(),
  });
  expect(await empty.look()).toBeUndefined();
});
