import type { Serial } from "../pki/serial.ts";

/** What became of one reserved serial. */
export type IssueOutcome =
  | { readonly serial: Serial; readonly outcome: "good" }
  /** The bytes broke a rule (`findings`), or the row was no longer there to be issued. */
  | { readonly serial: Serial; readonly outcome: "refused"; readonly findings: readonly string[] };

/** Which certificates a list is for: all of its issuer ("full"), or one shard in two hex digits ("00".."0f"). */
export type ListScope = string;

/** A signed list that nobody has seen yet. */
export interface PreparedList {
  readonly scope: ListScope;
  readonly number: bigint;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly entries: number;
  readonly sha256: string;
  readonly der: Uint8Array;
}

/** All lists of one issuer out of one snapshot, waiting to be checked by somebody else. */
export interface PreparedLists {
  readonly batchId: string;
  readonly issuerId: string;
  /** The highest change number that the snapshot saw. */
  readonly watermark: bigint;
  /** The time of the snapshot, not backdated. */
  readonly at: Date;
  readonly lists: readonly PreparedList[];
}

/** A call for no more serials than these is for people who wait; it comes before one for more. */
export const MOST_WAITING = 32;

/** How the signer is. */
export interface SignerStatus {
  readonly state: "ready" | "quarantine";
  /** In quarantine: why, in one sentence. */
  readonly reason?: string;
  /** What holds up a signer that is ready, in one sentence. */
  readonly detail?: string;
  readonly epoch: number;
  readonly journalId: string;
  readonly journalSeq: bigint;
  /** How many changes of status the database has that the journal has not. */
  readonly journalLag: number;
  readonly reserved: number;
}

/** What the rest of Suido may ask of the signer. It takes names of rows, never bytes to sign. */
export interface SignerClient {
  /**
   * Signs reserved serials. `good` means: in the journal and in the database. Throws SignerUnavailableError,
   * IssuingStoppedError or QuarantineError; the rows then stay reserved, and the signer finishes or closes them.
   */
  issue(serials: readonly Serial[]): Promise<readonly IssueOutcome[]>;
  /** Resolves when every change of status up to this number is in the journal and on the disk. */
  journal(changeSeq: bigint): Promise<void>;
  /** Signs the lists of an issuer from one snapshot. They are nothing until committed. */
  prepareLists(issuerId: string): Promise<PreparedLists>;
  /** Publishes prepared lists, which the caller has checked; the hashes (hex, in the order given) say which bytes it saw. */
  commitLists(batchId: string, sha256: readonly string[]): Promise<void>;
  /** An OCSP delegate certificate (RFC 6960 §4.2.2.2) for this key, DER. */
  delegate(issuerId: string, spki: Uint8Array): Promise<Uint8Array>;
  /** A TLS server certificate for this key, DER. */
  serverCertificate(spki: Uint8Array, dnsNames: readonly string[]): Promise<Uint8Array>;
  status(): Promise<SignerStatus>;
  close(): Promise<void>;
}
