import { canonicalUuid } from "../registry/principal.ts";
import type { Sql } from "../storage/sql.ts";
import type { BatchColumn, BatchFault, BatchFaultCode } from "./batch-fault.ts";
import type { EnrolmentReason, PlaceChoice } from "./enrolment-row.ts";

/** What a line asks for, in its sender's words. */
export interface BatchLine {
  /** In the file, from 1. */
  readonly line: number;
  /** An id, an e-mail address, or an external id as `system:value`. */
  readonly account: string;
  /** An id or a code. */
  readonly pharmacy?: string;
  /** An id, or a name within the pharmacy. */
  readonly device?: string;
  readonly count: number;
  readonly reason: EnrolmentReason;
  /** Of a device, and not of a renewal. If absent, the person is asked where the device has a certificate in use. */
  readonly place?: PlaceChoice;
}

/** What a line asks for, found: an invitation, or several for machines that nobody has registered. */
export interface Invitation {
  readonly line: number;
  readonly accountId: string;
  readonly hasAddress: boolean;
  readonly pharmacyId: string;
  readonly deviceId?: string;
  /** 1, where there is a device. */
  readonly count: number;
  readonly reason: EnrolmentReason;
  readonly place?: PlaceChoice;
  /** The certificate that the new one follows, in hexadecimal digits. */
  readonly replaces?: string;
}

/**
 * Items of one statement: it ends well within the time that the application's statements have. None of them is prepared:
 * a plan for any number of items was ten times as slow as one for these.
 */
export const ITEMS_A_STATEMENT = 1_000;

/** Whether what is found must stay as it is until the transaction ends. */
export type Holding = "look" | "hold";

interface AccountRow {
  readonly key: string;
  readonly id: string;
  readonly has_address: boolean;
  readonly is_disabled: boolean;
}

interface PharmacyRow {
  readonly key: string;
  readonly id: string;
}

interface DeviceRow {
  readonly key: string;
  readonly id: string;
  readonly pharmacy_id: string;
  readonly is_retired: boolean;
}

const ACCOUNT =
  "a.id, a.email is not null as has_address, a.disabled_at is not null as is_disabled";
const KEYS = "unnest($1::text[], $2::text[], $3::text[]) as wish (key, first, second)";

/** What is looked for, by how it is named. Each has three values: the name as it was written, and one or two to find it by. */
const LOOKUPS = {
  accountId: `select wish.key, ${ACCOUNT} from ${KEYS} join app.account a on a.id = wish.first::uuid order by a.id`,
  address: `select wish.key, ${ACCOUNT} from ${KEYS} join app.account a on lower(a.email) = lower(wish.first) order by a.id`,
  externalId: `select wish.key, ${ACCOUNT} from ${KEYS} join app.external_id x on x.system = wish.first and x.value = wish.second
    join app.account a on a.id = x.account_id order by a.id`,
  pharmacyId: `select wish.key, p.id from ${KEYS} join app.pharmacy p on p.id = wish.first::uuid order by p.id`,
  pharmacyCode: `select wish.key, p.id from ${KEYS} join app.pharmacy p on p.code = wish.first order by p.id`,
  deviceId: `select wish.key, d.id, d.pharmacy_id, d.retired_at is not null as is_retired
    from ${KEYS} join app.device d on d.id = wish.first::uuid order by d.id`,
  deviceName: `select wish.key, d.id, d.pharmacy_id, false as is_retired
    from ${KEYS} join app.device d on d.pharmacy_id = wish.first::uuid and d.name = wish.second and d.retired_at is null order by d.id`,
} as const;
type Way = keyof typeof LOOKUPS;

/** Who makes an invitation for one of the devices meanwhile waits, and then replaces that one. */
const LOCKS: Readonly<Record<Way, string>> = {
  accountId: "for key share of a",
  address: "for key share of a",
  externalId: "for key share of a",
  pharmacyId: "for key share of p",
  pharmacyCode: "for key share of p",
  deviceId: "for update of d",
  deviceName: "for update of d",
};

/** A name in a file, and how it says what it names. */
interface Name {
  readonly key: string;
  readonly way: Way;
  readonly by: readonly [string, string?];
}

function accountName(key: string): Name | undefined {
  const id = canonicalUuid(key);
  if (id !== undefined) return { key, way: "accountId", by: [id] };
  const colon = key.indexOf(":");
  if (colon > 0 && colon < key.length - 1)
    return { key, way: "externalId", by: [key.slice(0, colon), key.slice(colon + 1)] };
  return key.includes("@") ? { key, way: "address", by: [key] } : undefined;
}

function pharmacyName(key: string): Name {
  const id = canonicalUuid(key);
  return id === undefined
    ? { key, way: "pharmacyCode", by: [key] }
    : { key, way: "pharmacyId", by: [id] };
}

