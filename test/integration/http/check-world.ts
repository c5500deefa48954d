import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { pino } from "pino";
import { expect } from "vitest";

import { plainSite } from "../../../src/config/site.ts";
import { createSystem } from "../../../src/cli/system.ts";
import { createMtlsServer } from "../../../src/http/mtls-app.ts";
import { createRenewalStart } from "../../../src/lifecycle/renewal-start.ts";
import { createScriptSecrets, type ScriptSecrets } from "../../../src/lifecycle/script-secrets.ts";
import { createAskRenewal } from "../../../src/lifecycle/scripted-renewal.ts";
import { createVisitCheck } from "../../../src/lifecycle/proof.ts";
import { newCsr, newKey } from "../ca/app-side.ts";
import { CHECK_URL, type HttpWorld, openHttpWorld, type Tenant } from "./world.ts";

interface Client {
  readonly key: string;
  readonly cert: string;
}
export interface Device extends Client {
  readonly serialNumber: string;
}
interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}
interface Asking {
  readonly client?: Client;
  readonly headers?: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly body?: object;
}

/** The mTLS listener over real rooms and a real database, and what devices do there. */
export interface CheckWorld extends HttpWorld {
  /** Every line that the listener has logged. */
  readonly logged: string[];
  readonly scriptSecrets: ScriptSecrets;
  issue(tenant: Tenant): Promise<Device>;
  renew(device: Device): Promise<Device>;
  check(
    serialNumber: string,
    call?: { readonly key?: string; readonly idempotencyKey?: string },
  ): Promise<{ readonly id: string; readonly url: string }>;
  /** As a device goes there: to that very host name, in a connection of its own. */
  visit(url: string, asking?: Asking): Promise<Reply>;
  /** What a program is told there. */
  outcome(url: string, client?: Client): Promise<Readonly<Record<string, unknown>>>;
  /** All that an auditor and other systems have been told of a certificate's proof. */
  told(serialNumber: string): Promise<readonly object[]>;
  provenAt(serialNumber: string): Promise<unknown>;
}

/** A certificate that no CA of ours knows. */
export function selfSigned(): Client {
  const folder = mkdtempSync(path.join(tmpdir(), "suido-stranger-"));
  const [key, cert] = [path.join(folder, "stranger.key"), path.join(folder, "stranger.pem")];
  const newEc = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const out = ["-subj", "/CN=stranger", "-days", "2", "-keyout", key, "-out", cert];
  try {
    execFileSync("openssl", ["req", "-x509", ...newEc, ...out], { stdio: "ignore" });
    return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Goes to an address of the mTLS listener at this port, whose name is in no DNS, in a connection of its own. */
export function visitAt(
  port: number,
  url: string,
  { body, client, headers, method = "GET" }: Asking,
): Promise<Reply> {
  const { hostname, host, pathname, search } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: "127.0.0.1",
        port,
        servername: hostname,
        path: pathname + search,
        method,
        rejectUnauthorized: false,
        agent: false,
        headers: {
          host,
          accept: "application/json",
          ...(body !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
        ...client,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        });
      },
    );
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** What the API answers with a certificate's key beside it. */
async function asked(world: HttpWorld, target: string, body: object): Promise<Device> {
  const key = newKey();
  const { status, body: made } = await world.call("POST", target, {
    body: { ...body, csr: newCsr(key) },
  });
  expect(status).toBe(201);
  return { key, cert: made.certificate, serialNumber: made.serialNumber };
}

export async function openCheckWorld(): Promise<CheckWorld> {
  const world = await openHttpWorld();
  const { admin, identify, database, time } = world.side;
  const { key, cert } = selfSigned();
  const logged: string[] = [];
  const deps = {
    ...createSystem(),
    database,
    identify,
    clock: () => time.now,
    newId: () => randomUUID(),
  };
  const guessing = { ...deps, guesses: { note: async () => undefined } };
  const renewalStart = createRenewalStart(guessing);
  const scriptSecrets = createScriptSecrets(guessing);
  const { app } = await createMtlsServer({
    ...deps,
    certificate: { key, certificate: cert, authorities: [] },
    visitCheck: createVisitCheck(deps),
    checkUrl: CHECK_URL,
    timeZone: "Asia/Tokyo",
    authorizer: world.authorizer,
    appUrl: "http://localhost:8000",
    mtlsUrl: "https://localhost:8443",
    successorOf: world.side.successorOf,
    renewalStart,
    askRenewal: createAskRenewal({
      ...guessing,
      timeZone: "Asia/Tokyo",
      renewalStart,
      scriptSecrets,
    }),
    site: plainSite("みずきシステム サポート 0120-000-000"),
    log: pino({ level: "trace" }, { write: (line: string) => logged.push(line) }),
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const visit: CheckWorld["visit"] = (url, asking = {}) => visitAt(port, url, asking);
  return {
    ...world,
    logged,
    scriptSecrets,
    visit,
    issue: ({ accountId, deviceId }) => asked(world, "/v1/certificates", { accountId, deviceId }),
    renew: ({ serialNumber }) => asked(world, `/v1/certificates/${serialNumber}/renew`, {}),
    async check(serialNumber, call = {}) {
      const answer = await world.call("POST", `/v1/certificates/${serialNumber}/checks`, call);
      expect(answer.status).toBe(201);
      return answer.body as unknown as { id: string; url: string };
    },
    async outcome(url, client) {
      const { text } = await visit(url, client === undefined ? {} : { client });
      return JSON.parse(text) as Readonly<Record<string, unknown>>;
    },
    told: (serialNumber) =>
      admin.query(
        `select a.at, a.actor, a.corporation_id, a.detail, e.type, e.data = a.detail as same
         from app.audit a join app.event e on e.xid = a.xid and e.subject = a.subject
         where a.subject = $1 and a.action = 'certificate.proven'`,
        [`certificate/${serialNumber}`],
      ),
    async provenAt(serialNumber) {
      const { body } = await world.call("GET", `/v1/certificates/${serialNumber}`);
      return (body as { provenAt?: string }).provenAt;
    },
    async close() {
      await app.close();
      await world.close();
    },
  };
}
