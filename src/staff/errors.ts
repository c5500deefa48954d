/** Stable, documented codes: part of the API. Rename one only in a major release. */
export type StaffErrorCode = "unauthorized" | "forbidden";

/** A failure that a caller can act on. Anything else that is thrown is a bug and becomes a bare 500. */
export abstract class StaffError extends Error {
  abstract readonly code: StaffErrorCode;
  override get name(): string {
    return this.constructor.name;
  }
}

/** No API key, or none that counts. It says nothing of why, so that nobody learns which keys there were. */
export class UnauthorizedError extends StaffError {
  readonly code = "unauthorized";

  constructor() {
    super("a valid API key is needed");
  }
}

/** The principal's role may not do this. */
export class ForbiddenError extends StaffError {
  readonly code = "forbidden";
}

/**
 * Why a sign-in with the site's provider did not come to its end: the person changed their mind, the provider is away, or
 * what came back does not fit to what was begun here.
 */
export type SignInFault = "cancelled" | "unavailable" | "again";

/** Nobody was signed in. Never an answer of its own: the page that it leads to says what helps. */
export class SignInRefusedError extends Error {
  readonly fault: SignInFault;

  /** `why` is a name for the log and holds nothing of a token. */
  constructor(fault: SignInFault, why: string) {
    super(`sign-in refused: ${why}`);
    this.fault = fault;
  }

  override get name(): string {
    return "SignInRefusedError";
  }
}
