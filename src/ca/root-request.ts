import { createHash } from "node:crypto";

import { canonicalJson } from "../pki/canonical-json.ts";
import { REASON_CODES } from "../pki/revocation-reason.ts";
import type { Serial } from "../pki/serial.ts";
import { CeremonyError } from "./errors.ts";
import {
  bigNatural,
  instant,
  listOf,
  natural,
  octets,
  optional,
  record,
  serialNumber,
  text,
  type Wire,
  WireFormatError,
  word,
} from "./wire.ts";

/** A certificate that the root is asked to sign, under a serial that is reserved for it. */
export interface RequestedCertificate {
  readonly serial: Serial;
  readonly commonName: string;
  readonly profile: string;
  readonly profileHash: string;
  readonly spki: Uint8Array;
}

/** A new issuing CA. */
export interface RequestedAuthority extends RequestedCertificate {
  readonly id: string;
  readonly generation: number;
  readonly organization: string;
  /** Made with the new key over `proofText`: whoever asked has it. */
  readonly proof: Uint8Array;
}

/** A certificate that stands on the root's next list, with the true time of its revocation. */
export interface RequestedEntry {
  readonly serial: Serial;
  readonly revokedAt: Date;
  readonly reason: number;
}

/** One of our CAs, for people to recognise. */
export interface KnownIssuer {
  readonly id: string;
  readonly kind: "root" | "issuing";
  /** SHA-256 of its certificate, hex. */
  readonly fingerprint: string;
}

/** What the next root session is asked to sign: everything but the dates, which are decided there. */
export interface RootRequest {
  readonly format: "suido-root-request-1";
  readonly id: string;
  readonly at: Date;
  readonly root: KnownIssuer;
  /** The address that everything carries. */
  readonly vaUrl: string;
  readonly timeZone: string;
  /** All CAs of today. A response is not taken when there are others by then. */
  readonly issuers: readonly KnownIssuer[];
  readonly list: {
    /** At least this. */
    readonly number: bigint;
    /** thisUpdate does not fall below that of the list before. */
    readonly lastThisUpdate: Date;
    readonly entries: readonly RequestedEntry[];
  };
  readonly delegate: RequestedCertificate;
  readonly issuing?: RequestedAuthority;
  /** Which of the entries are new: CAs whose revocation begins with this list. */
  readonly revocations: readonly (RequestedEntry & { readonly issuerId: string })[];
}

const MOST_ENTRIES = 10_000;
const MOST_ISSUERS = 1_000;

const name = text(100);
const hash = text(64);
const spki = octets(4_096);
const reason: Wire<number> = {
  write: (value) => value,
  read: (json) => {
    const code = natural.read(json);
    const isKnown = Object.values(REASON_CODES).some((known) => known === code);
    if (!isKnown) throw new WireFormatError("this is not a reason for revocation");
    return code;
  },
};

const knownIssuer = record<KnownIssuer>({
  id: name,
  kind: word(["root", "issuing"]),
  fingerprint: hash,
});

const certificateMembers = {
  serial: serialNumber,
  commonName: name,
  profile: name,
  profileHash: hash,
  spki,
};

const entryMembers = { serial: serialNumber, revokedAt: instant, reason };

const rootRequest = record<RootRequest>({
  format: word(["suido-root-request-1"]),
  id: text(36),
  at: instant,
  root: knownIssuer,
  vaUrl: text(500),
  timeZone: name,
  issuers: listOf(knownIssuer, MOST_ISSUERS),
  list: record<RootRequest["list"]>({
    number: bigNatural,
    lastThisUpdate: instant,
    entries: listOf(record<RequestedEntry>(entryMembers), MOST_ENTRIES),
  }),
  delegate: record<RequestedCertificate>(certificateMembers),
  issuing: optional(
    record<RequestedAuthority>({
      ...certificateMembers,
      id: name,
      generation: natural,
      organization: name,
      proof: octets(1_024),
    }),
  ),
  revocations: listOf(
    record<RootRequest["revocations"][number]>({ ...entryMembers, issuerId: name }),
    MOST_ISSUERS,
  ),
});

/** Reads a file in canonical JSON. Throws CeremonyError for any other spelling, member or value. */
export function readCanonical<T>(content: string, wire: Wire<T>, what: string): T {
  try {
    const value = wire.read(JSON.parse(content));
    if (writeCanonical(value, wire) === content) return value;
  } catch (cause) {
    if (!(cause instanceof WireFormatError || cause instanceof SyntaxError)) throw cause;
    throw new CeremonyError(`this is not ${what}: ${cause.message}`, { cause });
  }
  throw new CeremonyError(`this is not ${what} as it was written: its bytes were changed`);
}

export function writeCanonical<T>(value: T, wire: Wire<T>): string {
  return `${canonicalJson(wire.write(value))}\n`;
}

/** The file of a request. */
export const writeRequest = (request: RootRequest): string => writeCanonical(request, rootRequest);

/** Reads the file of a request. Throws CeremonyError. */
export const readRequest = (content: string): RootRequest =>
  readCanonical(content, rootRequest, "a request for a root session");

/** SHA-256 of a file's text, hex, as `sha256sum` prints it. */
export const textHash = (content: string): string =>
  createHash("sha256").update(content).digest("hex");

/** SHA-256 over all our CAs, hex: two people compare it with what they know. */
export const issuersHash = ({ issuers }: Pick<RootRequest, "issuers">): string =>
  textHash(canonicalJson(issuers));

/** What a new CA's key signs to show that it is there. Nothing in ASN.1 begins so. */
export function proofText(requestId: string, authorityId: string, spkiBytes: Uint8Array): Buffer {
  const key = createHash("sha256").update(spkiBytes).digest("hex");
  return Buffer.from(`suido root request ${requestId}\n${authorityId}\n${key}\n`);
}
