import type { CopyValue } from "./octet-copy.ts";

/**
 * What runs one SQL statement: a connection inside a transaction, of ours or of Prisma's. Columns come as `pg` gives them
 * by default: bytea as Buffer, timestamptz as Date, int8 as string, json parsed. No statement is put together from values.
 */
export interface Sql {
  /** With a name the statement is prepared once per connection (Prisma's connections prepare by themselves). */
  query<Row extends object>(
    text: string,
    values?: readonly unknown[],
    name?: string,
  ): Promise<Row[]>;
}

/** A transaction of ours, which reads long columns of octets as they are. */
export interface OctetSql extends Sql {
  /**
   * Rows of a statement, each column in the binary form of its type, none of them null. For megabytes only: the values
   * become literals, and nothing is prepared.
   */
  octets(text: string, values: readonly CopyValue[]): Promise<readonly (readonly Buffer[])[]>;
}
