/** Why a generation was not taken over. Stable: they stand in the health file, in the figures and in alarms. */
export type RefusalCode =
  // The way to Suido.
  | "unreachable"
  | "unexpected-answer"
  | "too-large"
  // The CA certificates.
  | "malformed-pem"
  | "malformed-certificate"
  | "certificate-twice"
  | "root-missing"
  | "certificate-foreign"
  | "certificate-signature"
  | "certificate-not-a-ca"
  | "certificate-not-yet-valid"
  | "certificate-expired"
  // The lists.
  | "list-malformed"
  | "list-delta"
  | "list-partial"
  | "list-against-rules"
  | "list-foreign"
  | "list-signature"
  | "list-without-number"
  | "list-not-yet-valid"
  | "list-expired"
  | "list-older"
  | "list-changed"
  | "list-twice"
  | "list-missing";

/** What was fetched is not taken over, and what is in force stays. The message is one sentence for the operator. */
export class RefusedError extends Error {
  readonly code: RefusalCode;
  override get name(): string {
    return this.constructor.name;
  }
  constructor(code: RefusalCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Files are in place, and the proxy has not taken them over: tried again, a minute later at the earliest. */
export type ReloadErrorCode = "reload-failed" | "runtime-api-failed" | "payload-too-large";

export class ReloadError extends Error {
  readonly code: ReloadErrorCode;
  override get name(): string {
    return this.constructor.name;
  }
  constructor(code: ReloadErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Suido was not told what is in force here: tried again, and nothing else depends on it. */
export class NotAcknowledgedError extends Error {
  readonly code = "not-acknowledged";
  override get name(): string {
    return this.constructor.name;
  }
}
