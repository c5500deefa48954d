/** Stable, documented codes: part of the API. Rename one only in a major release. */
export type PkiErrorCode =
  | "invalid-serial"
  | "malformed-der"
  | "malformed-pem"
  | "malformed-csr"
  | "bad-proof-of-possession"
  | "weak-key"
  | "unsupported-key"
  | "malformed-ocsp-request"
  | "malformed-crl"
  | "lint-failed"
  | "invalid-name"
  | "invalid-profile"
  | "beyond-issuer";

/** A failure that a caller can act on. Anything else that is thrown is a bug and becomes a bare 500. */
export abstract class PkiError extends Error {
  abstract readonly code: PkiErrorCode;
  override get name(): string {
    return this.constructor.name;
  }
}

/** The text is no serial number in our spelling. */
export class InvalidSerialError extends PkiError {
  readonly code = "invalid-serial";
}

/** The bytes are not strict DER (X.690 §10, §11), or not the structure that was expected there. */
export class MalformedDerError extends PkiError {
  readonly code = "malformed-der";
}

/** The text is not the PEM block that was expected (RFC 7468). */
export class MalformedPemError extends PkiError {
  readonly code = "malformed-pem";
}

/** The bytes are no certification request that we read (RFC 2986). */
export class MalformedCsrError extends PkiError {
  readonly code = "malformed-csr";
}

/** Whoever sent the request did not show that the private key is theirs. */
export class BadProofOfPossessionError extends PkiError {
  readonly code = "bad-proof-of-possession";
}

/** The key is of a kind that we take, but can be broken. */
export class WeakKeyError extends PkiError {
  readonly code = "weak-key";
}

/** The key, or its form, is of a kind that we do not take here. */
export class UnsupportedKeyError extends PkiError {
  readonly code = "unsupported-key";
}

/** The value cannot stand in a distinguished name. */
export class InvalidNameError extends PkiError {
  readonly code = "invalid-name";
}

/** The profile contradicts itself, an RFC, or what it is used for. */
export class InvalidProfileError extends PkiError {
  readonly code = "invalid-profile";
}

/** The certificate would outlive its issuer. It is refused, never shortened in silence. */
export class BeyondIssuerError extends PkiError {
  readonly code = "beyond-issuer";
}

/** What a lint found wrong with bytes that were about to be signed. */
export interface Finding {
  readonly lint: string;
  readonly cites: string;
  readonly detail: string;
}

/** The bytes break a rule, so they are not signed. */
export class LintError extends PkiError {
  readonly code = "lint-failed";
  readonly findings: readonly Finding[];
  constructor(findings: readonly Finding[]) {
    super(findings.map(({ lint, detail }) => `${lint}: ${detail}`).join("; "));
    this.findings = findings;
  }
}

/** The bytes are no certificate revocation list that RFC 5280 §5 allows. */
export class MalformedCrlError extends PkiError {
  readonly code = "malformed-crl";
}

/** The bytes are no OCSP request that RFC 6960 §4.1 and RFC 9654 allow: answered with malformedRequest. */
export class MalformedOcspRequestError extends PkiError {
  readonly code = "malformed-ocsp-request";
}
