import type { Clock } from "../pki/clock.ts";
import type { RevocationReason } from "../pki/revocation-reason.ts";
import { EMERGENCY_PROFILE } from "../pki/profile.ts";
import { type Serial, serialBytes } from "../pki/serial.ts";
import { daysLeft } from "../pki/validity.ts";
import { NotFoundError } from "../registry/errors.ts";
import { canonicalId, canonicalUuid, type Principal, tenantOf } from "../registry/principal.ts";
import type { Database } from "../storage/database.ts";
import {
  BOUND_COLUMNS,
  type BoundRow,
  CA_REVOKED_AT,
  type CertificateRecord,
  type CertificateStatus,
  ISSUED_COLUMNS,
  type IssuedRow,
  recordOf,
  revocationOf,
  serialOf,
  statusOf,
  SUCCESSOR,
} from "./certificate-record.ts";
import { noSuchCertificate, tenantOfSerial } from "./certificate-tenant.ts";
import type { ChainOf, IssuerChain } from "./issuer-chain.ts";

export interface DeviceStatusDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly chainOf: ChainOf;
  readonly clock: Clock;
}

/** Who stands behind a certificate. */
export interface BoundFacts {
  readonly device: {
    readonly id: string;
    readonly name: string;
    readonly platform: string;
    readonly use: "shared" | "personal";
  };
  /** The person who is responsible for it. */
  readonly account: { readonly id: string; readonly name: string };
  readonly pharmacy: { readonly id: string; readonly name: string; readonly code?: string };
  readonly corporation: { readonly id: string; readonly name: string };
}

/** The answer to a product's question. */
export interface CertificateState extends BoundFacts {
  readonly serialNumber: Serial;
  readonly status: CertificateStatus;
  /** When it became so. */
  readonly since: Date;
  readonly reason?: RevocationReason;
  readonly notAfter: Date;
  /** Whole days to go; 0 on the last one and after it. */
  readonly daysLeft: number;
  /** Of a machine that stands in for a night. */
  readonly emergency?: true;
  /** The newest good one of those that came after it. */
  readonly replacedBy?: Serial;
  /** Whether the account that was asked about may use the device. It says nothing of the certificate's status. */
  readonly mayUse?: boolean;
}

export interface LineageItem extends CertificateRecord {
  /** Good, and no good one came after it. A device with several places has several. */
  readonly current: boolean;
  /**
   * Which of the device's places it is of, from 1 in the order in which they came into being: a Windows user, a browser's own
   * store. Certificates that follow each other and the attempts of one enrolment are of one.
   */
  readonly place: number;
}

export interface DeviceStatus {
  /** Throws NotFoundError. An account that is not there, or another corporation's, may not use the device. */
  status(
    principal: Principal,
    serial: Serial,
    question: { readonly accountId?: string },
  ): Promise<CertificateState>;
  /** The certificates of a device, the newest first. Throws NotFoundError. */
  lineage(
    principal: Principal,
    deviceId: string,
  ): Promise<{ readonly items: readonly LineageItem[] }>;
}

/** The columns that BoundFacts are made of, for a query that joins with BOUND_TABLES. */
export const FACTS_COLUMNS = `device.id as device_id, device.name as device_name, device.platform, device.use, device.retired_at,
  account.id as account_id, account.name as account_name, account.disabled_at,
  pharmacy.id as pharmacy_id, pharmacy.name as pharmacy_name, pharmacy.code as pharmacy_code,
  corporation.id as corporation_id, corporation.name as corporation_name`;

/** What a binding `b` leads to. */
export const FACTS_TABLES = `join app.device on device.id = b.device_id join app.account on account.id = b.account_id
  join app.pharmacy on pharmacy.id = b.pharmacy_id join app.corporation on corporation.id = b.corporation_id`;

export interface FactsRow {
  readonly device_id: string;
  readonly device_name: string;
  readonly platform: string;
  readonly use: "shared" | "personal";
  readonly retired_at: Date | null;
  readonly account_id: string;
  readonly account_name: string;
  readonly disabled_at: Date | null;
  readonly pharmacy_id: string;
  readonly pharmacy_name: string;
  readonly pharmacy_code: string | null;
  readonly corporation_id: string;
  readonly corporation_name: string;
}

/** Names and ids of a row. */
export function boundFactsOf(row: FactsRow): BoundFacts {
  const { pharmacy_code: code } = row;
  return {
    device: { id: row.device_id, name: row.device_name, platform: row.platform, use: row.use },
    account: { id: row.account_id, name: row.account_name },
    pharmacy: { id: row.pharmacy_id, name: row.pharmacy_name, ...(code !== null && { code }) },
    corporation: { id: row.corporation_id, name: row.corporation_name },
  };
}

interface StatusRow extends FactsRow {
  readonly serial: Uint8Array;
  readonly state: "good" | "hold" | "revoked";
  readonly reason: number | null;
  readonly revoked_at: Date | null;
  readonly ca_revoked_at: Date | null;
  readonly issued_at: Date;
  readonly released_at: Date | null;
  readonly not_after: Date;
  readonly profile: string;
  readonly replaced_by: Uint8Array | null;
  readonly may_use: boolean;
}

