import { record } from "../audit/record.ts";
import { EMERGENCY_PROFILE } from "../pki/profile.ts";
import type { NewId } from "../pki/uuid.ts";
import { ConflictError } from "../registry/errors.ts";
import type { Sql } from "../storage/sql.ts";
import type { PlaceChoice } from "./enrolment-row.ts";
import { replaceOpen } from "./open-enrolment.ts";

/** How many of a device's places have a certificate that is in use, in SQL; `device` and `at` are expressions. */
export const placesOf = (device: string, at: string): string =>
  `(select count(*)::integer from app.places_in_use(${device}, ${at}))`;

/** As many as there are now. The device's row is locked, so that of two at once the second counts the first. */
async function lockedPlaces(sql: Sql, deviceId: string, at: Date): Promise<number> {
  await sql.query(
    "select id from app.device where id = $1::uuid for update",
    [deviceId],
    "places-lock",
  );
  return (await countPlaces(sql, [deviceId], at)).get(deviceId) ?? 0;
}

/** A device that gets a certificate beside those that it has. */
export interface Adding {
  readonly deviceId: string;
  readonly at: Date;
  /** So many a device may have. */
  readonly most: number;
}

/** Locks the device's row. Throws ConflictError where it has as many places as it may have. */
export async function checkRoom(sql: Sql, { deviceId, at, most }: Adding): Promise<void> {
  if ((await lockedPlaces(sql, deviceId, at)) >= most)
    throw new ConflictError(
      `the device has a certificate in ${most} places already, and may have no more`,
      "place",
    );
}

/** Of each device. Those of an emergency end by themselves. */
const NEWEST = `select wish.id, newest.serial from unnest($1::uuid[]) as wish (id) cross join lateral (
    select i.serial from app.binding b join ca.issued i on i.serial = b.serial
    where b.device_id = wish.id and b.bound_to is null and i.state in ('good', 'hold') and i.profile <> $2::text
    order by i.issued_at desc, i.serial desc limit 1
  ) newest`;

/** The newest certificates of some devices, which those that are made instead follow; nothing of a device that has none. */
export async function newestOfEach(
  sql: Sql,
  deviceIds: readonly string[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const values = [deviceIds, EMERGENCY_PROFILE];
  const rows = await sql.query<{ id: string; serial: Uint8Array }>(NEWEST, values);
  return new Map(rows.map(({ id, serial }) => [id, serial]));
}

/** A device's newest certificate, which the one that is made instead follows; null where it has none. */
export async function newestOf(sql: Sql, deviceId: string): Promise<Uint8Array | null> {
  return (await newestOfEach(sql, [deviceId])).get(deviceId) ?? null;
}

/** In how many places each of some devices has a certificate in use. The caller has locked their rows, if they are to stay so. */
export async function countPlaces(
  sql: Sql,
  deviceIds: readonly string[],
  at: Date,
): Promise<ReadonlyMap<string, number>> {
  const rows = await sql.query<{ id: string; places: number }>(
    `select wish.id, ${placesOf("wish.id", "$2::timestamptz")} as places from unnest($1::uuid[]) as wish (id)`,
    [deviceIds, at.toISOString()],
  );
  return new Map(rows.map(({ id, places }) => [id, places]));
}

/** An identified enrolment of a device that has certificates, which its transaction has locked. */
export interface Choosing extends Adding {
  readonly enrolmentId: string;
  readonly corporationId: string;
  readonly place: PlaceChoice;
}

const CHOOSE =
  "update app.enrolment set place = $2, replaces = $3, place_said = true where id = $1";

/** Notes what the person has said. Throws ConflictError where there is no room for a further one. */
export async function choosePlace(sql: Sql, choosing: Choosing, newId: NewId): Promise<void> {
  const { at, corporationId, deviceId, enrolmentId: id, place } = choosing;
  const actor = `enrolment:${id}`;
  if (place === "further") await checkRoom(sql, choosing);
  else {
    await lockedPlaces(sql, deviceId, at);
    await replaceOpen(sql, { corporationId, actor, at, wanted: [{ id, deviceId }] }, newId);
  }
  const replaces = place === "further" ? null : await newestOf(sql, deviceId);
  await sql.query(CHOOSE, [id, place, replaces], "places-choose");
  const [action, subject] = ["enrolment.place-chosen", `enrolment/${id}`] as const;
  await record(sql, { at, actor, action, subject, corporationId, detail: { place } }, newId);
}
