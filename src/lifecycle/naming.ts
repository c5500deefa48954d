import { record } from "../audit/record.ts";
import { serialOf } from "../ca/certificate-record.ts";
import type { Serial } from "../pki/serial.ts";
import type { NewId } from "../pki/uuid.ts";
import { changePlatform, registerDevice } from "../registry/device-row.ts";
import { parseDeviceName } from "../registry/devices.ts";
import { ConflictError } from "../registry/errors.ts";
import type { Platform } from "../registry/vocabulary.ts";
import type { Sql } from "../storage/sql.ts";
import type { PlaceChoice } from "./enrolment-row.ts";
import { replaceOpen } from "./open-enrolment.ts";
import { checkRoom, newestOf, placesOf } from "./places.ts";

/** How the person calls the machine that nobody has registered. */
export interface Naming {
  readonly name: string;
  readonly platform: Platform;
  /** The device of this name whose place it takes, or that it is: the person has said so. */
  readonly takesOver?: string;
  /** Absent: instead. */
  readonly place?: PlaceChoice;
}

/** A device in service that has the name. */
export interface NameHolder {
  readonly deviceId: string;
  readonly name: string;
  readonly platform: Platform;
  /** Nobody takes the place of another person's own device. */
  readonly mayReplace: boolean;
  /** Whether a certificate may be put into a further place of it. */
  readonly hasRoom: boolean;
  /** Who has put its certificate on, and until when it is good; absent without one. */
  readonly certificate?: { readonly installedBy: string; readonly notAfter: Date };
}

/** `reserved`: somebody else is just putting a machine of this name on. */
export type Named =
  | { readonly kind: "named" }
  | { readonly kind: "reserved" }
  | { readonly kind: "in-use"; readonly holder: NameHolder };

/** An identified enrolment without a device, which its transaction has locked. */
export interface Unnamed {
  readonly enrolmentId: string;
  readonly corporationId: string;
  readonly pharmacyId: string;
  readonly accountId: string;
  readonly at: Date;
}

interface NamingOf extends Unnamed {
  readonly naming: Naming;
  /** In so many places a device may have a certificate. */
  readonly most: number;
}

/** As long as somebody who has chosen a name keeps it without a certificate, in milliseconds. */
const RESERVED_MS = 30 * 60_000;

interface HolderRow {
  readonly id: string;
  readonly name: string;
  readonly platform: Platform;
  readonly places: number;
  readonly use: string;
  readonly account_id: string | null;
  readonly installed_by: string | null;
  readonly not_after: Date | null;
}

/** Two who choose the same name at once come one after the other: the second finds what the first has chosen. */
const LOCK = "select from app.pharmacy where id = $1 for no key update";

/** $2 is the time. */
const HOLDER = `select d.id, d.name, d.platform, d.use, c.account_id, c.not_after, a.name as installed_by, ${placesOf("d.id", "$2")} as places
  from app.device d
  left join lateral (select i.not_after, b.account_id from app.binding b join ca.issued i on i.serial = b.serial
    where b.device_id = d.id and b.bound_to is null and i.state in ('good', 'hold') and i.not_after > $2
    order by i.issued_at desc limit 1) c on true
  left join app.account a on a.id = c.account_id where`;

const HOLDER_OF_NAME = `${HOLDER} d.pharmacy_id = $1 and d.name = $3 and d.retired_at is null`;
const HOLDER_OF_ID = `${HOLDER} d.id = $1`;

const RESERVED = `select id from app.enrolment e where e.pharmacy_id = $1 and e.device_name = $2 and e.device_id is null and e.id <> $3
  and e.state in ('invited', 'started', 'identified', 'issued') and e.expires_at > $4 and e.named_at > $5`;

const NAME = `update app.enrolment set device_name = $2, device_platform = $3, named_at = $4, takes_over = $5, place = $6
  where id = $1 and device_id is null`;

