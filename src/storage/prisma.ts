import { PrismaPg } from "@prisma/adapter-pg";
import pg from "pg";
import { connectionConfig } from "./connection.ts";
import { enterTenant } from "./database.ts";
import { storageError } from "./errors.ts";
import { type Prisma, PrismaClient } from "./generated/client.ts";
import { retryConflicts } from "./retry.ts";
import type { Sql } from "./sql.ts";

/** The Prisma client inside one transaction. */
export type Tx = Prisma.TransactionClient;

/** Prisma as suido_app. Every access is a transaction, so that none is made without deciding on the tenant. */
export interface PrismaStore {
  /**
   * A transaction that sees and writes one corporation's rows only. After a serialization failure or a deadlock `work`
   * is called again, at most five times: it must do nothing that a rollback does not undo.
   */
  tenant<T>(corporationId: string, work: (tx: Tx) => Promise<T>): Promise<T>;
  /** A transaction without a tenant: tables with row-level security look empty, named functions go. It too may be called again. */
  across<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface PrismaOptions {
  readonly url: string;
  readonly max: number;
  /** Hears of connections that broke while nobody used them. */
  readonly onError?: (error: Error) => void;
}

/** Waiting for a connection longer than this is an overload: the answer is 503. */
const MAX_WAIT_MS = 5_000;

/** Beyond this the transaction is rolled back. */
const TRANSACTION_TIMEOUT_MS = 10_000;

/** Opens Prisma's pool; no connection is made yet. */
export function openPrisma({ url, max, onError }: PrismaOptions): PrismaStore {
  const report = (error: Error): void => onError?.(error);
  const connection = connectionConfig({ url, role: "suido_app", applicationName: "suido-prisma" });
  const pool = new pg.Pool({ ...connection, max });
  // Also of one that is being closed: an error event that nobody hears ends the process.
  pool.on("connect", (connected) => connected.on("error", report));
  const adapter = new PrismaPg(pool, {
    onPoolError: report,
    onConnectionError: report,
    disposeExternalPool: true,
  });
  const client = new PrismaClient({
    adapter,
    transactionOptions: { maxWait: MAX_WAIT_MS, timeout: TRANSACTION_TIMEOUT_MS },
    errorFormat: "minimal",
  });
  const transact = async <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
    try {
      return await retryConflicts(() => client.$transaction(work));
    } catch (error) {
      throw storageError(error);
    }
  };
  return {
    tenant: (corporationId, work) =>
      transact(async (tx) => {
        await enterTenant(sqlOf(tx), corporationId);
        return work(tx);
      }),
    across: transact,
    close: () => client.$disconnect(),
  };
}

/** Prisma's transaction as Sql, so that what is written against pg also runs inside it, with the same types of columns. */
export function sqlOf(tx: Tx): Sql {
  return {
    query: async <Row extends object>(
      text: string,
      values: readonly unknown[] = [],
    ): Promise<Row[]> => {
      const rows = await tx.$queryRawUnsafe<Record<string, unknown>[]>(text, ...values);
      return rows.map(
        (row) =>
          Object.fromEntries(
            Object.entries(row).map(([name, value]) => [name, likePg(value)]),
          ) as Row,
      );
    },
  };
}

/** Prisma gives bytea as Uint8Array and int8 as bigint. */
function likePg(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(likePg);
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  return value;
}
