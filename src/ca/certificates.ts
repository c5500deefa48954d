import { fromHex } from "../pki/bytes.ts";
import type { Clock } from "../pki/clock.ts";
import { type Serial, serialBytes } from "../pki/serial.ts";
import { readCursor, writeCursor } from "../registry/cursor.ts";
import type { Page, PageRequest } from "../registry/page.ts";
import { parseLimit } from "../registry/page-limit.ts";
import { InvalidValueError, NotFoundError } from "../registry/errors.ts";
import { type Principal, tenantOf } from "../registry/principal.ts";
import type { Database } from "../storage/database.ts";
import {
  BOUND_COLUMNS,
  type BoundRow,
  type CertificateRecord,
  type CertificateStatus,
  ISSUED_COLUMNS,
  type IssuedRow,
  recordOf,
  REVOKED_CAS,
  serialOf,
  SUCCESSOR,
} from "./certificate-record.ts";
import { noSuchCertificate, tenantOfSerial } from "./certificate-tenant.ts";
import type { ChainOf } from "./issuer-chain.ts";

export interface CertificatesDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly chainOf: ChainOf;
  readonly clock: Clock;
}

/** What a search can ask for; all that is given must hold. */
export interface CertificateFilter {
  /** SHA-256 of the certificate in DER: hex of either case, with or without colons. */
  readonly fingerprint?: string;
  readonly accountId?: string;
  readonly deviceId?: string;
  readonly corporationId?: string;
  readonly status?: CertificateStatus;
}

/** A page may hold fewer items than asked for, even none, while more follow: only `nextCursor` tells. */
export type CertificatePage = Page<CertificateRecord>;

export interface Certificates {
  /** The certificate of a device. Throws NotFoundError. */
  one(principal: Principal, serial: Serial): Promise<CertificateRecord>;
  /** Certificates that are bound to a device now, in the order of their serial numbers. What is not the principal's is not there. */
  search(
    principal: Principal,
    filter: CertificateFilter,
    page: PageRequest,
  ): Promise<CertificatePage>;
}

interface Search {
  readonly filter: CertificateFilter;
  readonly window: Window;
}

type Row = IssuedRow & BoundRow;

/** What is reserved, refused or abandoned has no certificate. */
type AnyRow = Row | (BoundRow & { readonly serial: Uint8Array; readonly der: null });

const COLUMNS = `${ISSUED_COLUMNS}, ${BOUND_COLUMNS}, ${SUCCESSOR} as replaced_by`;

const ONE = `select ${COLUMNS} from ca.issued i
  cross join lateral (select * from app.binding where binding.serial = i.serial
    order by binding.bound_to desc nulls first, binding.bound_from desc limit 1) b
  where i.serial = $2 and i.der is not null`;

type SearchColumn = "device_id" | "account_id" | "corporation_id";

const OF_REVOKED_CA = `i.issuer_id = any(${REVOKED_CAS})`;

/** $1 is the time. */
const HAS_STATUS: Readonly<Record<CertificateStatus | "any", string>> = {
  good: `i.state = 'good' and i.not_after >= $1 and not ${OF_REVOKED_CA}`,
  hold: `i.state = 'hold' and i.not_after >= $1 and not ${OF_REVOKED_CA}`,
  revoked: `(i.state = 'revoked' or ${OF_REVOKED_CA})`,
  expired: `i.state <> 'revoked' and i.not_after < $1 and not ${OF_REVOKED_CA}`,
  any: "true",
};

/**
 * Within a tenant, by what an index of app.binding begins with. $2 is that, $3 the cursor, $4 the size, $5 an account.
 * OFFSET 0: row by row, by the index, whatever the planner thinks of how many rows a status leaves.
 */
const searchBy = (column: SearchColumn, status: CertificateStatus | "any"): string =>
  `select ${COLUMNS} from app.binding b
  cross join lateral (select * from ca.issued where issued.serial = b.serial offset 0) i
  where b.${column} = $2 and b.bound_to is null and i.der is not null and b.serial > $3 and ($5::uuid is null or b.account_id = $5)
    and ${HAS_STATUS[status]}
  order by b.serial limit $4`;

/** Across tenants, for staff; with what is reserved or refused, which the caller leaves out. */
const SEARCH_ALL = `select ${COLUMNS} from app.staff_bindings($2, $3, $4) b
  cross join lateral (select * from ca.issued where issued.serial = b.serial offset 0) i order by b.serial`;

/** Members of a filter that are members of a record too. */
const FILTERED = ["accountId", "deviceId", "corporationId", "status"] as const;

/** Which rows to read: one more than the page holds. */
interface Window {
  readonly after: Uint8Array | null;
  readonly limit: number;
}

function windowOf({ after, limit }: PageRequest): Window {
  return {
    after: after === undefined ? null : readCursor("certificates", after),
    limit: parseLimit(limit),
  };
}

/** Before every serial number. */
const FIRST = new Uint8Array();

function decodeFingerprint(text: string): Uint8Array {
  const hex = text.replaceAll(":", "").toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(hex))
    throw new InvalidValueError("fingerprint", "is no SHA-256 in hex");
  return fromHex(hex);
}

