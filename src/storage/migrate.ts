import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import type { Client } from "pg";
import { DatabaseNotReadyError, isUnavailable } from "./errors.ts";

/** The key that Prisma's own tool locks, so that the two exclude each other as well. */
const LOCK = 72_707_369;

/** Prisma's table, in a schema of its own: not everybody may create in `public` (PostgreSQL 15, release notes). */
const TABLE = `
  create schema if not exists suido;
  create table if not exists suido._prisma_migrations (
    id varchar(36) primary key,
    checksum varchar(64) not null,
    finished_at timestamptz,
    migration_name varchar(255) not null,
    logs text,
    rolled_back_at timestamptz,
    started_at timestamptz not null default now(),
    applied_steps_count integer not null default 0
  )`;

interface Migration {
  readonly name: string;
  readonly sql: string;
  /** Lower-case hex SHA-256 of the file's bytes, as Prisma writes it. */
  readonly checksum: string;
}

interface AppliedRow {
  readonly name: string;
  readonly checksum: string;
  readonly finished: boolean;
}

/**
 * Applies what is missing as suido_owner, each migration whole in one transaction, and returns the names. One program at a
 * time: a second one waits and then finds nothing to do. Refuses a database that this program does not know.
 */
export async function migrate(client: Client, folder: string): Promise<string[]> {
  const migrations = readMigrations(folder);
  await client.query("set role suido_owner");
  await client.query("select pg_advisory_lock($1)", [LOCK]);
  try {
    if (!(await hasTable(client))) await client.query(TABLE);
    const applied = await readApplied(client);
    checkApplied(applied, migrations);
    const known = new Set(applied.map(({ name }) => name));
    const missing = migrations.filter(({ name }) => !known.has(name));
    for (const migration of missing) await apply(client, migration);
    return missing.map(({ name }) => name);
  } finally {
    await client.query("select pg_advisory_unlock($1)", [LOCK]).catch(() => undefined);
  }
}

function readMigrations(folder: string): Migration[] {
  const migrations = readdirSync(folder)
    .toSorted()
    .map((name) => ({ name, file: path.join(folder, name, "migration.sql") }))
    .filter(({ file }) => existsSync(file))
    .map(({ name, file }) => {
      const bytes = readFileSync(file);
      const checksum = createHash("sha256").update(bytes).digest("hex");
      return { name, sql: bytes.toString("utf8"), checksum };
    });
  if (migrations.length === 0) throw new Error(`no migrations in ${folder}`);
  return migrations;
}

/** Asked first, because `create … if not exists` wants the right to create even when there is nothing to do. */
async function hasTable(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>(
    "select to_regclass('suido._prisma_migrations') is not null as found",
  );
  return rows[0]?.found === true;
}

async function readApplied(client: Client): Promise<AppliedRow[]> {
  const { rows } = await client.query<AppliedRow>(
    `select migration_name as name, checksum, finished_at is not null as finished
     from suido._prisma_migrations where rolled_back_at is null order by started_at`,
  );
  return rows;
}

function checkApplied(applied: readonly AppliedRow[], migrations: readonly Migration[]): void {
  const byName = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const { name, checksum, finished } of applied) {
    const migration = byName.get(name);
    if (migration === undefined) {
      throw new DatabaseNotReadyError(
        `the database is newer than this program: it has the migration ${name}`,
      );
    }
    if (!finished) {
      throw new DatabaseNotReadyError(
        `the migration ${name} was begun by another tool and not finished: finish it or remove its row`,
      );
    }
    if (migration.checksum !== checksum) {
      throw new DatabaseNotReadyError(
        `the migration ${name} was edited after it had been applied: restore its file`,
      );
    }
  }
}

async function apply(client: Client, { name, sql, checksum }: Migration): Promise<void> {
  try {
    await client.query("begin");
    await client.query(sql);
    await client.query(
      `insert into suido._prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
       values (gen_random_uuid()::text, $1, $2, now(), 1)`,
      [checksum, name],
    );
    await client.query("commit");
  } catch (error) {
    if (isUnavailable(error)) throw error;
    await client.query("rollback");
    const reason = error instanceof Error ? error.message : String(error);
    throw new DatabaseNotReadyError(`the migration ${name} failed and left nothing: ${reason}`, {
      cause: error,
    });
  }
}
