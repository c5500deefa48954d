import path from "node:path";
import pg from "pg";
import type { Logger } from "pino";
import type { Role } from "./connection.ts";
import { DatabaseNotReadyError, sqlState, storageError } from "./errors.ts";
import { migrate } from "./migrate.ts";

export interface PrepareOptions {
  readonly url: string;
  readonly log: Pick<Logger, "info">;
  /** Folder of the migrations, by default that of this program. */
  readonly migrations?: string;
}

/** The oldest PostgreSQL that is still maintained and tried. */
const OLDEST_VERSION = 14;

/** Membership is granted with its own options from here on; before, NOINHERIT was a property of the member. */
const GRANT_OPTIONS_VERSION = 16;

const ROLES: readonly Role[] = [
  "suido_owner",
  "suido_app",
  "suido_va",
  "suido_signer",
  "suido_worker",
];

const MIGRATIONS = path.resolve(import.meta.dirname, "../../prisma/migrations");

/** Another program may make the same roles at the same time: roles belong to all databases of a server. */
const ATTEMPTS = 20;

/** Makes a database fit for this program: its version, the roles, the schema. Done at each start; quick when nothing is missing. */
export async function prepareDatabase({
  url,
  log,
  migrations = MIGRATIONS,
}: PrepareOptions): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    application_name: "suido-prepare",
    connectionTimeoutMillis: 10_000,
  });
  client.on("error", () => undefined);
  try {
    await client.connect();
    const version = await checkVersion(client);
    await createRoles(client, version);
    for (const migration of await migrate(client, migrations))
      log.info({ migration }, "migration applied");
  } catch (error) {
    throw storageError(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function checkVersion(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ number: number; text: string }>(
    "select current_setting('server_version_num')::int as number, current_setting('server_version') as text",
  );
  const version = Math.floor((rows[0]?.number ?? 0) / 10_000);
  if (version < OLDEST_VERSION) {
    throw new DatabaseNotReadyError(
      `the database is PostgreSQL ${rows[0]?.text}, and Suido needs ${OLDEST_VERSION} or later`,
    );
  }
  return version;
}

async function createRoles(client: pg.Client, version: number): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const missing = await missingStatements(client, version);
    try {
      for (const statement of missing) await client.query(statement);
      return;
    } catch (error) {
      if (sqlState(error) === "42501") throw await mayNot(client, missing, error);
      if (attempt === ATTEMPTS || !isParallelCreator(error)) throw error;
    }
  }
}

/** The role is there by now (42710, 23505), or its row was being changed (XX000, "tuple concurrently updated"). */
function isParallelCreator(error: unknown): boolean {
  return ["42710", "23505", "XX000"].includes(sqlState(error) ?? "");
}

interface RoleState {
  readonly role: string;
  readonly exists: boolean;
  readonly settable: boolean;
}

/**
 * What SQL is still to run. The login becomes a member that does not inherit: rights come by SET ROLE alone, and policies for
 * one role never reach another by way of the login.
 */
async function missingStatements(client: pg.Client, version: number): Promise<string[]> {
  const { rows: roles } = await client.query<RoleState>(
    `select wanted.role, r.oid is not null as exists,
            r.oid is not null and pg_has_role(current_user, r.oid, $2) as settable
     from unnest($1::text[]) with ordinality as wanted (role, place) left join pg_roles r on r.rolname = wanted.role
     order by wanted.place`,
    [ROLES, version >= GRANT_OPTIONS_VERSION ? "SET" : "MEMBER"],
  );
  const { login, inherits, database, creates } = await loginState(client);
  const toGrant = roles.filter(({ settable }) => !settable).map(({ role }) => role);
  const name = pg.escapeIdentifier(login);
  const statements = roles
    .filter(({ exists }) => !exists)
    .map(({ role }) => `create role ${role} nologin`);
  if (toGrant.length > 0) {
    const options = version >= GRANT_OPTIONS_VERSION ? " with inherit false, set true" : "";
    if (options === "" && inherits) statements.push(`alter role ${name} noinherit`);
    statements.push(`grant ${toGrant.join(", ")} to ${name}${options}`);
  }
  if (!creates) {
    statements.push(`grant create on database ${pg.escapeIdentifier(database)} to suido_owner`);
  }
  return statements;
}

interface LoginState {
  readonly login: string;
  readonly inherits: boolean;
  readonly database: string;
  /** Whether suido_owner may create schemas here. */
  readonly creates: boolean;
}

async function loginState(client: pg.Client): Promise<LoginState> {
  const { rows } = await client.query<LoginState>(
    `select current_user as login, r.rolinherit as inherits, current_database() as database,
            coalesce((select has_database_privilege(o.oid, current_database(), 'CREATE') from pg_roles o where o.rolname = 'suido_owner'), false) as creates
     from pg_roles r where r.rolname = current_user`,
  );
  const [state] = rows;
  if (state === undefined) throw new Error("the login is not among the roles");
  return state;
}

async function mayNot(
  client: pg.Client,
  statements: readonly string[],
  cause: unknown,
): Promise<DatabaseNotReadyError> {
  const { login, database } = await loginState(client);
  const sql = statements.map((statement) => `${statement};`).join("\n");
  return new DatabaseNotReadyError(
    `the login ${login} may not prepare the roles itself: run this once as a superuser in the database ${database}:\n${sql}`,
    { cause },
  );
}
