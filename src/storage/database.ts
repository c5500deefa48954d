import pg from "pg";
import { type ConnectionOptions, connectionConfig } from "./connection.ts";
import { isUnavailable, storageError } from "./errors.ts";
import { retryConflicts } from "./retry.ts";
import { OctetCopy } from "./octet-copy.ts";
import type { OctetSql, Sql } from "./sql.ts";
import { statementOf } from "./statement.ts";
import { ENTER_TENANT, type TenantWork, transactTogether } from "./together.ts";

export type { Role } from "./connection.ts";

interface TransactionOptions {
  readonly isolation?: "repeatable read";
  readonly readOnly?: boolean;
}

/**
 * A pool of connections that all work as one role. A database that is away is a DatabaseUnavailableError; every other
 * error passes as it came.
 */
export interface Database {
  /** One statement, no tenant. With a name it is prepared once per connection. */
  query<Row extends object>(
    text: string,
    values?: readonly unknown[],
    name?: string,
  ): Promise<Row[]>;
  /**
   * Several statements, all or none. After a serialization failure or a deadlock `work` is called again, at most five
   * times: it must do nothing that a rollback does not undo.
   */
  transaction<T>(work: (sql: OctetSql) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** A transaction that sees and writes one corporation's rows only. It too may be called again. */
  tenant<T>(corporationId: string, work: (sql: Sql) => Promise<T>): Promise<T>;
  /**
   * Work of several tenants in one transaction, whose statements go out without waiting for each other: what becomes of
   * each, in their order. What one that throws has written before stays, so it must be nothing that matters. Undefined
   * where a statement failed, or waited too long for a lock: then none is done, and each may be done alone.
   */
  together<T>(
    works: readonly TenantWork<T>[],
  ): Promise<readonly PromiseSettledResult<T>[] | undefined>;
  close(): Promise<void>;
}

export interface DatabaseOptions extends ConnectionOptions {
  readonly max: number;
  /** Hears of connections that broke while nobody used them. */
  readonly onError?: (error: Error) => void;
}

/** Opens a pool; no connection is made yet. */
export function openDatabase({ max, onError, ...connection }: DatabaseOptions): Database {
  const pool = new pg.Pool({
    ...connectionConfig(connection),
    max,
    pipeline: connection.role === "suido_app",
  });
  const report = (error: Error): void => onError?.(error);
  pool.on("error", report);
  // A connection that breaks between two statements of a transaction says so to the client, and an error event that
  // nobody hears ends the process.
  pool.on("connect", (client) => client.on("error", report));
  return {
    query: <Row extends object>(
      text: string,
      values: readonly unknown[] = [],
      name?: string,
    ): Promise<Row[]> =>
      run(async () => {
        const statement = statementOf(text, values, name);
        return (await pool.query<Row>(statement)).rows;
      }),
    transaction: (work, options = {}) =>
      run(() => retryConflicts(() => transact(pool, beginOf(options), work))),
    tenant: (corporationId, work) =>
      run(() => retryConflicts(() => transact(pool, beginTenant(corporationId), work))),
    together: (works) => run(() => transactTogether(pool, works)),
    close: () => pool.end(),
  };
}

/** Sets the corporation for the rest of the transaction: `true` is what lets nobody inherit it. */
export async function enterTenant(sql: Sql, corporationId: string): Promise<void> {
  await sql.query(ENTER_TENANT.text, [corporationId], ENTER_TENANT.name);
}

/** The same, and the beginning of the transaction, in one message: what every request of a tenant begins with. */
function beginTenant(corporationId: string): string {
  return `begin; select set_config('suido.corporation_id', ${pg.escapeLiteral(corporationId)}, true)`;
}

async function run<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storageError(error);
  }
}

function beginOf({ isolation, readOnly }: TransactionOptions): string {
  return `begin${isolation === undefined ? "" : ` isolation level ${isolation}`}${readOnly === true ? " read only" : ""}`;
}

async function transact<T>(
  pool: pg.Pool,
  begin: string,
  work: (sql: OctetSql) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(begin);
    const result = await work(sqlOver(client));
    await commit(client);
    return result;
  } catch (error) {
    // A connection that cannot even roll back is thrown away, and with it the transaction. One that does not answer any
    // more is not asked to.
    if (isUnavailable(error)) broken = error as Error;
    else {
      await client.query("rollback").catch((cause: unknown) => {
        broken = cause instanceof Error ? cause : new Error("rollback failed", { cause });
      });
    }
    throw error;
  } finally {
    client.release(broken);
  }
}

/**
 * PostgreSQL answers COMMIT of a failed transaction with ROLLBACK and no error: without this, work that swallowed the
 * error of a statement would pass for done.
 */
async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query("commit");
  if (command !== "COMMIT") {
    throw new Error("the transaction was rolled back: a statement in it had failed");
  }
}

/** One connection as Sql. */
function sqlOver(client: pg.PoolClient): OctetSql {
  return {
    query: async <Row extends object>(
      text: string,
      values: readonly unknown[] = [],
      name?: string,
    ): Promise<Row[]> => {
      const statement = statementOf(text, values, name);
      return (await client.query<Row>(statement)).rows;
    },
    octets: (text, values) =>
      new Promise((resolve, reject) => {
        const done = (error: Error | null, rows: readonly (readonly Buffer[])[]): void => {
          if (error === null) resolve(rows);
          else reject(error);
        };
        client.query(new OctetCopy(text, values, done));
      }),
  };
}
