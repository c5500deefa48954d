import { type Fact, recordAll } from "../../audit/record.ts";
import type { NewId } from "../../pki/uuid.ts";
import { enterTenant } from "../../storage/database.ts";
import type { Sql } from "../../storage/sql.ts";
import type { CorporationPlan, PharmacyPlan } from "./population.ts";

/** A corporation, or what is left of a large one, small enough for one statement. */
export interface Slice {
  readonly corporationId: string;
  /** Of the first slice, which makes the corporation. */
  readonly name?: string;
  readonly pharmacies: readonly PharmacyPlan[];
}

/** A device that was made, with the account that answers for it. */
export interface Registered {
  readonly deviceId: string;
  readonly accountId: string;
}

/** A statement of so many devices ends well within the time that the application's statements have. */
const SLICE_PHARMACIES = 40;

/**
 * Cuts a corporation in pieces.
 *
 * @yields each piece, the one that makes the corporation first
 */
export function* slicesOf({ name, pharmacies }: CorporationPlan, newId: NewId): Generator<Slice> {
  const corporationId = newId();
  for (let from = 0; from < pharmacies.length; from += SLICE_PHARMACIES) {
    const part = pharmacies.slice(from, from + SLICE_PHARMACIES);
    yield { corporationId, pharmacies: part, ...(from === 0 && { name }) };
  }
}

const INSERT = `with pharmacy as (
    insert into app.pharmacy (id, corporation_id, name, created_at, updated_at)
    select id, app.current_corporation(), name, $1::timestamptz, $1 from unnest($2::uuid[], $3::text[]) as new (id, name)
  ), account as (
    insert into app.account (id, corporation_id, name, email, created_at, updated_at)
    select id, app.current_corporation(), name, email, $1, $1 from unnest($4::uuid[], $5::text[], $6::text[]) as new (id, name, email)
  ), membership as (
    insert into app.membership (id, corporation_id, account_id, pharmacy_id, role, valid_from, created_at, updated_at)
    select id, app.current_corporation(), account_id, pharmacy_id, role, $1, $1, $1
    from unnest($7::uuid[], $4::uuid[], $8::uuid[], $9::text[]) as new (id, account_id, pharmacy_id, role)
  )
  insert into app.device (id, corporation_id, pharmacy_id, name, platform, use, created_at, updated_at)
  select id, app.current_corporation(), pharmacy_id, name, platform, use, $1, $1
  from unnest($10::uuid[], $11::uuid[], $12::text[], $13::text[], $14::text[]) as new (id, pharmacy_id, name, platform, use)`;

/** The rows of a slice, with the ids that they are given. */
function rowsOf({ pharmacies }: Slice, newId: NewId) {
  return pharmacies.map(({ name, people, devices }) => {
    const id = newId();
    const accounts = people.map((person) => ({ ...person, id: newId(), membershipId: newId() }));
    return { id, name, accounts, devices: devices.map((device) => ({ ...device, id: newId() })) };
  });
}

type Rows = ReturnType<typeof rowsOf>;

async function insert(sql: Sql, rows: Rows, at: Date): Promise<void> {
  const people = rows.flatMap(({ id: pharmacyId, accounts }) =>
    accounts.map((account) => ({ ...account, pharmacyId })),
  );
  const devices = rows.flatMap(({ id: pharmacyId, devices: all }) =>
    all.map((device) => ({ ...device, pharmacyId })),
  );
  await sql.query(
    INSERT,
    [
      at,
      rows.map(({ id }) => id),
      rows.map(({ name }) => name),
      people.map(({ id }) => id),
      people.map(({ name }) => name),
      people.map(({ email }) => email ?? null),
      people.map(({ membershipId }) => membershipId),
      people.map(({ pharmacyId }) => pharmacyId),
      people.map(({ role }) => role),
      devices.map(({ id }) => id),
      devices.map(({ pharmacyId }) => pharmacyId),
      devices.map(({ name }) => name),
      devices.map(({ platform }) => platform),
      devices.map(({ use }) => use),
    ],
    "seed-registry",
  );
}

/** What the registry puts on record when the same things are made one by one. */
function factsOf(
  { corporationId, name }: Slice,
  rows: Rows,
  { at, actor }: Pick<Fact, "at" | "actor">,
): readonly Fact[] {
  const fact = (action: string, subject: string, detail: Fact["detail"] = {}): Fact => ({
    at,
    actor,
    action,
    subject,
    corporationId,
    detail,
  });
  const facts = rows.flatMap(({ id: pharmacyId, accounts, devices }) => [
    fact("pharmacy.created", `pharmacy/${pharmacyId}`),
    ...accounts.flatMap(({ id: accountId, membershipId, role }) => [
      fact("account.created", `account/${accountId}`),
      fact("membership.created", `membership/${membershipId}`, { accountId, pharmacyId, role }),
    ]),
    ...devices.map(({ id, platform, use }) =>
      fact("device.created", `device/${id}`, { pharmacyId, platform, use }),
    ),
  ]);
  if (name === undefined) return facts;
  return [fact("corporation.created", `corporation/${corporationId}`), ...facts];
}

export interface RegisterContext {
  readonly at: Date;
  readonly actor: string;
  readonly newId: NewId;
}

/** Registers a slice with its audit rows and events. The transaction is in the slice's tenant from here on. */
export async function register(
  sql: Sql,
  slice: Slice,
  { at, actor, newId }: RegisterContext,
): Promise<readonly Registered[]> {
  const { corporationId, name } = slice;
  await enterTenant(sql, corporationId);
  if (name !== undefined) {
    await sql.query(
      "insert into app.corporation (id, name, created_at, updated_at) values ($1, $2, $3, $3)",
      [corporationId, name, at],
      "seed-corporation",
    );
  }
  const rows = rowsOf(slice, newId);
  await insert(sql, rows, at);
  await recordAll(sql, factsOf(slice, rows, { at, actor }), newId);
  return rows.flatMap(({ accounts, devices }) =>
    devices.map(({ id: deviceId, responsible }) => {
      const accountId = accounts[responsible]?.id;
      if (accountId === undefined) throw new Error("somebody is responsible for each device");
      return { deviceId, accountId };
    }),
  );
}
