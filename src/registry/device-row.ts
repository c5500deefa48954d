import { record } from "../audit/record.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Sql } from "../storage/sql.ts";
import type { Platform } from "./vocabulary.ts";

/** A machine that is registered with its first certificate, in that certificate's transaction. */
export interface NewDevice {
  readonly corporationId: string;
  readonly pharmacyId: string;
  /** As `parseDeviceName` gives it. */
  readonly name: string;
  readonly platform: Platform;
  readonly actor: string;
  readonly at: Date;
}

/**
 * Registers a shared device, and puts that on record. Returns its id. Throws a unique violation of `device_name_in_pharmacy`
 * where another one in service has the name.
 */
export async function registerDevice(
  sql: Sql,
  { corporationId, pharmacyId, name, platform, actor, at }: NewDevice,
  newId: NewId,
): Promise<string> {
  const id = newId();
  const use = "shared";
  await sql.query(
    `insert into app.device (id, corporation_id, pharmacy_id, name, platform, use, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $7)`,
    [id, corporationId, pharmacyId, name, platform, use, at],
    "device-register",
  );
  const [action, subject] = ["device.created", `device/${id}`] as const;
  const detail = { pharmacyId, platform, use };
  await record(sql, { at, actor, action, subject, corporationId, detail }, newId);
  return id;
}

/** A machine that another one takes the place of. */
export interface TakenOver extends Pick<NewDevice, "corporationId" | "platform" | "actor" | "at"> {
  readonly id: string;
}

/** Notes which platform a device has from now on, where it is another. */
export async function changePlatform(
  sql: Sql,
  { id, corporationId, platform, actor, at }: TakenOver,
  newId: NewId,
): Promise<void> {
  const changed = await sql.query(
    "update app.device set platform = $2, updated_at = $3 where id = $1 and platform <> $2 returning id",
    [id, platform, at],
    "device-platform",
  );
  if (changed.length === 0) return;
  const [action, subject] = ["device.updated", `device/${id}`] as const;
  const detail = { changed: ["platform"] };
  await record(sql, { at, actor, action, subject, corporationId, detail }, newId);
}
