/** Stable, documented codes: part of the API. Rename one only in a major release. */
export type RegistryErrorCode =
  | "not-found"
  | "conflict"
  | "not-a-member"
  | "invalid-value"
  | "still-in-use"
  | "outside-scope"
  | "idempotency-key-reused"
  | "second-principal-needed";

/** A failure that a caller can act on. Anything else that is thrown is a bug and becomes a bare 500. */
export abstract class RegistryError extends Error {
  abstract readonly code: RegistryErrorCode;
  /** The field of the request that is at fault, if one is. */
  readonly field: string | undefined;

  constructor(message: string, field?: string) {
    super(message);
    this.field = field;
  }

  override get name(): string {
    return this.constructor.name;
  }
}

/**
 * There is no such thing, or it is another corporation's: the two are told apart by nothing, so that a key bound to one
 * corporation cannot find out what another has. With a field, it is something that the request refers to.
 */
export class NotFoundError extends RegistryError {
  readonly code = "not-found";

  constructor(what: string, field?: string) {
    super(`there is no such ${what}`, field);
  }
}

/** The value is taken: another of the same kind has it. */
export class ConflictError extends RegistryError {
  readonly code = "conflict";
}

/** The account is no active member of the pharmacy. */
export class NotAMemberError extends RegistryError {
  readonly code = "not-a-member";

  constructor(field: string) {
    super("the account is no active member of the device's pharmacy", field);
  }
}

/** The value is of the right type, but cannot be taken. */
export class InvalidValueError extends RegistryError {
  readonly code = "invalid-value";

  constructor(field: string, reason: string) {
    super(`${field} ${reason}`, field);
  }
}

/** Something else still refers to it, so it cannot go. */
export class StillInUseError extends RegistryError {
  readonly code = "still-in-use";

  constructor(what: string, reason: string) {
    super(`the ${what} is still in use: ${reason}`);
  }
}

/** A key that is bound to one corporation asked for what only an unbound one may do. */
export class OutsideScopeError extends RegistryError {
  readonly code = "outside-scope";
}

/** The Idempotency-Key was used for another request (draft-ietf-httpapi-idempotency-key-header §2.7). */
export class IdempotencyKeyReusedError extends RegistryError {
  readonly code = "idempotency-key-reused";

  constructor() {
    super("this Idempotency-Key was used for another request");
  }
}

/** What one API key proposed, another must confirm. */
export class SecondPrincipalNeededError extends RegistryError {
  readonly code = "second-principal-needed";

  constructor() {
    super("whoever proposed it cannot confirm it: that is for another API key");
  }
}
