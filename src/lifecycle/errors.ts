/** Stable, documented codes: part of the API. Rename one only in a major release. */
export type LifecycleErrorCode = "too-many-guesses";

/** Too many links or codes were none lately. It says nothing of whether this one is. */
export class TooManyGuessesError extends Error {
  readonly code = "too-many-guesses" satisfies LifecycleErrorCode;

  constructor() {
    super("too many links and codes were wrong lately; the link in the mail works at any time");
  }

  override get name(): string {
    return this.constructor.name;
  }
}
