import type { QueryConfig } from "pg";

/** A statement as the driver wants it; one with a name is planned once a connection. */
export function statementOf(text: string, values: readonly unknown[], name?: string): QueryConfig {
  return { text, values: [...values], ...(name !== undefined && { name }) };
}
