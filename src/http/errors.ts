import type { HelpAsked } from "./help-pages.ts";
/** What http itself refuses, before any room was asked. Stable, documented codes: part of the API. */
export type HttpErrorCode =
  | "malformed-request"
  | "invalid-request"
  | "no-such-route"
  | "method-not-allowed"
  | "not-acceptable"
  | "content-too-large"
  | "unsupported-media-type"
  | "headers-too-large"
  | "other-site"
  | "request-timeout"
  | "batch-refused"
  | "stopping"
  | "status-too-old"
  | ClientCertificateErrorCode;

/** Which check a client certificate did not pass. */
export type ClientCertificateErrorCode =
  | "no-client-certificate"
  | "malformed-certificate"
  | "foreign-issuer"
  | "certificate-unknown"
  | "certificate-not-yet-valid"
  | "certificate-expired"
  | "certificate-revoked"
  | "certificate-on-hold"
  | "unbound"
  | "device-retired"
  | "account-disabled"
  | "membership-ended"
  | "tenant-behind";

/** One member, parameter or header of a request that is not what it should be. */
export interface FieldFault {
  /** As a program would write it: `deviceId`, `identities[0].issuer`, `Idempotency-Key`. */
  readonly field: string;
  readonly detail: string;
}

/** More faults than that help nobody, and a body of many small members could have thousands. */
export const MOST_FAULTS = 50;

/** A request that is refused for its form. */
export class HttpError extends Error {
  readonly code: HttpErrorCode;
  readonly faults: readonly FieldFault[];

  constructor(code: HttpErrorCode, message: string, faults: readonly FieldFault[] = []) {
    super(message);
    this.code = code;
    this.faults = faults;
  }

  override get name(): string {
    return "HttpError";
  }
}

/** Somebody is turned away at a proxy, and there is a page for him. */
export class TurnedAwayError extends HttpError {
  /** The address of that page. */
  readonly help: string;
  readonly page: HelpAsked;

  constructor(code: HttpErrorCode, message: string, help: HelpAsked & { readonly url: string }) {
    super(code, message);
    const { url, ...page } = help;
    this.help = url;
    this.page = page;
  }
}
