import { randomBytes } from "node:crypto";
import type { Sql } from "../../src/storage/sql.ts";

export interface Login {
  readonly name: string;
  /** The database's URL for this login. */
  readonly url: string;
}

/** A login that is no superuser. */
export async function createLogin(sql: Sql, url: string, attributes: string): Promise<Login> {
  const name = `login_${randomBytes(6).toString("hex")}`;
  await sql.query(`create role ${name} login password 'secret' ${attributes}`);
  const changed = new URL(url);
  changed.username = name;
  changed.password = "secret";
  return { name, url: changed.href };
}
