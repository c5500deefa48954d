import type { Logger } from "pino";
import { type Config, loadConfig } from "../config/environment.ts";
import { createLog } from "../config/log.ts";
import { prepareDatabase } from "../storage/bootstrap.ts";
import { isFolderLocked, lockDataFolder } from "../storage/data-folder-lock.ts";
import { type Database, openDatabase, type Role } from "../storage/database.ts";
import { embeddedUrl, startEmbedded } from "../storage/embedded.ts";
import { DataFolderInUseError } from "../storage/errors.ts";
import { CommandError, type Surroundings } from "./command.ts";
import { namingDatabase } from "./database-url.ts";
import { makeDataFolder } from "./folders.ts";
import { rolePart, ROLES } from "./roles.ts";

/** The database that the service works with, for as long as a command needs it. */
export interface Reached {
  readonly config: Config;
  readonly url: string;
  /** Whether a service works with this data folder now. With `DATABASE_URL` and no service on this machine: false. */
  readonly serving: boolean;
  readonly log: Logger;
  /** A pool of so many connections, two if not said. */
  readonly open: (role: Role, max?: number) => Database;
}

/** Commands say what they do themselves; only what is wrong with the machine below them is logged. */
const quietLog = (): Logger => createLog({ name: "suido", level: "warn" });

/** Whether processes work with this data folder that share the roles. They need a server that all of them reach. */
async function isSharedWork({ dataDir, databaseUrl }: Config): Promise<boolean> {
  for (const role of ROLES) {
    if (!(await isFolderLocked(dataDir, rolePart(role)))) continue;
    if (databaseUrl !== undefined) return true;
    throw new CommandError("the service works with a PostgreSQL server: set DATABASE_URL");
  }
  return false;
}

/**
 * Lets a command work on the same database as the service: the one of `DATABASE_URL`, the embedded one of the running
 * service, or, when none runs, the embedded one started for as long as the command takes. A database that others may be
 * using is brought up to this program's schema only where the command asks for it.
 */
export async function reachDatabase<T>(
  { env }: Pick<Surroundings, "env">,
  work: (reached: Reached) => Promise<T>,
  { prepare = false }: { readonly prepare?: boolean } = {},
): Promise<T> {
  const config = loadConfig(env);
  const log = quietLog();
  makeDataFolder(config);
  const lock = await lockDataFolder(config.dataDir).catch((error: unknown) => {
    if (error instanceof DataFolderInUseError) return undefined;
    throw error;
  });
  try {
    const serving = lock === undefined || (await isSharedWork(config));
    const known = config.databaseUrl ?? (serving ? embeddedUrl(config.dataDir) : undefined);
    if (known !== undefined) {
      return await namingDatabase(config, async () => {
        if (prepare) await prepareDatabase({ url: known, log });
        return withPools({ config, url: known, serving, log }, work);
      });
    }
    const embedded = await startEmbedded({ dataDir: config.dataDir, log });
    try {
      await prepareDatabase({ url: embedded.url, log });
      return await withPools({ config, url: embedded.url, serving, log }, work);
    } finally {
      await embedded.stop();
    }
  } finally {
    await lock?.release();
  }
}

async function withPools<T>(
  reached: Omit<Reached, "open">,
  work: (reached: Reached) => Promise<T>,
): Promise<T> {
  const opened: Database[] = [];
  const open = (role: Role, max = 2): Database => {
    const database = openDatabase({ url: reached.url, role, max, applicationName: "suido-cli" });
    opened.push(database);
    return database;
  };
  try {
    return await work({ ...reached, open });
  } finally {
    await Promise.all(opened.map((database) => database.close()));
  }
}
