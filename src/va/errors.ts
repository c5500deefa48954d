/** Stable, documented codes: part of the API. Rename one only in a major release. */
export type VaErrorCode = "bad-delegate" | "seal-broken" | "va-process";

/** A failure of the validation authority that somebody can act on. */
export abstract class VaError extends Error {
  abstract readonly code: VaErrorCode;
  override get name(): string {
    return this.constructor.name;
  }
}

/** The certificate that came back does not let us answer for this issuer with this key. */
export class BadDelegateError extends VaError {
  readonly code = "bad-delegate";
}

/** A further process of the VA cannot start, or does not get what it asks for. */
export class VaProcessError extends VaError {
  readonly code = "va-process";
}

/** A sealed file was changed, belongs to something else, or was sealed with another key. */
export class SealBrokenError extends VaError {
  readonly code = "seal-broken";
}
