import type { RefusalReason } from "../pki/refusal-reason.ts";
import { type ClientCertificateErrorCode, HttpError } from "./errors.ts";

const REFUSALS: Readonly<
  Record<RefusalReason, { code: ClientCertificateErrorCode; says: string }>
> = {
  malformed: { code: "malformed-certificate", says: "the certificate cannot be read" },
  "foreign-issuer": {
    code: "foreign-issuer",
    says: "the certificate was signed by another authority",
  },
  unknown: { code: "certificate-unknown", says: "the certificate is not one that was issued here" },
  "not-yet-valid": {
    code: "certificate-not-yet-valid",
    says: "the certificate is not valid yet",
  },
  expired: { code: "certificate-expired", says: "the certificate has expired" },
  revoked: { code: "certificate-revoked", says: "the certificate is revoked" },
  hold: { code: "certificate-on-hold", says: "the certificate is on hold" },
  unbound: { code: "unbound", says: "nobody answers for the certificate now" },
  "device-retired": { code: "device-retired", says: "the device is retired" },
  "account-disabled": { code: "account-disabled", says: "the person's account is disabled" },
  "membership-ended": {
    code: "membership-ended",
    says: "the person does not work in the device's pharmacy now",
  },
  "tenant-behind": {
    code: "tenant-behind",
    says: "the corporation's records are older than what was known of them",
  },
};

/** The problem that a client certificate is which identifies nobody. */
export function certificateRefused(reason: RefusalReason): HttpError {
  const { code, says } = REFUSALS[reason];
  return new HttpError(code, says);
}
