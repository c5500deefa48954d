import type { CopyValue } from "./octet-copy.ts";
import type { OctetSql } from "./sql.ts";

/** So many octets come at once: little enough to be put together as they come. */
const PART = 256 * 1024;

/**
 * A bytea of tens of megabytes, in parts. The statement gives one row with one column that is stored without compression.
 * Undefined where it gives none.
 */
export async function readLongOctets(
  sql: OctetSql,
  text: string,
  values: readonly CopyValue[],
): Promise<Buffer | undefined> {
  const rows = await sql.octets(
    `select at, length(octets), substring(octets from at for ${PART})
     from (${text}) as long (octets), generate_series(1, greatest(1, length(octets)), ${PART}) as at`,
    values,
  );
  let whole: Buffer | undefined;
  for (const [at, length, part] of rows as readonly [Buffer, Buffer, Buffer][]) {
    whole ??= Buffer.allocUnsafeSlow(length.readInt32BE(0));
    part.copy(whole, at.readInt32BE(0) - 1);
  }
  return whole;
}
