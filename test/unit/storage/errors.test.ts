import { describe, expect, it } from "vitest";
import {
  DatabaseUnavailableError,
  EmbeddedPostgresError,
  foreignKeyViolation,
  isConflict,
  isUnavailable,
  sqlState,
  storageError,
  uniqueViolation,
  whyNotReached,
} from "../../../src/storage/errors.ts";

const pgError = (code: string, more: object = {}): Error =>
  Object.assign(new Error("said pg"), { code, ...more });

const prismaError = (code: string, cause: object): Error =>
  Object.assign(new Error("said Prisma"), { code, meta: { driverAdapterError: { cause } } });

const messageOnly = (message: string): Error => new Error(message);

describe("the SQLSTATE", () => {
  it.for([
    { name: "of pg", error: pgError("23505"), state: "23505" },
    {
      name: "of Prisma, inside",
      error: prismaError("P2039", { originalCode: "42501" }),
      state: "42501",
    },
    { name: "with letters", error: pgError("40P01"), state: "40P01" },
    { name: "of our own kind", error: pgError("P0001"), state: undefined },
    { name: "not Prisma's code", error: pgError("P2025"), state: undefined },
    { name: "not Node's code", error: pgError("EPIPE"), state: "EPIPE" },
    { name: "not of a plain error", error: new Error("x"), state: undefined },
    { name: "not of no error", error: undefined, state: undefined },
  ])("$name", ({ error, state }) => {
    expect(sqlState(error)).toBe(state);
  });
});

describe("a violated constraint", () => {
  it.for([
    {
      name: "unique, pg",
      read: uniqueViolation,
      error: pgError("23505", { constraint: "a_key" }),
      says: "a_key",
    },
    {
      name: "unique, Prisma",
      read: uniqueViolation,
      error: prismaError("P2002", { originalCode: "23505", constraint: { index: "a_key" } }),
      says: "a_key",
    },
    {
      name: "foreign key",
      read: foreignKeyViolation,
      error: pgError("23503", { constraint: "a_fkey" }),
      says: "a_fkey",
    },
    {
      name: "of another kind",
      read: uniqueViolation,
      error: pgError("23503", { constraint: "a_fkey" }),
      says: undefined,
    },
  ])("$name", ({ read, error, says }) => {
    expect(read(error)).toBe(says);
  });
});

describe("worth another try", () => {
  it.for([
    pgError("40001"),
    pgError("40P01"),
    prismaError("P2010", { originalCode: "40001" }),
    pgError("P2034"),
  ])("%o", (error) => {
    expect(isConflict(error)).toBe(true);
  });

  it.for([pgError("23505"), pgError("57P01"), new Error("40001")])("not %o", (error) => {
    expect(isConflict(error)).toBe(false);
  });
});

describe("the database is away", () => {
  const AWAY: readonly { name: string; error: unknown }[] = [
    ...["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTFOUND"].map((code) => ({
      name: code,
      error: pgError(code),
    })),
    ...["08006", "53300", "57P01", "57P02", "57P03", "57014", "55P03", "25P03"].map((code) => ({
      name: code,
      error: pgError(code),
    })),
    ...["P1001", "P1017", "P2024", "P2028", "P2037"].map((code) => ({
      name: code,
      error: pgError(code),
    })),
    { name: "a socket that is not there", error: pgError("ENOENT", { syscall: "connect" }) },
    { name: "said by Prisma's adapter", error: prismaError("P2010", { originalCode: "57P01" }) },
    {
      name: "a server that takes the connection and says nothing",
      error: messageOnly("timeout expired"),
    },
    { name: "a cut connection", error: messageOnly("Connection terminated unexpectedly") },
    {
      name: "no connection in time",
      error: messageOnly("timeout exceeded when trying to connect"),
    },
    { name: "said already", error: new DatabaseUnavailableError("away") },
  ];

  it.for(AWAY)("$name", ({ error }) => {
    expect(isUnavailable(error)).toBe(true);
    expect(storageError(error)).toMatchObject({
      code: "database-unavailable",
      name: "DatabaseUnavailableError",
    });
  });

  const HERE: readonly { name: string; error: unknown }[] = [
    ...["23505", "42501", "40001", "22P02", "25006", "P2025"].map((code) => ({
      name: code,
      error: pgError(code),
    })),
    { name: "a missing file", error: pgError("ENOENT", { syscall: "open" }) },
    { name: "a bug of ours", error: new TypeError("x is not a function") },
    { name: "no error at all", error: "Connection terminated" },
  ];

  it.for(HERE)("but not: $name", ({ error }) => {
    expect(isUnavailable(error)).toBe(false);
    expect(storageError(error)).toBe(error);
  });

  it("keeps the cause, and is not wrapped twice", () => {
    const cause = pgError("ECONNREFUSED");
    const once = storageError(cause);
    expect(once).toHaveProperty("cause", cause);
    expect(storageError(once)).toBe(once);
  });
});

it("the embedded server's error is one sentence that names the way out", () => {
  expect(new EmbeddedPostgresError("the disk is full").message).toBe(
    "the embedded PostgreSQL cannot run: the disk is full (set DATABASE_URL to use a PostgreSQL server of your own)",
  );
});

describe("why a database is not reached", () => {
  it.for([
    { name: "refused", error: pgError("ECONNREFUSED"), says: /refused/ },
    { name: "refused, wrapped", error: storageError(pgError("ECONNREFUSED")), says: /refused/ },
    { name: "no host", error: pgError("ENOTFOUND"), says: /host was not found/ },
    { name: "no socket", error: pgError("ENOENT", { syscall: "connect" }), says: /socket/ },
    { name: "the password", error: pgError("28P01"), says: /refused the password/ },
    {
      name: "no password",
      error: messageOnly("SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string"),
      says: /wants a password/,
    },
    { name: "no database", error: pgError("3D000"), says: /no such database/ },
    { name: "silence", error: messageOnly("timeout expired"), says: /does not answer/ },
  ])("$name", ({ error, says }) => {
    expect(whyNotReached(error)).toMatch(says);
  });

  it.for([pgError("23505"), pgError("ENOENT", { syscall: "open" }), new TypeError("x"), "x"])(
    "not of %o",
    (error) => {
      expect(whyNotReached(error)).toBeUndefined();
    },
  );
});
