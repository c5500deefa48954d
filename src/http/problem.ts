import type { CaErrorCode } from "../ca/errors.ts";
import type { LifecycleErrorCode } from "../lifecycle/errors.ts";
import type { PkiErrorCode } from "../pki/errors.ts";
import type { RegistryErrorCode } from "../registry/errors.ts";
import type { StaffErrorCode } from "../staff/errors.ts";
import { PROBLEMS_EN, type ShownCode } from "../web/messages/problems-en.ts";
import { type FieldFault, type HttpErrorCode, MOST_FAULTS, TurnedAwayError } from "./errors.ts";

/** A problem document (RFC 9457 §3.1). */
export interface Problem {
  /** Relative to the app: a page there explains it. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  /** The request's id as a URN, the same as in X-Request-Id and in our log. */
  readonly instance?: string;
  readonly errors?: readonly FieldFault[];
  /** The address of a page for the person whom a proxy turns away. */
  readonly help?: string;
}

/** Every code that a room may throw. Storage's is known by its name alone: http never touches storage. */
export type ErrorCode =
  | PkiErrorCode
  | RegistryErrorCode
  | CaErrorCode
  | StaffErrorCode
  | LifecycleErrorCode
  | HttpErrorCode
  | "database-unavailable";

/** A fault of ours, whatever the room calls it. Nothing of it is told to the caller. */
const OURS = 500;

/** The status of each code. Leave one out and this does not compile. */
const STATUS = {
  "malformed-request": 400,
  "invalid-request": 400,
  "invalid-serial": 400,
  "malformed-csr": 400,
  "malformed-pem": 400,
  unauthorized: 401,
  forbidden: 403,
  "outside-scope": 403,
  "second-principal-needed": 403,
  "no-client-certificate": 401,
  "malformed-certificate": 401,
  "foreign-issuer": 401,
  "certificate-unknown": 401,
  "certificate-not-yet-valid": 401,
  "certificate-expired": 401,
  "certificate-revoked": 403,
  "certificate-on-hold": 403,
  unbound: 403,
  "device-retired": 403,
  "account-disabled": 403,
  "membership-ended": 403,
  "tenant-behind": 403,
  "not-found": 404,
  "no-such-route": 404,
  "method-not-allowed": 405,
  "not-acceptable": 406,
  "request-timeout": 408,
  conflict: 409,
  "still-in-use": 409,
  "invalid-state": 409,
  "already-revoked": 409,
  "not-renewable": 409,
  "key-in-use": 409,
  "content-too-large": 413,
  "unsupported-media-type": 415,
  "invalid-value": 422,
  "not-a-member": 422,
  "idempotency-key-reused": 422,
  "bad-proof-of-possession": 422,
  "weak-key": 422,
  "unsupported-key": 422,
  "key-compromised": 422,
  "profile-unknown": 422,
  "lint-failed": 422,
  "bulk-refused": 422,
  "batch-refused": 422,
  "not-collected": 410,
  "invalid-name": 422,
  "beyond-issuer": 422,
  "too-many-guesses": 429,
  "no-session": 403,
  "not-identified": 403,
  "too-many-bundles": 409,
  "script-spent": 403,
  "emergencies-used-up": 409,
  "other-site": 403,
  "headers-too-large": 431,
  "database-unavailable": 503,
  "signer-unavailable": 503,
  stopping: 503,
  "status-too-old": 503,
  "issuing-stopped": 503,
  quarantine: 503,
  "malformed-der": OURS,
  "malformed-crl": OURS,
  "malformed-ocsp-request": OURS,
  "invalid-profile": OURS,
  "list-refused": OURS,
  "journal-damaged": OURS,
  "journal-in-use": OURS,
  "clock-behind": OURS,
  "key-store": OURS,
  ceremony: OURS,
} as const satisfies Record<ErrorCode, number>;

/** The codes that callers see. Each has its texts in the catalogue of `/problems`, or this does not compile. */
type CallersCode = {
  [Code in ErrorCode]: (typeof STATUS)[Code] extends typeof OURS ? never : Code;
}[ErrorCode];
const TITLES: Readonly<Record<CallersCode | "internal-error", { readonly title: string }>> =
  PROBLEMS_EN;