function deviceName(key: string, pharmacyId: string | undefined): Name | undefined {
  const id = canonicalUuid(key);
  if (id !== undefined) return { key: id, way: "deviceId", by: [id] };
  return pharmacyId === undefined
    ? undefined
    : { key: `${pharmacyId}/${key}`, way: "deviceName", by: [pharmacyId, key] };
}

/** What the names stand for, by their keys, with one statement for each way of naming. */
async function lookUp<Row extends { readonly key: string }>(
  sql: Sql,
  names: readonly (Name | undefined)[],
  holding: Holding,
): Promise<ReadonlyMap<string, readonly Row[]>> {
  const found = new Map<string, Row[]>();
  for (const way of Object.keys(LOOKUPS) as Way[]) {
    const wanted = new Map(
      names.flatMap((name) => (name?.way === way ? [[name.key, name.by] as const] : [])),
    );
    if (wanted.size === 0) continue;
    const text = LOOKUPS[way];
    const rows = await sql.query<Row>(holding === "hold" ? `${text} ${LOCKS[way]}` : text, [
      [...wanted.keys()],
      [...wanted.values()].map(([first]) => first),
      [...wanted.values()].map(([, second]) => second ?? null),
    ]);
    for (const row of rows) {
      const before = found.get(row.key);
      if (before === undefined) found.set(row.key, [row]);
      else before.push(row);
    }
  }
  return found;
}

const MEMBERS = `select distinct m.account_id || '/' || m.pharmacy_id as key
  from unnest($1::uuid[], $2::uuid[]) as wish (account_id, pharmacy_id)
  join app.membership m on m.account_id = wish.account_id and m.pharmacy_id = wish.pharmacy_id
  where m.valid_from <= $3 and (m.valid_to is null or m.valid_to > $3)`;

const memberKey = ({ accountId, pharmacyId }: Invitation): string => `${accountId}/${pharmacyId}`;

async function membersAmong(
  sql: Sql,
  invitations: readonly Invitation[],
  now: Date,
): Promise<ReadonlySet<string>> {
  const rows = await sql.query<{ key: string }>(MEMBERS, [
    invitations.map(({ accountId }) => accountId),
    invitations.map(({ pharmacyId }) => pharmacyId),
    now,
  ]);
  return new Set(rows.map(({ key }) => key));
}

/** One line's fault: its column, and why. */
class LineFault extends Error {
  readonly fault: BatchFault;

  constructor(column: BatchColumn, code: BatchFaultCode, where: { line: number; about?: number }) {
    super(code);
    this.fault = { column, code, ...where };
  }
}

/** What the names of some lines stand for. */
interface Found {
  readonly accounts: ReadonlyMap<string, readonly AccountRow[]>;
  readonly pharmacies: ReadonlyMap<string, readonly PharmacyRow[]>;
  readonly devices: ReadonlyMap<string, readonly DeviceRow[]>;
}

function accountOf({ account, line }: BatchLine, { accounts }: Found): AccountRow {
  if (accountName(account) === undefined) throw new LineFault("account", "account-form", { line });
  const [first, ...others] = accounts.get(account) ?? [];
  if (first === undefined) throw new LineFault("account", "account-unknown", { line });
  if (others.length > 0)
    throw new LineFault("account", "account-ambiguous", { line, about: others.length + 1 });
  if (first.is_disabled) throw new LineFault("account", "account-disabled", { line });
  return first;
}

function pharmacyOf({ pharmacy, line }: BatchLine, { pharmacies }: Found): string | undefined {
  if (pharmacy === undefined) return undefined;
  const id = pharmacies.get(pharmacy)?.[0]?.id;
  if (id === undefined) throw new LineFault("pharmacy", "pharmacy-unknown", { line });
  return id;
}

function deviceOf(
  { device, line }: BatchLine & { readonly device: string },
  { devices }: Found,
  pharmacyId: string | undefined,
): DeviceRow {
  const name = deviceName(device, pharmacyId);
  if (name === undefined) throw new LineFault("pharmacy", "device-needs-pharmacy", { line });
  const row = devices.get(name.key)?.[0];
  if (row === undefined) throw new LineFault("device", "device-unknown", { line });
  if (row.is_retired) throw new LineFault("device", "device-retired", { line });
  if (pharmacyId !== undefined && row.pharmacy_id !== pharmacyId)
    throw new LineFault("device", "device-elsewhere", { line });
  return row;
}

function invitationOf(asked: BatchLine, found: Found): Invitation {
  const { count, device, line, place, reason } = asked;
  const { id: accountId, has_address: hasAddress } = accountOf(asked, found);
  const pharmacyId = pharmacyOf(asked, found);
  const common = {
    line,
    accountId,
    hasAddress,
    count,
    reason,
    ...(place !== undefined && { place }),
  };
  if (device !== undefined) {
    const row = deviceOf({ ...asked, device }, found, pharmacyId);
    return { ...common, pharmacyId: row.pharmacy_id, deviceId: row.id };
  }
  if (pharmacyId === undefined) throw new LineFault("pharmacy", "pharmacy-unknown", { line });
  return { ...common, pharmacyId };
}