function holderOf(
  row: HolderRow,
  { accountId, most }: Pick<NamingOf, "accountId" | "most">,
): NameHolder {
  const { installed_by: installedBy, name, not_after: notAfter, places, platform } = row;
  return {
    deviceId: row.id,
    name,
    platform,
    hasRoom: places < most,
    mayReplace: row.use === "shared" || row.account_id === null || row.account_id === accountId,
    ...(installedBy !== null && notAfter !== null && { certificate: { installedBy, notAfter } }),
  };
}

/** The device of an enrolment as whoever stands before it is told of it. */
export async function holderById(
  sql: Sql,
  { deviceId, at, ...of }: Pick<NamingOf, "accountId" | "at" | "most"> & { deviceId: string },
): Promise<NameHolder | undefined> {
  const [row] = await sql.query<HolderRow>(HOLDER_OF_ID, [deviceId, at], "naming-device");
  return row === undefined ? undefined : holderOf(row, of);
}

/**
 * Gives the machine of an enrolment its name, which it keeps until the first certificate makes it a device. Throws
 * InvalidValueError.
 */
export async function nameDevice(
  sql: Sql,
  { enrolmentId, corporationId, pharmacyId, accountId, at, naming, most }: NamingOf,
  newId: NewId,
): Promise<Named> {
  const name = parseDeviceName(naming.name, "name");
  const { platform, takesOver, place = "instead" } = naming;
  await sql.query(LOCK, [pharmacyId], "naming-lock");
  const since = new Date(at.getTime() - RESERVED_MS);
  const others = await sql.query(RESERVED, [pharmacyId, name, enrolmentId, at, since]);
  if (others.length > 0) return { kind: "reserved" };
  const [row] = await sql.query<HolderRow>(HOLDER_OF_NAME, [pharmacyId, at, name], "naming-holder");
  if (row !== undefined) {
    const holder = holderOf(row, { accountId, most });
    const isFull = place === "further" && !holder.hasRoom;
    if (takesOver !== row.id || !holder.mayReplace || isFull) return { kind: "in-use", holder };
  }
  const taken = row === undefined ? [null, null] : [row.id, place];
  await sql.query(NAME, [enrolmentId, name, platform, at, ...taken], "naming-name");
  const [actor, action] = [`enrolment:${enrolmentId}`, "enrolment.named"] as const;
  const subject = `enrolment/${enrolmentId}`;
  const detail = { platform, ...(row !== undefined && { takesOver: row.id, place }) };
  await record(sql, { at, actor, action, subject, corporationId, detail }, newId);
  return { kind: "named" };
}

/** The names that devices of a pharmacy have, and those that somebody is just about to give one. */
export async function namesInUse(
  sql: Sql,
  { enrolmentId, pharmacyId, at }: Pick<Unnamed, "enrolmentId" | "pharmacyId" | "at">,
): Promise<readonly string[]> {
  const rows = await sql.query<{ name: string }>(
    `select name from app.device where pharmacy_id = $1 and retired_at is null
     union select e.device_name from app.enrolment e where e.pharmacy_id = $1 and e.device_id is null and e.device_name is not null
       and e.id <> $2 and e.state in ('invited', 'started', 'identified', 'issued') and e.expires_at > $3 and e.named_at > $4`,
    [pharmacyId, enrolmentId, at, new Date(at.getTime() - RESERVED_MS)],
    "naming-names",
  );
  return rows.map(({ name }) => name);
}

interface ClaimRow {
  readonly pharmacy_id: string;
  readonly device_id: string | null;
  readonly device_name: string | null;
  readonly device_platform: Platform | null;
  readonly takes_over: string | null;
  readonly place: PlaceChoice | null;
  readonly replaces: Uint8Array | null;
  readonly is_made: boolean;
  /** The device in service that has the name now. */
  readonly holder: string | null;
}

