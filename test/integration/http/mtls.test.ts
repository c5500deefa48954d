import { execFileSync, spawn } from "node:child_process";
import { randomUUID, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { connect, type TLSSocket } from "node:tls";

import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";

import { plainSite } from "../../../src/config/site.ts";
import {
  createMtlsServer,
  type MtlsServer,
  type ServerCertificate,
} from "../../../src/http/mtls-app.ts";
import { newCsr, newKey } from "../ca/app-side.ts";
import { CHECK_URL, type HttpWorld, openHttpWorld, type Tenant } from "./world.ts";

interface ClientCertificate {
  readonly key: string;
  readonly cert: string;
  readonly maxVersion?: "TLSv1.2" | "TLSv1.3";
}

let world: HttpWorld;
let tenant: Tenant;
let mtls: MtlsServer;
let port: number;
let issuingCa: string;
let authorities: readonly string[];
const folder = mkdtempSync(path.join(tmpdir(), "suido-mtls-"));

/** A certificate that no CA of ours knows. */
function selfSigned(name: string): ClientCertificate {
  const [keyFile, certFile] = [path.join(folder, `${name}.key`), path.join(folder, `${name}.pem`)];
  execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-subj",
      `/CN=${name}`,
      "-days",
      "2",
      "-keyout",
      keyFile,
      "-out",
      certFile,
    ],
    { stdio: "ignore" },
  );
  return { key: readFileSync(keyFile, "utf8"), cert: readFileSync(certFile, "utf8") };
}

function openssl(...args: string[]): void {
  execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
}

/** A certificate from a CA that calls itself by another's name, given as Node.js writes it. */
function forgedBy(issuer: string): ClientCertificate {
  const newEc = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const subject = `/${issuer.split("\n").join("/")}`;
  openssl("req", "-x509", ...newEc, "-keyout", "ca.key", "-out", "ca.pem", "-subj", subject);
  openssl("req", "-new", ...newEc, "-keyout", "forged.key", "-out", "forged.csr", "-subj", "/CN=x");
  const signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", "77"];
  openssl("x509", "-req", "-in", "forged.csr", ...signing, "-out", "forged.pem");
  return {
    key: readFileSync(path.join(folder, "forged.key"), "utf8"),
    cert: readFileSync(path.join(folder, "forged.pem"), "utf8"),
  };
}

function serverCertificate(name: string): ServerCertificate {
  const { key, cert } = selfSigned(name);
  return { key, certificate: cert, authorities };
}

async function issue({
  accountId,
  deviceId,
}: Tenant): Promise<ClientCertificate & { readonly serialNumber: string }> {
  const key = newKey();
  const { status, body } = await world.call("POST", "/v1/certificates", {
    body: { accountId, deviceId, csr: newCsr(key) },
  });
  expect(status).toBe(201);
  const { certificate, serialNumber } = body;
  return { key, cert: certificate, serialNumber };
}

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>>;
}

function get(target: string, client?: ClientCertificate, method = "GET"): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: "127.0.0.1",
        port,
        path: target,
        method,
        rejectUnauthorized: false,
        agent: false,
        ...client,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const body = JSON.parse(Buffer.concat(chunks).toString()) as Reply["body"];
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
        });
      },
    );
    sent.on("error", reject);
    sent.end();
  });
}

function handshake(options: object = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options }, () =>
      resolve(socket),
    );
    socket.once("error", reject);
  });
}

