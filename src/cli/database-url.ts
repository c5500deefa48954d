import type { Config } from "../config/environment.ts";
import { DatabaseUnavailableError, whyNotReached } from "../storage/errors.ts";
import { CommandError } from "./command.ts";

/** Works with a database; where the site's own server is not reached, the sentence names the setting that leads to it. */
export async function namingDatabase<T>(
  { databaseUrl }: Pick<Config, "databaseUrl">,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (databaseUrl === undefined) throw error;
    const why = whyNotReached(error);
    if (why === undefined && !(error instanceof DatabaseUnavailableError)) throw error;
    throw new CommandError(
      `the database of DATABASE_URL is not available: ${why ?? "the connection broke"}`,
      { cause: error },
    );
  }
}
