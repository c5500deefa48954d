/** Stable, documented codes: part of the API. */
type StorageErrorCode =
  | "database-unavailable"
  | "database-not-ready"
  | "embedded-postgres"
  | "data-folder-in-use";

/** A failure of the storage that a caller can act on. Other database errors pass as they came. */
abstract class StorageError extends Error {
  abstract readonly code: StorageErrorCode;
  override get name(): string {
    return this.constructor.name;
  }
}

/** The database did not answer, or not in time. Whether a commit that was under way took place is not known. */
export class DatabaseUnavailableError extends StorageError {
  readonly code = "database-unavailable";
}

/** The database answers, but this program may not work on it: too old, too new, changed by hand, or rights are missing. */
export class DatabaseNotReadyError extends StorageError {
  readonly code = "database-not-ready";
}

/** The embedded PostgreSQL cannot run here. The message is one sentence, and the way out is a server of one's own. */
export class EmbeddedPostgresError extends StorageError {
  readonly code = "embedded-postgres";
  constructor(reason: string, options?: ErrorOptions) {
    super(
      `the embedded PostgreSQL cannot run: ${reason} (set DATABASE_URL to use a PostgreSQL server of your own)`,
      options,
    );
  }
}

/** Another process works with this data folder. */
export class DataFolderInUseError extends StorageError {
  readonly code = "data-folder-in-use";
}

/** What the database says about an error, be it thrown by pg or by Prisma. */
interface Diagnosis {
  /** SQLSTATE (PostgreSQL, appendix A), a Node.js error code, or a code of Prisma's. */
  readonly code: string | undefined;
  readonly constraint: string | undefined;
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function textProperty(value: unknown, name: string): string | undefined {
  const found = property(value, name);
  return typeof found === "string" ? found : undefined;
}

/** Prisma wraps what its adapter caught: `meta.driverAdapterError.cause`. It is read by shape, so that nobody loads Prisma for it. */
function diagnose(error: unknown): Diagnosis {
  const inner = property(property(property(error, "meta"), "driverAdapterError"), "cause");
  return {
    code: textProperty(inner, "originalCode") ?? textProperty(error, "code"),
    constraint:
      textProperty(property(inner, "constraint"), "index") ?? textProperty(error, "constraint"),
  };
}

/** The SQLSTATE that the database answered with, if it was the database that refused. */
export function sqlState(error: unknown): string | undefined {
  const { code } = diagnose(error);
  return code !== undefined && /^(?!P\d{4}$)[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

function violated(error: unknown, state: string): string | undefined {
  return sqlState(error) === state ? (diagnose(error).constraint ?? "") : undefined;
}

/** The name of the unique constraint or index that an insert or update ran into (23505). */
export function uniqueViolation(error: unknown): string | undefined {
  return violated(error, "23505");
}

/** The name of the foreign key that an insert, update or delete would have broken (23503). */
export function foreignKeyViolation(error: unknown): string | undefined {
  return violated(error, "23503");
}

/** Two transactions were in each other's way (40001, 40P01): the same work may succeed when it is done again. */
export function isConflict(error: unknown): boolean {
  const { code } = diagnose(error);
  return code === "40001" || code === "40P01" || code === "P2034";
}

/** What Node.js says of a connection that cannot be made or that broke. */
const BROKEN = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
]);

/**
 * Too many connections (53300), shutdown and start (57P0x), cancelled or ended by a time-out (57014, 55P03, 25P03).
 * Class 08, connection exception, is added below.
 */
const AWAY = new Set(["53300", "57P01", "57P02", "57P03", "57P05", "57014", "55P03", "25P03"]);

/** Prisma: not reached (P1001), timed out (P1002, P1008, P2024), closed (P1017), transaction not started or too late (P2028), too many connections (P2037). */
const PRISMA_AWAY = new Set(["P1001", "P1002", "P1008", "P1017", "P2024", "P2028", "P2037"]);

/** pg reports these without any code. */
const BROKEN_MESSAGE =
  /^(?:Connection terminated|timeout expired$|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Cannot use a pool after|Client was closed)/;

/** Whether the error means that the database is away, rather than that it refused something. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof DatabaseUnavailableError) return true;
  const { code } = diagnose(error);
  if (code === undefined) return error instanceof Error && BROKEN_MESSAGE.test(error.message);
  // A Unix socket that is not there.
  if (code === "ENOENT") return textProperty(error, "syscall") === "connect";
  return BROKEN.has(code) || AWAY.has(code) || PRISMA_AWAY.has(code) || code.startsWith("08");
}

/** How a connection can fail, as a sentence about the server goes on. */
const WHY_NOT_REACHED: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there: the connection was refused",
  ENOENT: "its socket was not found",
  ENOTFOUND: "its host was not found",
  EAI_AGAIN: "its host was not found",
  ETIMEDOUT: "it does not answer",
  EHOSTUNREACH: "no way leads to its host",
  ENETUNREACH: "no way leads to its host",
  "28P01": "it refused the password",
  "28000": "it refused the login",
  "3D000": "it has no such database",
  "53300": "it has too many connections",
  "57P03": "it is starting or stopping",
};

/** pg reports these without any code. */
const WHY_BY_MESSAGE: readonly (readonly [RegExp, string])[] = [
  [/^timeout expired$|^timeout exceeded when/, "it does not answer"],
  [/^SASL: .*client password must be/, "it wants a password"],
];

/** Why a connection could not be made, without anything that was in its address; undefined where the error is another. */
export function whyNotReached(error: unknown): string | undefined {
  if (error instanceof DatabaseUnavailableError) return whyNotReached(error.cause);
  const { code } = diagnose(error);
  if (code === "ENOENT" && textProperty(error, "syscall") !== "connect") return undefined;
  if (code !== undefined) return WHY_NOT_REACHED[code];
  if (!(error instanceof Error)) return undefined;
  return WHY_BY_MESSAGE.find(([pattern]) => pattern.test(error.message))?.[1];
}

/** The error as callers know it: DatabaseUnavailableError when the database is away, else as it came. */
export function storageError(error: unknown): unknown {
  if (error instanceof DatabaseUnavailableError || !isUnavailable(error)) return error;
  return new DatabaseUnavailableError("the database is not available", { cause: error });
}
