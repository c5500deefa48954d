import { createHash } from "node:crypto";
import type { Serial } from "../pki/serial.ts";
import type { KeyClaim } from "./certificate-record.ts";

/** Who a certificate stands for, as ids: nothing in the journal names a person. */
interface JournalBinding {
  readonly accountId: string;
  readonly deviceId: string;
  readonly pharmacyId: string;
  readonly corporationId: string;
}

/** What a CA's certificate does not say of itself. */
interface JournalAuthority {
  readonly id: string;
  readonly kind: "root" | "issuing";
  readonly generation: number;
  readonly vaUrl: string;
  /** How it begins; absent: at work at once, as the first of its kind. */
  readonly state?: "announced";
}

/** A certificate was signed. Holds all that its row and its binding are rebuilt from. */
export interface IssuedEntry {
  readonly kind: "issued";
  readonly serial: Serial;
  readonly issuerId: string;
  readonly profile: string;
  readonly profileHash: string;
  readonly shard: number;
  readonly commonName: string;
  readonly deviceUri?: string;
  readonly dnsNames?: readonly string[];
  readonly spkiSha256: string;
  readonly keyOrigin: "subject" | "server";
  readonly requestHash?: string;
  readonly replaces?: Serial;
  /** How the person was identified; of records that are older than the question, absent. */
  readonly identifiedHow?: string;
  readonly keyClaim?: KeyClaim;
  readonly reservedAt: string;
  readonly binding?: JournalBinding;
  /** Of a CA's own certificate: the row of ca.issuer that goes with it. */
  readonly authority?: JournalAuthority;
  /** The certificate, base64. */
  readonly der: string;
}

/** A list was signed, and is about to be published. */
export interface ListEntry {
  readonly kind: "list";
  readonly issuerId: string;
  readonly scope: string;
  readonly number: string;
  readonly watermark: string;
  readonly thisUpdate: string;
  readonly nextUpdate: string;
  readonly sha256: string;
}

/** A certificate's status changed, or something was denied for ever: a row of ca.change. */
export interface ChangeEntry {
  readonly kind: "change";
  readonly change: "revoke" | "hold" | "unhold" | "deny";
  readonly changeSeq: string;
  readonly changedAt: string;
  readonly serial?: Serial;
  readonly reason?: number;
  readonly subject?: string;
}

/** An issuing CA has come into another state. */
export interface IssuerEntry {
  readonly kind: "issuer";
  readonly issuerId: string;
  readonly state: "active" | "retiring" | "ended";
}

/** A signer has begun its work under a new fencing epoch. */
interface EpochEntry {
  readonly kind: "epoch";
}

/** The first record of a file. */
export interface HeaderEntry {
  readonly kind: "journal";
  readonly journalId: string;
  /** The head of the journal that this one goes on from, and who decided so. */
  readonly adopted?: {
    readonly journalId: string;
    readonly seq: string;
    readonly hash: string;
    readonly changeSeq: string;
    readonly by: readonly string[];
  };
}

/** What the signer writes down. */
export type JournalEntry = IssuedEntry | ListEntry | ChangeEntry | IssuerEntry | EpochEntry;

/** An entry in its place. */
export type JournalRecord = (JournalEntry | HeaderEntry) & {
  readonly seq: string;
  readonly epoch: number;
  readonly at: string;
};

/** A place in the chain. */
export interface JournalHead {
  readonly seq: bigint;
  /** Hex. */
  readonly hash: string;
}

/** What the first record of all is chained to. */
export const CHAIN_START: JournalHead = { seq: 0n, hash: "0".repeat(64) };

const KINDS = new Set<unknown>(["journal", "epoch", "issued", "list", "change", "issuer"]);
/** How every line ends: `,"hash":"…"}`. */
const HASH_TAIL = /^,"hash":"([0-9a-f]{64})"\}$/;
const HASH_TAIL_LENGTH = ',"hash":""}'.length + 64;

function chainHash(previous: string, body: string): string {
  return createHash("sha256").update(previous, "hex").update(body).digest("hex");
}

/** The line of a record, without its line feed: JSON whose last member is the hash over the one before and all before it. */
export function encodeRecord(
  record: JournalRecord,
  previous: JournalHead,
): { line: string; head: JournalHead } {
  const body = JSON.stringify(record).slice(0, -1);
  const hash = chainHash(previous.hash, body);
  return { line: `${body},"hash":"${hash}"}`, head: { seq: BigInt(record.seq), hash } };
}

/** The record of a line, or the sentence that says why it does not continue the chain. */
export function decodeRecord(
  line: string,
  previous: JournalHead,
): { record: JournalRecord; head: JournalHead } | string {
  const place = `record ${previous.seq + 1n}`;
  const hash = HASH_TAIL.exec(line.slice(-HASH_TAIL_LENGTH))?.[1];
  if (hash === undefined) return `${place} is not a record`;
  const body = line.slice(0, -HASH_TAIL_LENGTH);
  if (chainHash(previous.hash, body) !== hash) return `${place} does not fit the one before it`;
  const record = JSON.parse(`${body}}`) as JournalRecord;
  // The hash holds, so a signer wrote these bytes; what is left to see is whether it was one that we understand.
  if (BigInt(record.seq) !== previous.seq + 1n) return `${place} has the number ${record.seq}`;
  if (!KINDS.has(record.kind)) return `${place} is of a kind that this version does not know`;
  return { record, head: { seq: BigInt(record.seq), hash } };
}
