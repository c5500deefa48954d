import { InvalidStateError } from "./errors.ts";

/** The names of two different people. Throws InvalidStateError for anything else: one person never decides this alone. */
export function twoPeople(by: readonly string[], what: string): readonly string[] {
  const names = by.map((name) => name.trim());
  const different = new Set(names.map((name) => name.toLowerCase()));
  if (different.size < 2 || names.includes(""))
    throw new InvalidStateError(`${what} by two different people, each with a name`);
  return names;
}
