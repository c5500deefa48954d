import { randomBytes } from "node:crypto";
import { connect } from "node:net";

import type { FastifyInstance } from "fastify";
import { pino } from "pino";

import { createVaApp } from "../../src/http/va-app.ts";
import { newSerial, serialBytes, type Serial } from "../../src/pki/serial.ts";
import type { Delegate } from "../../src/va/delegate.ts";
import { newOcspCounts } from "../../src/va/ocsp-counts.ts";
import { publicationOf, type Publication } from "../../src/va/publication.ts";
import { createResponder } from "../../src/va/responder.ts";
import { StatusIndex, type CertificateStatus } from "../../src/va/status-index.ts";
import { VaHierarchy } from "./va-hierarchy.ts";

export const MAX_STALE_MS = 24 * 60 * 60 * 1000;

/** What the VA's answers depend on beside the status. */
export interface Surroundings {
  known: number;
  now: () => Date;
  delegates: ReadonlyMap<string, Delegate>;
}

/** The VA's HTTP app over an index that the test fills: all that answers a request, without a database to learn from. */
export class VaServer {
  readonly ca = new VaHierarchy();
  readonly index = new StatusIndex();
  readonly issuingNumber = this.index.issuerNumber("issuing-g1");
  readonly rootNumber = this.index.issuerNumber("root-g1");
  readonly counts = newOcspCounts();
  readonly surroundings: Surroundings = {
    known: Date.now(),
    now: () => new Date(),
    delegates: new Map(["issuing-g1", "root-g1"].map((id) => [id, this.ca.delegate(id)])),
  };
  readonly responder = createResponder({
    index: this.index,
    known: () => this.surroundings.known,
    lookUp: () => Promise.resolve("done" as const),
    delegate: (id) => this.surroundings.delegates.get(id),
    clock: () => this.surroundings.now(),
    maxStaleMs: MAX_STALE_MS,
    onError: (error) => {
      throw error;
    },
  });
  readonly list = publicationOf(Buffer.from("a list"), "application/pkix-crl", {
    modifiedAt: new Date("2026-11-21T00:00:00Z"),
    expiresAt: new Date(Date.now() + 86_400_000),
  });
  readonly certificate = publicationOf(this.ca.issuing.certificate, "application/pkix-cert", {
    modifiedAt: new Date("2026-11-20T00:00:00Z"),
  });
  #app: FastifyInstance | undefined;
  #url = "";

  get url(): string {
    return this.#url;
  }

  async open(): Promise<void> {
    this.responder.setIssuers([this.ca.rootIssuer, this.ca.issuingIssuer]);
    const files: Record<string, Publication> = {
      "crl/issuing-g1.crl": this.list,
      "ca/issuing-g1.cer": this.certificate,
    };
    this.#app = await createVaApp({
      responder: this.responder,
      counts: this.counts,
      publication: (name) => files[name],
      readiness: () => Promise.resolve({ ready: true, roles: { va: { ready: true } } }),
      clock: () => this.surroundings.now(),
      log: pino({ level: "silent" }),
    });
    this.#url = await this.#app.listen({ host: "127.0.0.1", port: 0 });
  }

  async close(): Promise<void> {
    await this.#app?.close();
  }

  set(serial: Serial, status: Partial<CertificateStatus> = {}): Serial {
    const good = { issuer: this.issuingNumber, state: "good", reason: 0, revokedAt: 0 } as const;
    const bytes = serialBytes(serial);
    if ((status.state ?? "good") === "good") this.index.release(bytes);
    this.index.set(bytes, { ...good, ...status });
    return serial;
  }

  /** A serial that is new, with this status. */
  fresh(status: Partial<CertificateStatus> = {}): Serial {
    return this.set(newSerial(randomBytes), status);
  }

  post(body: Uint8Array, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.url}/ocsp`, {
      method: "POST",
      headers: { "content-type": "application/ocsp-request", ...headers },
      body: Buffer.from(body),
    });
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.url}/ocsp/${path}`, { headers });
  }

  /** Sends these very bytes and returns what comes until the server closes, cut into head and body. */
  raw(bytes: Uint8Array | string): Promise<{ head: string; body: Buffer }> {
    return rawRequest(Number(new URL(this.url).port), bytes);
  }

  /** Other surroundings for as long as `work` takes. */
  async with(change: Partial<Surroundings>, work: () => Promise<void>): Promise<void> {
    const before = { ...this.surroundings };
    Object.assign(this.surroundings, change);
    try {
      await work();
    } finally {
      Object.assign(this.surroundings, before);
    }
  }
}

export function rawRequest(
  port: number,
  bytes: Uint8Array | string,
): Promise<{ head: string; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    const parts: Buffer[] = [];
    socket.on("data", (part) => parts.push(part));
    socket.on("end", () => {
      socket.end();
      const answer = Buffer.concat(parts);
      const end = answer.indexOf("\r\n\r\n");
      resolve({ head: answer.toString("latin1", 0, end), body: answer.subarray(end + 4) });
    });
    socket.on("error", reject);
  });
}

export const base64 = (der: Uint8Array): string => Buffer.from(der).toString("base64");

export const nowSeconds = (): number => Math.floor(Date.now() / 1000);
