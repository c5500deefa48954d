import { InvalidValueError } from "../registry/errors.ts";

/** A time that the schema let through. It may still name no day: 30 February has the form of a date. Throws InvalidValueError. */
export function instant(field: string, text: string): Date {
  const at = new Date(text);
  // Date carries 30 February over into March; the day as written must come back.
  const day = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  if (Number.isNaN(at.getTime()) || day.toISOString().slice(0, 10) !== text.slice(0, 10)) {
    throw new InvalidValueError(field, "names no day of the calendar");
  }
  return at;
}
