import { serialOf } from "../ca/certificate-record.ts";
import { heldOf } from "../ca/device-hold.ts";
import type { Clock } from "../pki/clock.ts";
import type { Serial } from "../pki/serial.ts";
import type { Platform } from "../registry/vocabulary.ts";
import type { EnrolmentState, IdentifiedHow, PlaceChoice } from "./enrolment-row.ts";
import { hiddenAddress } from "./hidden-address.ts";
import { TOLD_STATE } from "./identifying.ts";
import { MAY_ASK } from "./new-machines.ts";
import { placesOf } from "./places.ts";
import { notRenewableWhy } from "./renewable.ts";

/** The certificate that an enrolment has led to: the newest of those that were made for it. */
export interface WayCertificate {
  readonly serialNumber: Serial;
  readonly commonName: string;
  readonly notAfter: Date;
  readonly keyOrigin: "subject" | "server";
  readonly isGood: boolean;
  readonly provenAt?: Date;
  /** When a product has let it in first. */
  readonly usedAt?: Date;
}

/** How far a browser is that has begun an enrolment. */
export interface Way {
  readonly enrolmentId: string;
  readonly state: EnrolmentState;
  /** Whether a newer one of the same device has taken its place. */
  readonly isReplaced: boolean;
  /** Whether it is known what the device is called: if not, the person names it before there is a certificate. */
  readonly isNamed: boolean;
  /** Whether the device has a certificate in use, and nobody has said what becomes of it. */
  readonly isPlaceOpen: boolean;
  /** Whether somebody of its pharmacy has stopped the device: it gets no certificate while that lasts. */
  readonly isHeld: boolean;
  /** Both absent while nobody has named it. */
  readonly deviceName?: string;
  readonly platform?: Platform;
  readonly pharmacyName: string;
  readonly supportNumber: string;
  readonly expiresAt: Date;
  readonly identifiedHow?: IdentifiedHow;
  /** Where a code can be mailed to, with its name hidden but for the first letter, and how many were. */
  readonly mail?: { readonly address: string; readonly sent: number };
  /** Of a renewal whose old certificate expired too long ago, or was stopped: it comes to nothing. */
  readonly notRenewable?: "late" | "barred";
  /** Whether its machine stands in for another one for a night. */
  readonly isEmergency: boolean;
  /** How many certificates were made for it so far. */
  readonly made: number;
  readonly certificate?: WayCertificate;
  /** Whether one more machine may be asked for here. */
  readonly mayAskForAnother: boolean;
}

/** What is read of an enrolment for its browser. */
export interface WayRow {
  readonly id: string;
  readonly device_id: string | null;
  readonly pharmacy_id: string;
  readonly account_id: string;
  readonly told_state: EnrolmentState;
  readonly replaced_by: string | null;
  readonly support_number: string;
  readonly expires_at: Date;
  readonly identified_how: IdentifiedHow | null;
  /** The person's own. */
  readonly email: string | null;
  readonly codes_mailed: number;
  readonly device_name: string | null;
  readonly platform: Platform | null;
  readonly pharmacy_name: string;
  /** Whether the device is named, or comes into being, by its person. */
  readonly is_claimed: boolean;
  readonly is_named: boolean;
  readonly place: PlaceChoice | null;
  /** Where it is still to be said which place it is for, in how many the device has a certificate. */
  readonly places: number;
  readonly may_ask: boolean;
  readonly made: number;
  /** The certificate that is renewed. */
  readonly replaces: Uint8Array | null;
  readonly old_state: string | null;
  readonly old_not_after: Date | null;
  readonly serial: Uint8Array | null;
  readonly common_name: string;
  readonly not_after: Date;
  readonly key_origin: "subject" | "server";
  readonly issued_state: string;
  readonly proven_at: Date | null;
  readonly used_at: Date | null;
  readonly is_emergency: boolean;
  readonly is_held: boolean;
}

