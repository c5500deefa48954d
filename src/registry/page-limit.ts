import { InvalidValueError } from "./errors.ts";

/** How many items a page has where nobody says, and at most. */
export const DEFAULT_LIMIT = 50;
export const MAX_LIMIT = 200;

/** A page's limit as it was asked for. Throws InvalidValueError. */
export function parseLimit(limit: number = DEFAULT_LIMIT): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw new InvalidValueError("limit", `is not a whole number from 1 to ${MAX_LIMIT}`);
  }
  return limit;
}
