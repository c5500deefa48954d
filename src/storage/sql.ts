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