/** By the hash of its session ($1), at a time ($2); a person may ask for so many more machines a day ($3). */
export const FIND_WAY = `select e.id, e.device_id, e.pharmacy_id, e.account_id, ${TOLD_STATE} as told_state, e.replaced_by, e.support_number,
    e.expires_at, e.replaces, old.state as old_state, old.not_after as old_not_after, e.identified_how, case when a.email_shared then null else a.email end as email, e.codes_mailed,
    coalesce(d.name, e.device_name) as device_name, coalesce(d.platform, e.device_platform) as platform, p.name as pharmacy_name,
    (e.device_id is null or e.device_name is not null or e.place is not null) as is_claimed, e.place,
    case when e.state = 'identified' and e.replaces is null then ${placesOf("coalesce(e.device_id, e.takes_over)", "$2")} else 0 end as places,
    e.device_id is not null or (e.device_name is not null and e.takes_over is not distinct from (select t.id from app.device t
      where t.pharmacy_id = e.pharmacy_id and t.name = e.device_name and t.retired_at is null)) as is_named,
    ${MAY_ASK} as may_ask,
    (select count(*)::integer from app.binding b where b.enrolment_id = e.id) as made,
    c.serial, c.common_name, c.not_after, c.key_origin, c.state as issued_state, c.proven_at,
    exists (select from app.emergency x where x.enrolment_id = e.id) as is_emergency,
    ${heldOf("coalesce(e.device_id, e.takes_over)", "$2")} as is_held,
    (select min(u.first_at) from party.use u where u.serial = c.serial) as used_at
  from app.enrolment e
  left join app.device d on d.id = e.device_id
  join app.pharmacy p on p.id = e.pharmacy_id
  join app.account a on a.id = e.account_id
  left join ca.issued old on old.serial = e.replaces
  left join lateral (
    select i.serial, i.common_name, i.not_after, i.key_origin, i.state, i.proven_at
    from app.binding b join ca.issued i on i.serial = b.serial
    where b.enrolment_id = e.id and i.der is not null order by i.issued_at desc, i.serial desc limit 1) c on true
  where e.session_sha256 = $1`;

/** Undefined before there is one. */
export function certificateOf(row: WayRow): WayCertificate | undefined {
  if (row.serial === null) return undefined;
  return {
    serialNumber: serialOf(row.serial),
    commonName: row.common_name,
    notAfter: row.not_after,
    keyOrigin: row.key_origin,
    isGood: row.issued_state === "good",
    ...(row.proven_at !== null && { provenAt: row.proven_at }),
    ...(row.used_at !== null && { usedAt: row.used_at }),
  };
}

/** Whether it has to be said yet what becomes of the device's certificates, or cannot be as it was said. */
export function isPlaceOpen(row: WayRow, most: number): boolean {
  if (row.is_emergency || row.replaces !== null) return false;
  if (row.place === "further") return row.made === 0 && row.places >= most;
  return row.place === null && row.device_id !== null && row.places > 0;
}

/** What the site has settled. */
export interface WaySite {
  readonly clock: Clock;
  /** Whether a code to their own address says who somebody is. */
  readonly identifyByMail: boolean;
  /** In so many places a device may have a certificate. */
  readonly placesPerDevice: number;
}

/** What its pharmacy has stopped may go on again: whoever is identified reads that the manager lets it. */
function barOf(row: WayRow, at: Date): Way["notRenewable"] {
  const mayGoOn = row.is_held && row.old_state === "hold";
  return row.is_claimed || mayGoOn ? undefined : notRenewableWhy(row, at);
}

/** How far it is. */
export function wayOf(row: WayRow, { clock, identifyByMail, placesPerDevice }: WaySite): Way {
  const { email } = row;
  const isOpen = isPlaceOpen(row, placesPerDevice);
  const certificate = certificateOf(row);
  const notRenewable = barOf(row, clock());
  return {
    enrolmentId: row.id,
    state: row.told_state,
    isReplaced: row.replaced_by !== null,
    ...(row.device_name !== null && { deviceName: row.device_name }),
    ...(row.platform !== null && { platform: row.platform }),
    pharmacyName: row.pharmacy_name,
    supportNumber: row.support_number,
    expiresAt: row.expires_at,
    ...(notRenewable !== undefined && { notRenewable }),
    isEmergency: row.is_emergency,
    // Who has named a device that has no room any more names it anew.
    isNamed: row.is_named && !(isOpen && row.device_id === null),
    isPlaceOpen: isOpen,
    isHeld: row.is_held,
    mayAskForAnother: row.may_ask,
    made: row.made,
    ...(row.identified_how !== null && { identifiedHow: row.identified_how }),
    ...(identifyByMail &&
      email !== null && { mail: { address: hiddenAddress(email), sent: row.codes_mailed } }),
    ...(certificate !== undefined && { certificate }),
  };
}
