import { createWrongGuesses, type WrongGuesses } from "../lifecycle/wrong-guesses.ts";
import type { Database } from "../storage/database.ts";
import type { Opening } from "./opening.ts";

/** How often the log says what was guessed. */
const GUESSES_MS = 60_000;

/** The count of this process's wrong guesses, which is told each minute and at the end. */
export function openGuesses(
  { system, log, undoing }: Pick<Opening, "system" | "log" | "undoing">,
  database: Database,
): WrongGuesses {
  const guesses = createWrongGuesses({ ...system, database, log });
  const told = (work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => log.warn({ err: error }, "wrong guesses are not on record yet"));
  const timer = setInterval(() => void told(guesses.settle()), GUESSES_MS);
  undoing.add(async () => {
    clearInterval(timer);
    await told(guesses.close());
  });
  return guesses;
}
