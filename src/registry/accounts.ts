import type { Tx } from "../storage/prisma.ts";
import type { Sql } from "../storage/sql.ts";
import {
  type AccountNames,
  type ExternalId,
  type Identity,
  namesOf,
  parseExternalIds,
  parseIdentities,
  readNames,
  replaceExternalIds,
  replaceIdentities,
} from "./account-names.ts";
import { parseEmailAddress } from "./email-address.ts";
import { ConflictError, InvalidValueError } from "./errors.ts";
import { createOnce, type IdempotentRequest } from "./idempotency.ts";
import { listPage, type Page, type PageRequest, type Window } from "./page.ts";
import { changesOf } from "./patch.ts";
import type { Principal, Reference } from "./principal.ts";
import {
  found,
  lockRow,
  orStillInUse,
  recordDeny,
  type RegistryDeps,
  type Work,
  withinTenantOf,
} from "./tenant.ts";
import { parseName } from "./text.ts";
import type { Locale } from "./vocabulary.ts";

/** A person, known by any number of identities and external ids. */
export interface Account extends AccountNames {
  readonly id: string;
  readonly corporationId: string;
  readonly name: string;
  readonly email?: string;
  /** Whether the address is a shop's rather than the person's. */
  readonly emailShared: boolean;
  readonly locale: Locale;
  readonly disabled: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface AccountInput {
  readonly corporationId: string;
  readonly name: string;
  readonly email?: string;
  readonly emailShared?: boolean;
  readonly locale?: Locale;
  readonly identities?: readonly Identity[];
  readonly externalIds?: readonly ExternalId[];
}

export interface AccountPatch {
  readonly name?: string;
  /** Null takes it away, and with it that it is shared. */
  readonly email?: string | null;
  readonly emailShared?: boolean;
  readonly locale?: Locale;
  /** The whole list: what is not in it goes. */
  readonly identities?: readonly Identity[];
  readonly externalIds?: readonly ExternalId[];
  readonly disabled?: boolean;
}

export interface AccountQuery extends PageRequest {
  readonly corporationId?: string;
  /** Compared without regard to case. */
  readonly email?: string;
}

export interface Accounts {
  create(
    principal: Principal,
    input: AccountInput,
    idempotency?: IdempotentRequest,
  ): Promise<Account>;
  get(principal: Principal, id: string): Promise<Account>;
  list(principal: Principal, query: AccountQuery): Promise<Page<Account>>;
  update(principal: Principal, id: string, patch: AccountPatch): Promise<Account>;
  /** Throws StillInUseError once it has had a membership or a certificate: such an account is disabled instead. */
  remove(principal: Principal, id: string): Promise<void>;
}

interface Row {
  readonly id: string;
  readonly corporationId: string;
  readonly name: string;
  readonly email: string | null;
  readonly emailShared: boolean;
  readonly locale: string;
  readonly disabledAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const MAX_NAME = 200;

const TAKEN = {
  identity_pkey: {
    field: "identities",
    says: "another account of the corporation has one of these identities already",
  },
  external_id_pkey: {
    field: "externalIds",
    says: "another account of the corporation has one of these external ids already",
  },
};

const COLUMNS = `id, corporation_id as "corporationId", name, email, email_shared as "emailShared", locale,
  disabled_at as "disabledAt", created_at as "createdAt", updated_at as "updatedAt"`;

/** A check constraint of the table holds the locales. */
function accountOf({ email, locale, disabledAt, ...rest }: Row, names: AccountNames): Account {
  return {
    ...rest,
    ...(email === null ? {} : { email }),
    locale: locale as Locale,
    disabled: disabledAt !== null,
    ...names,
  };
}

interface Address {
  readonly id: string;
  readonly email: string | null;
  readonly emailShared: boolean;
}

/**
 * Several accounts may have one address only if all of them say that it is shared: mail about one person must not reach
 * another's mailbox. Who enters the same address waits here until the first one has committed.
 */
async function demandAddress(
  { sql, corporationId }: Work,
  { id, email, emailShared }: Address,
): Promise<void> {
  if (email === null) {
    if (emailShared) throw new InvalidValueError("emailShared", "needs an address in email");
    return;
  }
  // As text, because Prisma reads no void.
  await sql.query("select pg_advisory_xact_lock(hashtextextended($1::text, 0))::text", [
    `${corporationId} ${email.toLowerCase()}`,
  ]);
  const [other] = await sql.query<{ id: string }>(
    `select id from app.account where lower(email) = lower($1::text) and id <> $2::uuid and not (email_shared and $3::boolean) limit 1`,
    [email, id, emailShared],
  );
  if (other !== undefined)
    throw new ConflictError(
      "another account of the corporation has this address already: both must say emailShared",
      "email",
    );
}

function self(id: string): Reference {
  return { kind: "account", id };
}

export function createAccounts(deps: RegistryDeps): Accounts {
  const within = withinTenantOf(deps, TAKEN);
  return {
    create: (principal, input, idempotency) =>
      within(principal, corporationOf(input), (work) =>
        createOnce<Account>(
          work.sql,
          { idempotency, now: work.now, dates: ["createdAt", "updatedAt"] },
          () => create(work, deps.newId(), input),
        ),
      ),
    get: (principal, id) =>
      within(principal, self(id), async ({ tx }) =>
        withNames(tx, found(await tx.account.findUnique({ where: { id } }), "account")),
      ),
    list: async (principal, { corporationId, email, ...page }) => {
      const address = email === undefined ? null : parseEmailAddress(email, "email");
      return listPage(deps.store, principal, {
        collection: "accounts",
        page,
        references: corporationId === undefined ? [] : [{ kind: "corporation", id: corporationId }],
        within: (tx, window) => listWithin(tx, window, address),
        across: (sql, window) => listAcross(sql, window, address),
      });
    },
    update: (principal, id, patch) =>
      within(principal, self(id), (work) => update(work, id, patch)),
    remove: (principal, id) =>
      orStillInUse("account", () => within(principal, self(id), (work) => remove(work, id))),
  };
}

function corporationOf({ corporationId }: AccountInput): Reference {
  return { kind: "corporation", id: corporationId, field: "corporationId" };
}

async function withNames(tx: Tx, row: Row): Promise<Account> {
  return accountOf(row, namesOf(row.id, await readNames(tx, [row.id])));
}

/** By plain SQL: Prisma's insensitive comparison is ILIKE, in which `_` of an address stands for any character. */
async function listWithin(
  tx: Tx,
  { after, size }: Window,
  address: string | null,
): Promise<Account[]> {
  const rows = await tx.$queryRawUnsafe<Row[]>(
    `select ${COLUMNS} from app.account
     where ($1::uuid is null or id > $1::uuid) and ($3::text is null or lower(email) = lower($3::text))
     order by id limit $2::integer`,
    after,
    size,
    address,
  );
  const names = await readNames(
    tx,
    rows.map(({ id }) => id),
  );
  return rows.map((row) => accountOf(row, namesOf(row.id, names)));
}

async function listAcross(
  sql: Sql,
  { after, size }: Window,
  address: string | null,
): Promise<Account[]> {
  const rows = await sql.query<Row>(
    `select ${COLUMNS} from app.staff_accounts($1::uuid, $2::integer, $3::text)`,
    [after, size, address],
  );
  const ids = rows.map(({ id }) => id);
  const names = {
    identities: await sql.query<Identity & { accountId: string }>(
      `select account_id as "accountId", issuer, subject from app.staff_identities($1::uuid[])`,
      [ids],
    ),
    externalIds: await sql.query<ExternalId & { accountId: string }>(
      `select account_id as "accountId", system, value from app.staff_external_ids($1::uuid[])`,
      [ids],
    ),
  };
  return rows.map((row) => accountOf(row, namesOf(row.id, names)));
}

async function create(work: Work, id: string, input: AccountInput): Promise<Account> {
  const { tx, sql, corporationId, now, record } = work;
  await lockRow(sql, corporationOf(input), "keep");
  const { emailShared = false, locale = "ja" } = input;
  const name = parseName(input.name, "name", MAX_NAME);
  const email = input.email === undefined ? null : parseEmailAddress(input.email, "email");
  const names = {
    identities: parseIdentities(input.identities ?? []),
    externalIds: parseExternalIds(input.externalIds ?? []),
  };
  await demandAddress(work, { id, email, emailShared });
  const row = await tx.account.create({
    data: { id, corporationId, name, email, emailShared, locale, createdAt: now, updatedAt: now },
  });
  await replaceIdentities(tx, { corporationId, accountId: id }, names.identities);
  await replaceExternalIds(tx, { corporationId, accountId: id }, names.externalIds);
  await record("account.created", `account/${id}`);
  return accountOf(row, names);
}

/** What of the patch stands in the account's own row. */
function columnsOf(
  patch: AccountPatch,
  { disabledAt }: Row,
  now: Date,
): { [K in keyof Row]?: Row[K] | undefined } {
  const disabling = patch.disabled === true ? (disabledAt ?? now) : null;
  return {
    name: patch.name === undefined ? undefined : parseName(patch.name, "name", MAX_NAME),
    email: typeof patch.email === "string" ? parseEmailAddress(patch.email, "email") : patch.email,
    emailShared: patch.email === null ? (patch.emailShared ?? false) : patch.emailShared,
    locale: patch.locale,
    disabledAt: patch.disabled === undefined ? undefined : disabling,
  };
}

async function update(work: Work, accountId: string, patch: AccountPatch): Promise<Account> {
  const { tx, sql, now, record } = work;
  const id = await lockRow(sql, self(accountId), "change");
  const current = await tx.account.findUniqueOrThrow({ where: { id } });
  const { data, fields } = changesOf<Row>(current, columnsOf(patch, current, now));
  if (data.email !== undefined || data.emailShared !== undefined)
    await demandAddress(work, { ...current, ...data });
  const replaced = await replaceNames(work, id, patch);
  const changed = [
    ...fields.map((field) => (field === "disabledAt" ? "disabled" : field)),
    ...replaced,
  ];
  if (changed.length === 0) return withNames(tx, current);
  const row = await tx.account.update({ where: { id }, data: { ...data, updatedAt: now } });
  await record(actionOf(data.disabledAt), `account/${id}`, { changed });
  if (data.disabledAt instanceof Date) await recordDeny(sql, `account:${id}`, now);
  return withNames(tx, row);
}

function actionOf(disabledAt: Date | null | undefined): string {
  if (disabledAt === undefined) return "account.updated";
  return disabledAt === null ? "account.enabled" : "account.disabled";
}

/** Replaces the lists that the patch gives and that differ. Returns their names. */
async function replaceNames(
  { tx, corporationId }: Work,
  accountId: string,
  patch: AccountPatch,
): Promise<readonly (keyof AccountNames)[]> {
  const owner = { corporationId, accountId };
  const names = namesOf(accountId, await readNames(tx, [accountId]));
  const replaced: (keyof AccountNames)[] = [];
  const identities = parseIdentities(patch.identities ?? names.identities);
  if (JSON.stringify(identities) !== JSON.stringify(names.identities)) {
    await replaceIdentities(tx, owner, identities);
    replaced.push("identities");
  }
  const externalIds = parseExternalIds(patch.externalIds ?? names.externalIds);
  if (JSON.stringify(externalIds) !== JSON.stringify(names.externalIds)) {
    await replaceExternalIds(tx, owner, externalIds);
    replaced.push("externalIds");
  }
  return replaced;
}

async function remove({ tx, sql, record }: Work, accountId: string): Promise<void> {
  const id = await lockRow(sql, self(accountId), "change");
  await tx.account.delete({ where: { id } });
  await record("account.deleted", `account/${id}`);
}
