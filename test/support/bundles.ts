import { createHash, sign } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";

import type { Judge } from "../../src/gate/authorities.ts";
import { RefusedError, type RefusalCode } from "../../src/gate/errors.ts";
import { type Before, type Bundles, judgeGeneration } from "../../src/gate/generation.ts";
import { toHex } from "../../src/pki/bytes.ts";
import { algorithmIdentifier } from "../../src/pki/certificate.ts";
import { CrlEntries } from "../../src/pki/crl-entries.ts";
import { buildCrlTbs, type CrlTemplate } from "../../src/pki/crl.ts";
import { pemEncode } from "../../src/pki/pem.ts";
import { parseSerial } from "../../src/pki/serial.ts";
import { assembleSigned } from "../../src/pki/signed.ts";
import {
  type Authority,
  createIssuing,
  createRoot,
  digest,
  verifySignature,
} from "./certificates.ts";
import { constructed, decode, descend, encode, member, primitive } from "./der-edit.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;

/** Serials that are revoked. */
export const entriesOf = (serials: readonly string[], revokedAt: Date): CrlEntries =>
  CrlEntries.of(serials.map((serial) => ({ serial: parseSerial(serial), revokedAt, reason: 0 })));

export const certificatesPem = (...ders: readonly Uint8Array[]): Buffer =>
  Buffer.from(ders.map((der) => pemEncode("CERTIFICATE", der)).join(""));

export const listsPem = (...ders: readonly Uint8Array[]): Buffer =>
  Buffer.from(ders.map((der) => pemEncode("X509 CRL", der)).join(""));

export const sha256 = (der: Uint8Array): string => toHex(digest("sha256", der));

/** The first start. */
export const NOTHING_BEFORE: Before = { marks: new Map(), certificates: [], pairs: () => [] };

/** The code of the refusal; undefined where there is none. */
export function refusalOf(
  bundles: Bundles,
  judge: Judge,
  before = NOTHING_BEFORE,
): RefusalCode | undefined {
  try {
    judgeGeneration(bundles, before, judge);
    return undefined;
  } catch (error) {
    if (error instanceof RefusedError) return error.code;
    throw error;
  }
}

/** A root and an issuing CA with what a gate fetches of them: good, unless a test breaks it. */
export class BundleMaker {
  readonly now: Date;
  readonly root = createRoot("P-256");
  readonly issuing = createIssuing(this.root);

  constructor(now: Date) {
    this.now = new Date(Math.floor(now.getTime() / 1000) * 1000);
  }

  get roots(): ReadonlySet<string> {
    return new Set([sha256(this.root.certificate)]);
  }

  judge(changes: Partial<Judge> = {}): Judge {
    return { roots: this.roots, now: this.now, verify: verifySignature, digest, ...changes };
  }

  ago(milliseconds: number): Date {
    return new Date(this.now.getTime() - milliseconds);
  }

  /** The to-be-signed part of a CA's list. */
  tbs(authority: Authority, changes: Partial<CrlTemplate> = {}): Uint8Array {
    return buildCrlTbs({
      issuerName: authority.facts.subject,
      issuerKeyIdentifier: authority.facts.keyIdentifier,
      signatureAlgorithm: algorithmIdentifier("ecdsa-with-SHA256"),
      number: 100n,
      thisUpdate: this.ago(5 * MINUTE_MS),
      nextUpdate: new Date(this.now.getTime() + 7 * DAY_MS),
      entries: CrlEntries.of(),
      ...changes,
    });
  }

  /** Signs it with the key of this CA, or of whoever is given. */
  sign(tbs: Uint8Array, { key }: Authority): Uint8Array {
    const signature = sign("sha256", tbs, key.privateKey);
    return assembleSigned(tbs, algorithmIdentifier("ecdsa-with-SHA256"), signature);
  }

  list(authority: Authority, changes: Partial<CrlTemplate> = {}): Uint8Array {
    return this.sign(this.tbs(authority, changes), authority);
  }

  /** The CA's list as a delta of its first one (RFC 5280 §5.2.4): correctly signed, with the next number. */
  delta(authority: Authority): Uint8Array {
    const tbs = decode(this.tbs(authority, { number: 101n }));
    const indicator = constructed(
      0x30,
      primitive(0x06, Uint8Array.of(0x55, 0x1d, 27)),
      primitive(0x01, Uint8Array.of(0xff)),
      primitive(0x04, Uint8Array.of(2, 1, 1)),
    );
    descend(member(tbs.children.slice(-1), 0), 0).children.push(indicator);
    return this.sign(encode(tbs), authority);
  }

  /** Both bundles, with other lists or certificates instead of the good ones. */
  bundles(
    changes: {
      readonly certificates?: readonly Uint8Array[];
      readonly lists?: readonly Uint8Array[];
    } = {},
  ): Bundles {
    const certificates = changes.certificates ?? [this.root.certificate, this.issuing.certificate];
    const lists = changes.lists ?? [this.list(this.root), this.list(this.issuing)];
    return { certificates: certificatesPem(...certificates), lists: listsPem(...lists) };
  }
}

/** A request as the server saw it. */
export interface Seen {
  readonly path: string;
  readonly status: number;
}

/** A small real HTTP server with both bundles, conditional GETs and whatever else a test makes it say. */
export class BundleServer {
  bundles: Bundles;
  /** Called first; true when it has answered. */
  instead: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;
  readonly seen: Seen[] = [];
  readonly #server: Server;
  #port = 0;

  private constructor(bundles: Bundles) {
    this.bundles = bundles;
    this.#server = createServer((request, response) => {
      response.on("finish", () =>
        this.seen.push({ path: request.url ?? "", status: response.statusCode }),
      );
      if (!this.instead(request, response)) this.#answer(request, response);
    });
  }

  static async open(bundles: Bundles): Promise<BundleServer> {
    const server = new BundleServer(bundles);
    await server.listen();
    return server;
  }

  /** Again on the port that it had before. */
  async listen(): Promise<void> {
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    const address = this.#server.address();
    this.#port = typeof address === "object" && address !== null ? address.port : 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  #answer({ headers, url }: IncomingMessage, response: ServerResponse): void {
    const { certificates, lists } = this.bundles;
    const bodies: Readonly<Record<string, Uint8Array>> = {
      "/ca/bundle.pem": certificates,
      "/crl/bundle.pem": lists,
    };
    const body = bodies[url ?? ""];
    if (body === undefined) {
      response.writeHead(404).end();
      return;
    }
    const etag = `"${createHash("sha256").update(body).digest("base64url")}"`;
    const isKnown = headers["if-none-match"] === etag;
    response.writeHead(isKnown ? 304 : 200, { etag }).end(isKnown ? undefined : body);
  }

  /** Away, as a machine that is off: connections are refused. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
