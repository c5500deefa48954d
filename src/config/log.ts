import pino, { type Logger } from "pino";

/**
 * What of an error is logged: what it is and where it happened. Nothing else that libraries put on it, because some of
 * that is data: PostgreSQL's errors quote the row that was refused.
 */
export function logError(error: Error): Record<string, unknown> {
  const { name, message, stack } = error;
  const code: unknown = "code" in error ? error.code : undefined;
  return {
    type: name,
    message,
    stack,
    ...(typeof code === "string" && { code }),
    ...(error.cause instanceof Error && { cause: logError(error.cause) }),
  };
}

export interface LogOptions {
  readonly name: string;
  readonly level: string;
}

/** The log of a process: JSON lines on standard error. */
export function createLog({ name, level }: LogOptions): Logger {
  return pino(
    { name, level, base: { pid: process.pid }, serializers: { err: logError, error: logError } },
    pino.destination({ fd: 2, sync: false }),
  );
}
