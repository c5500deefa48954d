import type { Logger } from "pino";
import type { QueueListener } from "../jobs/backend.ts";
import { isUnavailable } from "../storage/errors.ts";

/** What Redis' client says of a command that its connection did not outlive. */
const CLOSED = "Connection is closed.";

/** The words of an error; that of a host with several addresses has none of its own, and a code. */
const wordsOf = (error: Error & { readonly code?: unknown }): string =>
  error.message === "" ? String(error.code) : error.message;

/**
 * Says once that the queue has gone away and once that it is back, however often each of its connections complains
 * meanwhile. What else goes wrong is said when it is new.
 */
export function queueLog(log: Pick<Logger, "info" | "warn">): QueueListener {
  let isAway = false;
  let last: string | undefined;
  return {
    onError: (error) => {
      const reason = wordsOf(error);
      if (isUnavailable(error) || reason === CLOSED) {
        if (!isAway) log.warn({ reason }, "the queue is away: what is due is found each minute");
        isAway = true;
      } else if (reason !== last) {
        log.warn({ err: error }, "the queue is in trouble");
        last = reason;
      }
    },
    onConnect: () => {
      if (isAway) log.info("the queue is back");
      isAway = false;
    },
  };
}