const CLAIM = `select e.pharmacy_id, e.device_id, e.device_name, e.device_platform, e.takes_over, e.place, e.replaces,
    exists (select from app.binding b where b.enrolment_id = e.id) as is_made,
    (select d.id from app.device d where d.pharmacy_id = e.pharmacy_id and d.name = e.device_name and d.retired_at is null) as holder
  from app.enrolment e where e.id = $1 for update of e`;

const FOLLOW = "update app.enrolment set replaces = $2 where id = $1";

/** The device that a certificate is for, and the certificate that it follows. */
export interface ClaimedDevice {
  readonly deviceId: string;
  readonly replaces?: Serial;
}

interface Claim {
  readonly enrolmentId: string;
  readonly corporationId: string;
  readonly at: Date;
  /** In so many places a device may have a certificate. */
  readonly most: number;
}

interface TakingOver extends Claim {
  readonly deviceId: string;
  readonly platform: Platform;
  readonly place: PlaceChoice | null;
}

/** The certificate that the first one of the new machine follows; none where it is the same machine in a further place. */
async function takeOver(sql: Sql, claim: TakingOver, newId: NewId): Promise<Uint8Array | null> {
  const { at, corporationId, deviceId, enrolmentId: id, place, platform } = claim;
  const said = { corporationId, actor: `enrolment:${id}`, at };
  await sql.query("select from app.device where id = $1 for update", [deviceId], "claim-lock");
  if (place === "further") {
    await checkRoom(sql, claim);
    await replaceOpen(sql, { ...said, wanted: [{ id, deviceId, place }] }, newId);
    return null;
  }
  await replaceOpen(sql, { ...said, wanted: [{ id, deviceId }] }, newId);
  await changePlatform(sql, { ...said, id: deviceId, platform }, newId);
  return newestOf(sql, deviceId);
}

/** What `instead` follows is found at the first certificate: the device may have got one since it was said. */
async function claimKnown(
  sql: Sql,
  claim: Claim & { readonly deviceId: string },
  { is_made: isMade, place, replaces: noted }: ClaimRow,
): Promise<ClaimedDevice> {
  const { deviceId, enrolmentId } = claim;
  if (place === "further" && !isMade) await checkRoom(sql, claim);
  const isOpen = place === "instead" && noted === null && !isMade;
  const replaces = isOpen ? await newestOf(sql, deviceId) : noted;
  if (isOpen) await sql.query(FOLLOW, [enrolmentId, replaces], "claim-follow");
  return { deviceId, ...(replaces !== null && { replaces: serialOf(replaces) }) };
}

/**
 * Makes the machine of an enrolment a device, in the transaction that reserves its first certificate; later ones find it.
 * Throws ConflictError where it has no name, another device has it since, or it has no room for a further place, and the violation of `registerDevice` where that
 * happens in this very moment.
 */
export async function claimDevice(sql: Sql, claim: Claim, newId: NewId): Promise<ClaimedDevice> {
  const { enrolmentId, corporationId, at } = claim;
  const [row] = await sql.query<ClaimRow>(CLAIM, [enrolmentId], "claim");
  if (row === undefined) throw new Error("an enrolment that has a session is gone");
  const { device_id: known, device_name: name, device_platform: platform } = row;
  if (known !== null) return claimKnown(sql, { ...claim, deviceId: known }, row);
  if (name === null || platform === null || row.holder !== row.takes_over)
    throw new ConflictError("the machine has no name, or another device has it since", "name");
  const actor = `enrolment:${enrolmentId}`;
  const device = { corporationId, pharmacyId: row.pharmacy_id, name, platform, actor, at };
  const deviceId = row.takes_over ?? (await registerDevice(sql, device, newId));
  const replaces =
    row.takes_over === null
      ? null
      : await takeOver(sql, { ...claim, deviceId, platform, place: row.place }, newId);
  await sql.query(
    "update app.enrolment set device_id = $2, replaces = $3 where id = $1",
    [enrolmentId, deviceId, replaces],
    "claim-device",
  );
  return { deviceId, ...(replaces !== null && { replaces: serialOf(replaces) }) };
}
