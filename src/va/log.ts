import type { Logger } from "pino";

/** What this room says to the log. */
export type Log = Pick<Logger, "info" | "warn" | "error">;
