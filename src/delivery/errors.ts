/** Stable, documented codes. */
export type DeliveryErrorCode = "mail-refused" | "mail-unavailable";

/** A mail that was not accepted. */
export abstract class DeliveryError extends Error {
  abstract readonly code: DeliveryErrorCode;
  override get name(): string {
    return this.constructor.name;
  }
}

/** The server said that it will never take this mail (RFC 5321 §4.2.1, 5yz), or there is nobody it could go to. */
export class MailRefusedError extends DeliveryError {
  readonly code = "mail-refused";
}

/** The server is away, slow or busy (4yz): the same mail may be taken later. */
export class MailUnavailableError extends DeliveryError {
  readonly code = "mail-unavailable";
}
