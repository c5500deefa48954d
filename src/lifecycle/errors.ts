import type { BatchFault } from "./batch-fault.ts";

/** Stable, documented codes: part of the API. Rename one only in a major release. */
export type LifecycleErrorCode =
  | "too-many-guesses"
  | "no-session"
  | "not-identified"
  | "too-many-bundles"
  | "script-spent"
  | "batch-refused"
  | "emergencies-used-up";

/** What people who install certificates themselves may not do now. */
export abstract class LifecycleError extends Error {
  abstract readonly code: LifecycleErrorCode;

  override get name(): string {
    return this.constructor.name;
  }
}

/** Too many links or codes were none lately. It says nothing of whether this one is. */
export class TooManyGuessesError extends LifecycleError {
  readonly code = "too-many-guesses";

  constructor() {
    super("too many links and codes were wrong lately; the link in the mail works at any time");
  }
}

/** The browser has begun nothing, or another one has begun the same since. */
export class NoSessionError extends LifecycleError {
  readonly code = "no-session";

  constructor() {
    super("this browser has begun nothing, or another has begun it anew since");
  }
}

/** There is a certificate only for a person who was identified, and only before the end. */
export class NotIdentifiedError extends LifecycleError {
  readonly code = "not-identified";

  constructor(state: string) {
    super(`the enrolment is ${state}: a certificate is made while it is identified or issued`);
  }
}

/** So many certificates were made for one enrolment that something else is wrong. */
export class TooManyBundlesError extends LifecycleError {
  readonly code = "too-many-bundles";

  constructor() {
    super("too many certificates were made for this enrolment: support makes a new one");
  }
}

/** A script's secret is for one certificate, within an hour. */
export class ScriptSpentError extends LifecycleError {
  readonly code = "script-spent";

  constructor() {
    super("the script was used, an hour is over, or there is a newer one: its page gives another");
  }
}

/** Some of many invitations cannot be: nothing was made. */
export class BatchRefusedError extends LifecycleError {
  readonly code = "batch-refused";
  readonly found: readonly BatchFault[];

  constructor(found: readonly BatchFault[]) {
    super(`nothing was made: ${found.length === 1 ? "1 fault" : `${found.length} faults`} in it`);
    this.found = found;
  }
}

/** The pharmacy has had as many emergencies this month as the site allows. */
export class EmergenciesUsedUpError extends LifecycleError {
  readonly code = "emergencies-used-up";

  constructor() {
    super("the pharmacy's emergencies of this month are used up: support knows another way");
  }
}
