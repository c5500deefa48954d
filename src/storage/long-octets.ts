import type { Sql } from "./sql.ts";

/** So many octets come at once: hex, and decoded without holding anybody up for long. */
const PART = 4 * 1024 * 1024;

/**
 * A bytea of tens of megabytes, in parts: whole it would take three times its memory, and hold up everything else while
 * it is decoded. The statement gives `part`, which is `substring(… from $1 for $2)` of a column that is stored without
 * compression, and `length`, all its octets; its own values come from $3 on. Undefined where it gives no row.
 */
export async function readLongOctets(
  sql: Sql,
  text: string,
  values: readonly unknown[],
): Promise<Buffer | undefined> {
  let whole: Buffer | undefined;
  for (let at = 0; ; at += PART) {
    const [row] = await sql.query<{ part: Buffer; length: number }>(text, [
      at + 1,
      PART,
      ...values,
    ]);
    if (row === undefined) return undefined;
    whole ??= Buffer.allocUnsafeSlow(row.length);
    row.part.copy(whole, at);
    if (at + row.part.length >= row.length || row.part.length === 0) return whole;
  }
}
