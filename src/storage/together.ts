import type { Duplex } from "node:stream";
import type pg from "pg";
import type { Sql } from "./sql.ts";
import { statementOf } from "./statement.ts";

/** Work that sees and writes one corporation's rows only. */
export interface TenantWork<T> {
  readonly corporationId: string;
  readonly work: (sql: Sql) => Promise<T>;
}

/** Whoever works together does not wait for long: behind a lock of one of them all would stand. */
const LOCK_TIMEOUT_MS = 200;

/** The statement that makes the connection see one corporation's rows to the end of its transaction. */
export const ENTER_TENANT = {
  text: "select set_config('suido.corporation_id', $1, true)",
  name: "enter-tenant",
} as const;

/** Makes what is written to the stream within one turn of the event loop leave with one system call. */
function gatherWrites(stream: Duplex): () => void {
  let isCorked = false;
  return () => {
    if (isCorked) return;
    isCorked = true;
    stream.cork();
    process.nextTick(() => {
      isCorked = false;
      stream.uncork();
    });
  };
}

/** One connection whose statements do not wait for each other, each of them in the tenant that it is for. */
class SharedConnection {
  readonly #client: pg.PoolClient;
  readonly #gather: () => void;
  #tenant: string | undefined;

  constructor(client: pg.PoolClient) {
    this.#client = client;
    this.#gather = gatherWrites(client.connection.stream);
  }

  send<Row extends pg.QueryResultRow>(
    statement: string | pg.QueryConfig,
  ): Promise<pg.QueryResult<Row>> {
    this.#gather();
    return this.#client.query<Row>(statement);
  }

  /** The tenant is set by the statement before, and nobody else's can come between them. */
  within(corporationId: string): Sql {
    return {
      query: async <Row extends object>(
        text: string,
        values: readonly unknown[] = [],
        name?: string,
      ): Promise<Row[]> => {
        const entered = this.#enter(corporationId);
        const statement = statementOf(text, values, name);
        const [{ rows }] = await Promise.all([this.send<Row>(statement), entered]);
        return rows;
      },
    };
  }

  #enter(corporationId: string): Promise<unknown> | undefined {
    if (corporationId === this.#tenant) return undefined;
    this.#tenant = corporationId;
    return this.send({ ...ENTER_TENANT, values: [corporationId] });
  }
}

/**
 * All of the works in one transaction; undefined where one of their statements failed and none has been done. Throws
 * whatever means that the database is away.
 */
export async function transactTogether<T>(
  pool: pg.Pool,
  works: readonly TenantWork<T>[],
): Promise<readonly PromiseSettledResult<T>[] | undefined> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    const shared = new SharedConnection(client);
    const begun = shared.send(`begin; set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
    const [settled] = await Promise.all([
      Promise.allSettled(
        works.map(({ corporationId, work }) => work(shared.within(corporationId))),
      ),
      begun,
    ]);
    const { command } = await shared.send("commit");
    return command === "COMMIT" ? settled : undefined;
  } catch (error) {
    // PostgreSQL ends a transaction with its connection, and this one is in an unknown state.
    broken = error instanceof Error ? error : new Error("the connection broke", { cause: error });
    throw error;
  } finally {
    client.release(broken);
  }
}
