import { randomUUID } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import type { Sql } from "../../src/storage/sql.ts";

export interface FreshDatabase {
  /** Login of a superuser to a database of its own, with the schema and nothing in it. */
  readonly url: string;
  drop(): Promise<void>;
}

/** A clone of the migrated template, some 50 ms. One per test file. */
export function freshDatabase(): Promise<FreshDatabase> {
  return createDatabase("template_suido");
}

/** A database without anything, for tests of what prepares one. */
export function emptyDatabase(): Promise<FreshDatabase> {
  return createDatabase("template1");
}

async function createDatabase(template: string): Promise<FreshDatabase> {
  const name = `t_${randomUUID().replaceAll("-", "")}`;
  const url = new URL(inject("adminUrl"));
  await asAdmin(`create database ${name} template ${template}`);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => asAdmin(`drop database ${name} with (force)`) };
}

/** One statement as superuser, outside of any test's database. */
export async function asAdmin(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject("adminUrl") });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** The superuser of a test's database as Sql, on one connection. */
export async function openSuperuser(url: string): Promise<Sql & { close(): Promise<void> }> {
  const client = new pg.Client({ connectionString: url, options: "-c timezone=UTC" });
  await client.connect();
  return {
    query: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
      (await client.query<Row>(text, [...values])).rows,
    close: () => client.end(),
  };
}