beforeAll(async () => {
  world = await openHttpWorld();
  tenant = await world.tenant("みずき薬局");
  const { accountId, deviceId } = tenant;
  const { body } = await world.call("POST", "/v1/certificates", {
    body: { accountId, deviceId, csr: newCsr() },
  });
  authorities = body.chain;
  issuingCa = authorities[0] ?? "";
  const { identify } = world.side;
  mtls = await createMtlsServer({
    identify,
    certificate: serverCertificate("first.localhost"),
    authorizer: world.authorizer,
    clock: () => world.side.time.now,
    appUrl: "http://localhost:8000",
    site: plainSite(),
    mtlsUrl: "https://localhost:8443",
    successorOf: world.side.successorOf,
    renewalStart: {
      begin: () => Promise.reject(new Error("nothing is renewed here")),
      goOn: () => Promise.reject(new Error("nothing is renewed here")),
      isPutAside: () => Promise.resolve(false),
    },
    askRenewal: () => Promise.reject(new Error("nothing is renewed here")),
    visitCheck: () => Promise.reject(new Error("no check is visited here")),
    checkUrl: CHECK_URL,
    timeZone: "Asia/Tokyo",
    log: pino({ level: "silent" }),
    newId: () => randomUUID(),
  });
  await mtls.app.listen({ host: "127.0.0.1", port: 0 });
  ({ port } = mtls.app.server.address() as AddressInfo);
});
afterAll(async () => {
  await mtls.app.close();
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

it("tells the holder of a certificate who it stands for", async () => {
  const client = await issue(tenant);
  const reply = await get("/v1/whoami", client);
  expect(reply).toMatchObject({
    status: 200,
    headers: { "cache-control": "no-store" },
    body: {
      serialNumber: client.serialNumber,
      deviceId: tenant.deviceId,
      deviceName: "受付1号機",
      accountId: tenant.accountId,
      accountName: "みずき薬局",
      pharmacyId: tenant.pharmacyId,
      corporationId: tenant.corporationId,
    },
  });
  expect(reply.body["daysLeft"]).toBeGreaterThan(390);
  expect(reply.headers).not.toHaveProperty("access-control-allow-origin");
});

it("says that there is no certificate", async () => {
  expect(await get("/v1/whoami")).toMatchObject({
    status: 401,
    body: { type: "/problems/no-client-certificate" },
  });
});

it("says that another authority signed it", async () => {
  expect(await get("/v1/whoami", selfSigned("stranger"))).toMatchObject({
    status: 401,
    body: { type: "/problems/foreign-issuer" },
  });
});

it.for(["TLSv1.2", "TLSv1.3"] as const)(
  "says so also of a forgery in our CA's name, over %s",
  async (maxVersion) => {
    const client = { ...forgedBy(new X509Certificate(issuingCa).subject), maxVersion };
    expect(await get("/v1/whoami", client)).toMatchObject({
      status: 401,
      body: { type: "/problems/foreign-issuer" },
    });
  },
);

it.for([
  { name: "hold", reason: "certificateHold", type: "certificate-on-hold" },
  { name: "revocation", reason: "keyCompromise", type: "certificate-revoked" },
])(
  "sees a $name with the very next request, also on a connection that is open",
  async ({ reason, type }) => {
    const client = await issue(tenant);
    const socket = await handshake(client);
    const ask = (): Promise<string> =>
      new Promise((resolve) => {
        socket.once("data", (chunk: Buffer) => resolve(chunk.toString()));
        socket.write("GET /v1/whoami HTTP/1.1\r\nhost: x\r\n\r\n");
      });
    expect(await ask()).toContain("HTTP/1.1 200");
    await world.call("POST", `/v1/certificates/${client.serialNumber}/revoke`, {
      body: { reason },
    });
    const answer = await ask();
    socket.destroy();
    expect(answer).toContain("HTTP/1.1 403");
    expect(answer).toContain(`/problems/${type}`);
  },
);

it("says that it has expired", async () => {
  const client = await issue(tenant);
  const { time } = world.side;
  const { now } = time;
  time.now = new Date("2028-02-01T00:00:00Z");
  const reply = await get("/v1/whoami", client);
  time.now = now;
  expect(reply).toMatchObject({ status: 401, body: { type: "/problems/certificate-expired" } });
});

it("says that the device is retired", async () => {
  const device = await world.call("POST", "/v1/devices", {
    body: { pharmacyId: tenant.pharmacyId, name: "旧レジ", platform: "windows" },
  });
  const { id: deviceId } = device.body;
  const client = await issue({ ...tenant, deviceId });
  await world.side.admin.query("update app.device set retired_at = now() where id = $1", [
    deviceId,
  ]);
  expect(await get("/v1/whoami", client)).toMatchObject({
    status: 403,
    body: { type: "/problems/device-retired" },
  });
});

it("says that the person of a personal device has left its pharmacy", async () => {
  const leaver = await world.tenant("辞めた人の薬局");
  await world.call("PATCH", `/v1/devices/${leaver.deviceId}`, { body: { use: "personal" } });
  const client = await issue(leaver);
  expect(await get("/v1/whoami", client)).toMatchObject({ status: 200 });
  await world.call("DELETE", `/v1/memberships/${leaver.membershipId}`);
  expect(await get("/v1/whoami", client)).toMatchObject({
    status: 403,
    body: { type: "/problems/membership-ended" },
  });
});

it("RFC 8446 §4.2.4: names our authorities, so that the client picks the right certificate", async () => {
  const judge = spawn("openssl", ["s_client", "-connect", `127.0.0.1:${port}`], {
    stdio: ["pipe", "pipe", "ignore"],
    timeout: 10_000,
  });
  judge.stdin.end();
  const output = (await judge.stdout.toArray()).join("");
  const names = output.split("Acceptable client certificate CA names")[1] ?? "";
  const subject = new X509Certificate(issuingCa).subject;
  expect(names).toContain(/CN=(.+)/.exec(subject)?.[1]);
});

it("takes TLS 1.2 and 1.3, and nothing older", async () => {
  for (const version of ["TLSv1.2", "TLSv1.3"]) {
    const socket = await handshake({ minVersion: version, maxVersion: version });
    expect(socket.getProtocol()).toBe(version);
    socket.destroy();
  }
  const old = handshake({ minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" });
  await expect(old).rejects.toThrow(/protocol version|unsupported protocol|no protocols available/);
});

it("RFC 8446 §2.2: never resumes a session, so that each connection shows its certificate", async () => {
  const client = await issue(tenant);
  const first = await handshake({ ...client, maxVersion: "TLSv1.2" });
  const session = first.getSession();
  first.destroy();
  const second = await handshake({ ...client, maxVersion: "TLSv1.2", session });
  expect(second.isSessionReused()).toBe(false);
  second.destroy();
});

it("shows another server certificate without a restart, and still asks for the client's", async () => {
  const client = await issue(tenant);
  mtls.setCertificate(serverCertificate("second.localhost"));
  const socket = await handshake(client);
  expect(socket.getPeerCertificate().subject.CN).toBe("second.localhost");
  socket.destroy();
  expect(await get("/v1/whoami", client)).toMatchObject({ status: 200 });
});

it("answers /health/live to anybody, 404 and 405 by problem", async () => {
  expect(await get("/health/live")).toMatchObject({ status: 200, body: { status: "live" } });
  expect(await get("/nope")).toMatchObject({
    status: 404,
    body: { type: "/problems/no-such-route" },
  });
  expect(await get("/v1/whoami", undefined, "DELETE")).toMatchObject({
    status: 405,
    headers: { allow: "GET, HEAD" },
  });
});

it("does not take the issuing CA's certificate for a device's", async () => {
  expect(issuingCa).toContain("BEGIN CERTIFICATE");
  const identification = await world.side.identify(
    Buffer.from(issuingCa.replaceAll(/-----[A-Z ]+-----|\s/g, ""), "base64"),
  );
  expect(identification).toMatchObject({ kind: "refused" });
});
