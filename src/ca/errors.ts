import { PkiError } from "../pki/errors.ts";
import type { RevocationReason } from "../pki/revocation-reason.ts";
import { RegistryError } from "../registry/errors.ts";

/** Stable, documented codes: part of the API. Rename one only in a major release. */
export type CaErrorCode =
  | "invalid-state"
  | "already-revoked"
  | "not-renewable"
  | "key-in-use"
  | "key-compromised"
  | "lint-failed"
  | "bulk-refused"
  | "not-collected"
  | "profile-unknown"
  | "signer-unavailable"
  | "issuing-stopped"
  | "quarantine"
  | "list-refused"
  | "journal-damaged"
  | "journal-in-use"
  | "clock-behind"
  | "key-store"
  | "ceremony";

/** A failure that a caller can act on. Anything else that is thrown is a bug and becomes a bare 500. */
export abstract class CaError extends Error {
  abstract readonly code: CaErrorCode;
  /** The member of the request that was wrong, if it was one. */
  readonly field?: string;
  constructor(message: string, options?: ErrorOptions & { readonly field?: string }) {
    super(message, options);
    if (options?.field !== undefined) this.field = options.field;
  }
  override get name(): string {
    return this.constructor.name;
  }
}

/** A failure of ours that a caller is told of with its code, whichever room it comes from. */
export type Refusal = CaError | RegistryError | PkiError;

/** Whether it is one. Anything else that is thrown is a bug, or a part that is away. */
export function isRefusal(error: unknown): error is Refusal {
  return error instanceof CaError || error instanceof RegistryError || error instanceof PkiError;
}

/** The signer is away, or did not answer in time. What was asked may still happen: the row in the database tells. */
export class SignerUnavailableError extends CaError {
  readonly code = "signer-unavailable";
}

/** The signer does not issue now, while everything else goes on: a ceiling is reached or the issuer is near its end. */
export class IssuingStoppedError extends CaError {
  readonly code = "issuing-stopped";
}

/** Journal and database disagree: nothing is issued or released until they have been brought together. */
export class QuarantineError extends CaError {
  readonly code = "quarantine";
}

/** The certificate's or issuer's state does not allow this. */
export class InvalidStateError extends CaError {
  readonly code = "invalid-state";
}

/** The state of the certificate whose serial number is in the address of the request does not allow this. */
export class CertificateStateError extends InvalidStateError {
  constructor(message: string) {
    super(message, { field: "serialNumber" });
  }
}

/** No profile of this name is configured, or not for this purpose. */
export class ProfileUnknownError extends CaError {
  readonly code = "profile-unknown";
}

/** The certificate is revoked already, with another reason than the one that was given now. */
export class AlreadyRevokedError extends CaError {
  readonly code = "already-revoked";
  readonly reason: RevocationReason;
  readonly revokedAt: Date;
  constructor(reason: RevocationReason, revokedAt: Date) {
    super(`the certificate was revoked at ${revokedAt.toISOString()} already (${reason})`);
    this.reason = reason;
    this.revokedAt = revokedAt;
  }
}

/** The certificate is an emergency's: it ends by itself, and nothing comes after it. */
export class NotRenewableError extends CaError {
  readonly code = "not-renewable";
  constructor() {
    super(
      "the certificate is an emergency's: it ends 24 hours after its issue, and is not renewed",
      {
        field: "serialNumber",
      },
    );
  }
}

/** The public key belongs to the certificate of another device or person, or to the one that is to be replaced. */
export class KeyInUseError extends CaError {
  readonly code = "key-in-use";
  constructor(why = "this key belongs to another certificate") {
    super(`${why}: make a new one`, { field: "csr" });
  }
}

/** A certificate for this public key was once revoked because others may have the private key. */
export class KeyCompromisedError extends CaError {
  readonly code = "key-compromised";
  constructor() {
    super("this key was reported as compromised: make a new one", { field: "csr" });
  }
}

/** The signer built the certificate, and it broke a rule: it was not signed. */
export class IssueRefusedError extends CaError {
  readonly code = "lint-failed";
  readonly findings: readonly string[];
  constructor(findings: readonly string[]) {
    super(`the certificate would break a rule and is not signed: ${findings.join("; ")}`);
    this.findings = findings;
  }
}

/** What is wrong with one of many. */
export interface BulkFault {
  readonly field: string;
  readonly detail: string;
}

/** Some of what is wanted at once cannot be: nothing was taken. */
export class BulkRefusedError extends CaError {
  readonly code = "bulk-refused";
  readonly faults: readonly BulkFault[];
  constructor(faults: readonly BulkFault[]) {
    super(
      `nothing was taken: ${faults.length === 1 ? "1 fault" : `${faults.length} faults`} in it`,
    );
    this.faults = faults;
  }
}

/** Nobody came for a bundle of a bulk issue. */
export class NotCollectedError extends CaError {
  readonly code = "not-collected";
  constructor(days: number) {
    super(`nobody collected it within ${days} days`);
  }
}

/** Freshly signed lists did not pass the independent check. The ones published before stay. */
export class ListRefusedError extends CaError {
  readonly code = "list-refused";
  readonly findings: readonly string[];
  constructor(findings: readonly string[]) {
    super(`the new lists are not published: ${findings.join("; ")}`);
    this.findings = findings;
  }
}

/** The journal is not the unbroken chain that was written. A person must look at it; nothing repairs it. */
export class JournalDamagedError extends CaError {
  readonly code = "journal-damaged";
}

/** Another process works with this journal. */
export class JournalInUseError extends CaError {
  readonly code = "journal-in-use";
}

/** The clock stands before what the journal has already seen. */
export class ClockBehindError extends CaError {
  readonly code = "clock-behind";
}

/** A key, or the key that seals it, cannot be read or written. */
export class KeyStoreError extends CaError {
  readonly code = "key-store";
}

/** The ceremony cannot begin, or its result does not fit what was configured. */
export class CeremonyError extends CaError {
  readonly code = "ceremony";
}