/** The tenant to look in, by what the filter names; undefined for all of them. Throws NotFoundError when there is none. */
async function tenantToSearch(
  database: Database,
  principal: Principal,
  { deviceId, accountId, corporationId }: CertificateFilter,
): Promise<string | undefined> {
  const named = [
    { kind: "corporation", id: corporationId },
    { kind: "device", id: deviceId },
    { kind: "account", id: accountId },
  ] as const;
  const tenants = new Set<string>();
  for (const { kind, id } of named)
    if (id !== undefined) tenants.add(await tenantOf(database, principal, { kind, id }));
  if (tenants.size > 1) throw new NotFoundError("certificate");
  const [tenant] = tenants;
  return tenant ?? principal.corporationId;
}

function emptyWhenNotFound(error: unknown): CertificatePage {
  if (error instanceof NotFoundError) return { items: [] };
  throw error;
}

async function records(
  { chainOf }: CertificatesDeps,
  rows: readonly Row[],
  now: Date,
): Promise<CertificateRecord[]> {
  return Promise.all(
    rows.map(async (row) => recordOf(row, { now, chain: (await chainOf(row.issuer_id)).pem })),
  );
}

async function pageOf(
  deps: CertificatesDeps,
  rows: readonly AnyRow[],
  { limit, now }: { readonly limit: number; readonly now: Date },
): Promise<CertificatePage> {
  const shown = rows.slice(0, limit).filter((row) => row.der !== null);
  const items = await records(deps, shown, now);
  const last = rows.length > limit ? rows[limit - 1] : undefined;
  return {
    items,
    ...(last !== undefined && { nextCursor: writeCursor("certificates", last.serial) }),
  };
}

async function one(
  deps: CertificatesDeps,
  principal: Principal,
  serial: Serial,
): Promise<CertificateRecord> {
  const now = deps.clock();
  const tenant = await tenantOfSerial(deps.database, principal, serial);
  const rows = await deps.database.tenant(tenant, (sql) =>
    sql.query<Row>(ONE, [now, serialBytes(serial)], "ca-certificate"),
  );
  const [record] = await records(deps, rows, now);
  if (record === undefined) throw noSuchCertificate();
  return record;
}

/** By the narrowest index that the filter allows. */
function narrowest(
  tenant: string,
  { deviceId, accountId }: CertificateFilter,
): [SearchColumn, string] {
  if (deviceId !== undefined) return ["device_id", deviceId];
  return accountId === undefined ? ["corporation_id", tenant] : ["account_id", accountId];
}

async function searchTenant(
  deps: CertificatesDeps,
  tenant: string,
  { filter, window: { limit, after } }: Search,
): Promise<CertificatePage> {
  const now = deps.clock();
  const [column, id] = narrowest(tenant, filter);
  const { status = "any" } = filter;
  const rows = await deps.database.tenant(tenant, (sql) =>
    sql.query<AnyRow>(
      searchBy(column, status),
      [now, id, after ?? FIRST, limit + 1, filter.accountId ?? null],
      `ca-certificates-${status}-by-${column}`,
    ),
  );
  return pageOf(deps, rows, { limit, now });
}

async function searchAll(
  deps: CertificatesDeps,
  { filter: { status }, window: { limit, after } }: Search,
): Promise<CertificatePage> {
  const now = deps.clock();
  const rows = await deps.database.query<AnyRow>(
    SEARCH_ALL,
    [now, after, limit + 1, status ?? null],
    "ca-certificates-of-all",
  );
  return pageOf(deps, rows, { limit, now });
}

/** A fingerprint names one certificate at most: the other filters are then checked against it. */
async function searchFingerprint(
  deps: CertificatesDeps,
  principal: Principal,
  { fingerprint = "", ...others }: CertificateFilter,
): Promise<CertificatePage> {
  const [row] = await deps.database.query<{ serial: Uint8Array }>(
    "select serial from ca.issued where der_sha256 = $1",
    [decodeFingerprint(fingerprint)],
    "ca-serial-of-fingerprint",
  );
  if (row === undefined) return { items: [] };
  const record = await one(deps, principal, serialOf(row.serial));
  const fits = FILTERED.every(
    (member) => others[member] === undefined || others[member]?.toLowerCase() === record[member],
  );
  return { items: fits ? [record] : [] };
}

async function search(
  deps: CertificatesDeps,
  principal: Principal,
  { filter, window }: Search,
): Promise<CertificatePage> {
  if (filter.fingerprint !== undefined) return searchFingerprint(deps, principal, filter);
  const tenant = await tenantToSearch(deps.database, principal, filter);
  return tenant === undefined
    ? searchAll(deps, { filter, window })
    : searchTenant(deps, tenant, { filter, window });
}

/** Looks at certificates of devices. Others (of CAs, responders, servers) have no binding and are never shown here. */
export function createCertificates(deps: CertificatesDeps): Certificates {
  return {
    one: (principal, serial) => one(deps, principal, serial),
    search: async (principal, filter, page) =>
      search(deps, principal, { filter, window: windowOf(page) }).catch(emptyWhenNotFound),
  };
}
