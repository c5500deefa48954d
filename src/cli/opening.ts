import type { Logger } from "pino";
import type { Config } from "../config/environment.ts";
import type { Site } from "../config/site.ts";
import { type Database, openDatabase, type Role } from "../storage/database.ts";
import type { Foundation, Undoing } from "./foundation.ts";
import type { System } from "./system.ts";

/** What every part of the service is opened with. */
export interface Opening {
  readonly config: Config;
  readonly site: Site;
  readonly system: System;
  readonly log: Logger;
  readonly undoing: Undoing;
  readonly foundation: Foundation;
}

/** Opens a pool that is closed at the end. */
export function openPool(
  { log, undoing, foundation }: Opening,
  { role, max }: { readonly role: Role; readonly max: number },
): Database {
  const database = openDatabase({
    url: foundation.databaseUrl,
    role,
    max,
    applicationName: role.replace("_", "-"),
    onError: (error) => log.warn({ err: error, role }, "a database connection broke"),
  });
  undoing.add(() => database.close());
  return database;
}
