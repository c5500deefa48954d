import { serialOf } from "../ca/certificate-record.ts";
import { type Serial, serialBytes } from "../pki/serial.ts";
import type { Database } from "../storage/database.ts";
import { type Renewable, renewalWindows } from "./renewal-windows.ts";

/** So many certificates at a time, each with all that its pharmacy has. */
const AT_ONCE = 2_000;

interface Row {
  readonly pharmacy_id: string;
  readonly is_wanted: boolean;
  readonly serial: Uint8Array;
  readonly device_id: string;
  readonly not_before: Date;
  readonly not_after: Date;
}

/**
 * Writes down from when certificates are asked to renew that end before `beyond` and of which that is not known yet, so that
 * who plans reminders need not know the rule. Returns how many; safe to repeat, and on several machines at once.
 */
export async function keepWindows(
  /** As suido_worker. */
  database: Database,
  { at, beyond, timeZone }: { readonly at: Date; readonly beyond: Date; readonly timeZone: string },
): Promise<number> {
  let kept = 0;
  for (;;) {
    const rows = await database.query<Row>(
      "select * from app.windows_wanted($1, $2, $3)",
      [at, beyond, AT_ONCE],
      "windows-wanted",
    );
    if (rows.length === 0) return kept;
    const wanted = rows.filter(({ is_wanted: isWanted }) => isWanted);
    const windows = new Map<Serial, Date>();
    for (const own of byPharmacy(rows).values())
      for (const [serial, from] of renewalWindows(own, timeZone)) windows.set(serial, from);
    const serials = wanted.map(({ serial }) => serialOf(serial));
    await database.query("select app.keep_windows($1, $2)", [
      serials.map((serial) => Buffer.from(serialBytes(serial))),
      serials.map((serial) => windows.get(serial) ?? beyond),
    ]);
    kept += serials.length;
    if (serials.length < AT_ONCE) return kept;
  }
}

/** The certificates of each pharmacy, in the order of their issue. */
function byPharmacy(rows: readonly Row[]): ReadonlyMap<string, readonly Renewable[]> {
  const pharmacies = new Map<string, Renewable[]>();
  for (const row of rows) {
    const own = pharmacies.get(row.pharmacy_id) ?? [];
    pharmacies.set(row.pharmacy_id, own);
    own.push({
      serialNumber: serialOf(row.serial),
      deviceId: row.device_id,
      notBefore: row.not_before,
      notAfter: row.not_after,
    });
  }
  return pharmacies;
}