/** What is wrong with the request, where the room has no field to say so: these only ever speak of one thing. */
const FIELDS: Partial<Record<ErrorCode, string>> = {
  "invalid-serial": "serialNumber",
  "malformed-csr": "csr",
  "malformed-pem": "csr",
  "bad-proof-of-possession": "csr",
  "weak-key": "csr",
  "unsupported-key": "csr",
  "key-in-use": "csr",
  "key-compromised": "csr",
  "profile-unknown": "profile",
  "idempotency-key-reused": "Idempotency-Key",
  "already-revoked": "reason",
  unauthorized: "Authorization",
  forbidden: "Authorization",
};

/** When it is worth trying again, in seconds: a restart of the part that is away, or a person's work. */
const RETRY_AFTER_SECONDS: Partial<Record<ErrorCode, number>> = {
  "database-unavailable": 5,
  "signer-unavailable": 5,
  stopping: 5,
  "status-too-old": 30,
  "too-many-guesses": 600,
  "issuing-stopped": 60,
  quarantine: 60,
};

interface DomainError extends Error {
  readonly code: ErrorCode;
  readonly field?: unknown;
  readonly findings?: unknown;
  /** Of an error that speaks of many fields. */
  readonly faults?: readonly FieldFault[];
}

/** Our codes are lower-case words with hyphens; those of Node.js, Fastify and PostgreSQL are not, so that none passes for ours. */
function isDomainError(error: unknown): error is DomainError {
  return (
    error instanceof Error &&
    "code" in error &&
    typeof error.code === "string" &&
    Object.hasOwn(STATUS, error.code)
  );
}

/** Lints speak in objects inside the signer, and in sentences outside. */
function sentence(finding: unknown): string {
  if (typeof finding === "string") return finding;
  const { detail } = finding as { readonly detail?: unknown };
  return typeof detail === "string" ? detail : "breaks a rule";
}

function faultsOf(error: DomainError): readonly FieldFault[] {
  if (error.faults !== undefined) return error.faults;
  const field = typeof error.field === "string" ? error.field : FIELDS[error.code];
  if (Array.isArray(error.findings)) {
    return error.findings.map((finding) => ({ field: field ?? "csr", detail: sentence(finding) }));
  }
  return field === undefined ? [] : [{ field, detail: error.message }];
}

/** Where the page about a problem is, which is also its type. */
export function problemType(code: ShownCode): string {
  return `/problems/${code}`;
}

const INTERNAL: Problem = {
  type: problemType("internal-error"),
  title: PROBLEMS_EN["internal-error"].title,
  status: OURS,
};

/** Whether callers are told of it. The others become a bare 500. */
function isShown(code: ErrorCode): code is CallersCode {
  return STATUS[code] !== OURS;
}

/** Every problem that a caller may meet, for the pages about them. */
export function shownProblems(): readonly { readonly code: ShownCode; readonly status: number }[] {
  const codes = Object.keys(STATUS) as ErrorCode[];
  return [
    ...codes.filter((code) => isShown(code)).map((code) => ({ code, status: STATUS[code] })),
    { code: "internal-error", status: OURS },
  ];
}

/** What the caller is told of an error: all of a refusal, nothing of a fault of ours. */
export function problemOf(error: unknown): Problem {
  if (!isDomainError(error) || !isShown(error.code)) return INTERNAL;
  const errors = faultsOf(error).slice(0, MOST_FAULTS);
  return {
    type: problemType(error.code),
    title: TITLES[error.code].title,
    status: STATUS[error.code],
    detail: error.message,
    ...(errors.length > 0 && { errors }),
    ...(error instanceof TurnedAwayError && { help: error.help }),
  };
}

/** The header fields that belong to a problem (RFC 9110 §11.6.1, §10.2.3; RFC 6750 §3). */
export function problemHeaders(
  error: unknown,
  request: { readonly hasCredentials: boolean },
): Readonly<Record<string, string>> {
  if (!isDomainError(error)) return {};
  const seconds = RETRY_AFTER_SECONDS[error.code];
  if (seconds !== undefined) return { "retry-after": String(seconds) };
  if (error.code === "unauthorized") {
    return {
      "www-authenticate": `Bearer realm="suido"${request.hasCredentials ? ', error="invalid_token"' : ""}`,
    };
  }
  if (error.code === "forbidden")
    return { "www-authenticate": 'Bearer realm="suido", error="insufficient_scope"' };
  return {};
}
