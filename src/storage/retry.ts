import { setTimeout as sleep } from "node:timers/promises";
import { isConflict } from "./errors.ts";

/** How often a transaction that ran into another one is done again. */
const RETRIES = 5;

const FIRST_WAIT_MS = 5;

/**
 * Does the work, and does it again, at most five times, when the database ended it for the sake of another transaction
 * (serialization failure, deadlock). Such a transaction has left nothing behind.
 */
export async function retryConflicts<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt === RETRIES || !isConflict(error)) throw error;
      // Chance only keeps those who collided from colliding again.
      await sleep(FIRST_WAIT_MS * 2 ** attempt * (0.5 + Math.random()));
    }
  }
}