/** $1 the time, $2 the serial, $3 the account that is asked about. */
const STATUS_OF = `select i.serial, i.state, i.reason, i.revoked_at, ${CA_REVOKED_AT} as ca_revoked_at, i.issued_at, i.not_after, i.profile, ${FACTS_COLUMNS}, ${SUCCESSOR} as replaced_by,
    (select max(change.at) from ca.change where change.serial = i.serial and change.kind = 'unhold') as released_at,
    device.retired_at is null and (device.use = 'shared' or account.id = $3::uuid) and exists (
      select from app.account asked join app.membership on membership.account_id = asked.id
      where asked.id = $3::uuid and asked.disabled_at is null and membership.pharmacy_id = device.pharmacy_id
        and membership.valid_from <= $1 and (membership.valid_to is null or membership.valid_to > $1)
    ) as may_use
  from ca.issued i
  cross join lateral (select * from app.binding where binding.serial = i.serial
    order by binding.bound_to desc nulls first, binding.bound_from desc limit 1) b
  ${FACTS_TABLES}
  where i.serial = $2 and i.der is not null`;

interface LineageRow extends IssuedRow, BoundRow {
  readonly enrolment_id: string | null;
}

const LINEAGE = `select ${ISSUED_COLUMNS}, ${BOUND_COLUMNS}, b.enrolment_id, ${SUCCESSOR} as replaced_by
  from app.binding b join ca.issued i on i.serial = b.serial
  where b.device_id = $2 and b.bound_to is null and i.der is not null
  order by i.issued_at desc, i.reserved_at desc, i.serial`;

function sinceOf(row: StatusRow, status: CertificateStatus): Date {
  switch (status) {
    case "good":
      return row.released_at ?? row.issued_at;
    case "expired":
      return row.not_after;
    case "hold":
    case "revoked":
      return revocationOf(row).revokedAt ?? row.issued_at;
  }
}

function stateOf(row: StatusRow, now: Date): CertificateState {
  const status = statusOf(row, now);
  const { reason } = revocationOf(row);
  return {
    serialNumber: serialOf(row.serial),
    status,
    since: sinceOf(row, status),
    ...(reason !== undefined && { reason }),
    notAfter: row.not_after,
    daysLeft: daysLeft(row.not_after, now),
    ...(row.profile === EMERGENCY_PROFILE && { emergency: true }),
    ...(row.replaced_by !== null && { replacedBy: serialOf(row.replaced_by) }),
    ...boundFactsOf(row),
  };
}

/** The place of each row, by its serial number. The rows are the newest first. */
function placesOf(rows: readonly LineageRow[]): ReadonlyMap<Serial, number> {
  const known = new Map(rows.map((row) => [serialOf(row.serial), row]));
  const firstOf = (row: LineageRow): LineageRow => {
    const before = row.replaces === null ? undefined : known.get(serialOf(row.replaces));
    return before === undefined ? row : firstOf(before);
  };
  const numbers = new Map<string, number>();
  const places = new Map<Serial, number>();
  for (const row of rows.toReversed()) {
    const first = firstOf(row);
    const key = first.enrolment_id ?? serialOf(first.serial);
    const place = numbers.get(key) ?? numbers.size + 1;
    numbers.set(key, place);
    places.set(serialOf(row.serial), place);
  }
  return places;
}

function itemOf(
  row: LineageRow,
  { now, chain, place }: { now: Date; chain: IssuerChain; place: number },
): LineageItem {
  const record = recordOf(row, { now, chain: chain.pem });
  const current = record.status === "good" && record.replacedBy === undefined;
  return { ...record, current, place };
}

/** Answers products: is it alive, whose is it, what came after it. */
export function createDeviceStatus({ database, chainOf, clock }: DeviceStatusDeps): DeviceStatus {
  return {
    async status(principal, serial, { accountId }) {
      const now = clock();
      const tenant = await tenantOfSerial(database, principal, serial);
      const asked = canonicalUuid(accountId ?? "") ?? null;
      const [row] = await database.tenant(tenant, (sql) =>
        sql.query<StatusRow>(STATUS_OF, [now, serialBytes(serial), asked], "ca-status"),
      );
      if (row === undefined) throw noSuchCertificate();
      const state = stateOf(row, now);
      return accountId === undefined ? state : { ...state, mayUse: row.may_use };
    },

    async lineage(principal, deviceId) {
      const now = clock();
      const device = { kind: "device", id: deviceId } as const;
      const tenant = await tenantOf(database, principal, device);
      const rows = await database.tenant(tenant, async (sql) => {
        const [found] = await sql.query("select id from app.device where id = $1", [
          canonicalId(device),
        ]);
        if (found === undefined) throw new NotFoundError("device");
        return sql.query<LineageRow>(LINEAGE, [now, canonicalId(device)], "ca-lineage");
      });
      const places = placesOf(rows);
      const items = rows.map(async (row) => {
        const place = places.get(serialOf(row.serial)) ?? 1;
        return itemOf(row, { now, chain: await chainOf(row.issuer_id), place });
      });
      return { items: await Promise.all(items) };
    },
  };
}