/** Looks for what some lines name, at most `ITEMS_A_STATEMENT` of them. */
async function findNamed(sql: Sql, lines: readonly BatchLine[], holding: Holding): Promise<Found> {
  const accounts = await lookUp<AccountRow>(
    sql,
    lines.map(({ account }) => accountName(account)),
    holding,
  );
  const pharmacies = await lookUp<PharmacyRow>(
    sql,
    lines.flatMap(({ pharmacy }) => (pharmacy === undefined ? [] : [pharmacyName(pharmacy)])),
    holding,
  );
  const devices = await lookUp<DeviceRow>(
    sql,
    lines.flatMap(({ device, pharmacy = "" }) =>
      device === undefined ? [] : [deviceName(device, pharmacies.get(pharmacy)?.[0]?.id)],
    ),
    holding,
  );
  return { accounts, pharmacies, devices };
}

/** Lines that were looked at: what can be made of them, and what is wrong with the others. */
export interface CheckedLines {
  readonly invitations: readonly Invitation[];
  readonly faults: readonly BatchFault[];
}

/** Gathers what becomes of the lines. */
class Checking {
  readonly invitations: Invitation[] = [];
  readonly faults: BatchFault[] = [];
  readonly #lineOf = new Map<string, number>();

  /** The invitations that the lines could be, as far as their names go. */
  name(lines: readonly BatchLine[], found: Found): readonly Invitation[] {
    return lines.flatMap((line) => {
      try {
        return [invitationOf(line, found)];
      } catch (error) {
        if (!(error instanceof LineFault)) throw error;
        this.faults.push(error.fault);
        return [];
      }
    });
  }

  take(invitation: Invitation, isMember: boolean): void {
    const { deviceId, line } = invitation;
    const first = deviceId === undefined ? undefined : this.#lineOf.get(deviceId);
    if (deviceId !== undefined && first === undefined) this.#lineOf.set(deviceId, line);
    if (first !== undefined)
      this.faults.push({ line, column: "device", code: "device-twice", about: first });
    else if (isMember) this.invitations.push(invitation);
    else this.faults.push({ line, column: "account", code: "not-a-member" });
  }
}

/**
 * Looks whether each line can become an invitation now; to be called within the tenant, in which nothing of others is
 * found. Held, what was found stays so to the end of the transaction. A statement looks for a thousand lines.
 */
export async function checkLines(
  sql: Sql,
  lines: readonly BatchLine[],
  { now, holding }: { readonly now: Date; readonly holding: Holding },
): Promise<CheckedLines> {
  const checking = new Checking();
  for (let from = 0; from < lines.length; from += ITEMS_A_STATEMENT) {
    const some = lines.slice(from, from + ITEMS_A_STATEMENT);
    const named = checking.name(some, await findNamed(sql, some, holding));
    const members = await membersAmong(sql, named, now);
    for (const invitation of named) checking.take(invitation, members.has(memberKey(invitation)));
  }
  const { invitations, faults } = checking;
  return { invitations, faults };
}

const OPEN = `select e.id, wish.line
  from unnest($1::uuid[], $2::integer[], $4::text[], $5::text[]) as wish (device_id, line, replaces, place)
  join app.enrolment e on e.device_id = wish.device_id
  where e.state in ('invited', 'started', 'identified', 'issued') and e.expires_at > $3
    and app.gives_way(e, decode(wish.replaces, 'hex'), wish.place) order by wish.line`;

/** An open enrolment of a device that a line names. */
export interface Replaced {
  readonly line: number;
  readonly enrolmentId: string;
}

/** The open enrolments that the invitations, which know their places, would replace. */
export async function findReplaced(
  sql: Sql,
  invitations: readonly Invitation[],
  { now, holding }: { readonly now: Date; readonly holding: Holding },
): Promise<readonly Replaced[]> {
  const replaced: Replaced[] = [];
  const named = invitations.filter(({ deviceId }) => deviceId !== undefined);
  for (let from = 0; from < named.length; from += ITEMS_A_STATEMENT) {
    const some = named.slice(from, from + ITEMS_A_STATEMENT);
    const rows = await sql.query<{ id: string; line: number }>(
      holding === "hold" ? `${OPEN} for update of e` : OPEN,
      [
        some.map(({ deviceId }) => deviceId),
        some.map(({ line }) => line),
        now,
        some.map(({ replaces }) => replaces ?? null),
        some.map(({ place }) => place ?? null),
      ],
    );
    replaced.push(...rows.map(({ id, line }) => ({ line, enrolmentId: id })));
  }
  return replaced;
}
