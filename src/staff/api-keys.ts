import { createHash } from "node:crypto";
import { record } from "../audit/record.ts";
import type { Clock } from "../pki/clock.ts";
import type { Random } from "../pki/crypto.ts";
import type { NewId } from "../pki/uuid.ts";
import { InvalidValueError, NotFoundError } from "../registry/errors.ts";
import { type Page, type PageRequest, pageOf, windowOf } from "../registry/page.ts";
import { canonicalUuid, type Principal, type Role, tenantOf } from "../registry/principal.ts";
import { recordDeny } from "../registry/tenant.ts";
import { parseName } from "../registry/text.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { UnauthorizedError } from "./errors.ts";
import { principalCache } from "./principal-cache.ts";

/** An API key as one may see it again; its secret is shown once and not kept. */
export interface ApiKey {
  readonly id: string;
  readonly role: Role;
  readonly label: string;
  /** The only corporation that it sees. */
  readonly corporationId?: string;
  /** The relying party that a proxy's key speaks for. */
  readonly relyingPartyId?: string;
  readonly createdAt: Date;
  readonly revokedAt?: Date;
}

export interface ApiKeyInput {
  readonly role: Role;
  readonly label?: string;
  readonly corporationId?: string;
  /** Its name. Only for the role `proxy`. */
  readonly relyingParty?: string;
}

export interface ApiKeys {
  /** `key` is the secret: it is in no other answer. A principal that is bound makes keys of its own corporation only. */
  create(principal: Principal, input: ApiKeyInput): Promise<ApiKey & { readonly key: string }>;
  /** Whose key this is. Throws UnauthorizedError. */
  authenticate(presented: string): Promise<Principal>;
  list(principal: Principal, page: PageRequest): Promise<Page<ApiKey>>;
  /** Revoking twice is revoking once. Throws NotFoundError. */
  revoke(principal: Principal, id: string): Promise<void>;
}

export interface ApiKeysDeps {
  /** Opened as suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: NewId;
}

/** A prefix that scanners of repositories and logs can look for, with the role for people's eyes. */
const ROLE_TAG: Readonly<Record<Role, string>> = {
  admin: "adm",
  operator: "ope",
  support: "sup",
  auditor: "aud",
  product: "prd",
  proxy: "prx",
};

/** 32 octets: 43 characters of base64url without padding (RFC 4648 §5). */
const SECRET_OCTETS = 32;
const KEY = /^suido_[a-z]{3}_[A-Za-z0-9_-]{43}$/;

const MAX_LABEL = 200;

interface Row {
  readonly id: string;
  readonly role: Role;
  readonly label: string;
  readonly corporation_id: string | null;
  readonly relying_party_id: string | null;
  readonly created_at: Date;
  readonly revoked_at: Date | null;
}

const COLUMNS = "id, role, label, corporation_id, relying_party_id, created_at, revoked_at";

function apiKeyOf(row: Row): ApiKey {
  const { corporation_id, relying_party_id, revoked_at } = row;
  return {
    id: row.id,
    role: row.role,
    label: row.label,
    ...(corporation_id === null ? {} : { corporationId: corporation_id }),
    ...(relying_party_id === null ? {} : { relyingPartyId: relying_party_id }),
    createdAt: row.created_at,
    ...(revoked_at === null ? {} : { revokedAt: revoked_at }),
  };
}

export function createApiKeys(deps: ApiKeysDeps): ApiKeys {
  const { database } = deps;
  const cache = principalCache(deps.clock);
  return {
    create: (principal, input) => create(deps, principal, input),
    authenticate: async (presented) => {
      if (!KEY.test(presented)) throw new UnauthorizedError();
      // The digest is looked up, not the secret: how long that takes tells nothing about any stored key.
      const digest = createHash("sha256").update(presented).digest();
      const name = digest.toString("base64");
      const known = cache.get(name);
      if (known !== undefined) return known;
      const principal = await principalOf(database, digest);
      cache.set(name, principal);
      return principal;
    },
    list: async (principal, page) => {
      const window = windowOf(page, "apiKeys");
      const rows = await database.query<Row>(
        `select ${COLUMNS} from app.api_key
         where ($1::uuid is null or id > $1::uuid) and ($2::uuid is null or corporation_id = $2::uuid)
         order by id limit $3::integer`,
        [window.after, principal.corporationId ?? null, window.size],
      );
      return pageOf(rows.map(apiKeyOf), window, "apiKeys");
    },
    revoke: async (principal, id) => {
      await revoke(deps, principal, id);
      cache.drop(id);
    },
  };
}

async function principalOf(database: Database, digest: Buffer): Promise<Principal> {
  const [row] = await database.query<
    Pick<Row, "id" | "role" | "corporation_id" | "relying_party_id">
  >(
    `select k.id, k.role, k.corporation_id, k.relying_party_id from app.api_key k
     left join party.relying_party p on p.id = k.relying_party_id
     where k.secret_sha256 = $1 and k.revoked_at is null and p.retired_at is null`,
    [digest],
    "staff-authenticate",
  );
  if (row === undefined) throw new UnauthorizedError();
  const { id, role, corporation_id: corporationId, relying_party_id: relyingPartyId } = row;
  return {
    id,
    actor: `api-key:${id}`,
    role,
    ...(corporationId === null ? {} : { corporationId }),
    ...(relyingPartyId === null ? {} : { relyingPartyId }),
  };
}

/** Audit rows of a tenant are written in its scope, all others in none. */
function scoped<T>(
  database: Database,
  corporationId: string | undefined,
  work: (sql: Sql) => Promise<T>,
): Promise<T> {
  return corporationId === undefined
    ? database.transaction(work)
    : database.tenant(corporationId, work);
}

/** The relying party that a key is to speak for. Throws InvalidValueError, NotFoundError. */
async function partyOf(sql: Sql, { relyingParty, role }: ApiKeyInput): Promise<string | null> {
  if (relyingParty === undefined) return null;
  if (role !== "proxy")
    throw new InvalidValueError("relyingParty", "is only for keys of the role proxy");
  const [party] = await sql.query<{ id: string }>(
    "select id from party.relying_party where name = $1 and retired_at is null",
    [relyingParty.normalize("NFC").trim()],
  );
  if (party === undefined) throw new NotFoundError("relying party", "relyingParty");
  return party.id;
}

async function create(
  { database, clock, random, newId }: ApiKeysDeps,
  principal: Principal,
  input: ApiKeyInput,
): Promise<ApiKey & { readonly key: string }> {
  const { role, label = "", corporationId: wanted = principal.corporationId } = input;
  const partyId = await partyOf(database, input);
  const corporationId =
    wanted === undefined
      ? undefined
      : await tenantOf(database, principal, {
          kind: "corporation",
          id: wanted,
          field: "corporationId",
        });
  const key = `suido_${ROLE_TAG[role]}_${Buffer.from(random(SECRET_OCTETS)).toString("base64url")}`;
  const digest = createHash("sha256").update(key).digest();
  const name = label === "" ? "" : parseName(label, "label", MAX_LABEL);
  const id = newId();
  const at = clock();
  const scope = corporationId === undefined ? {} : { corporationId };
  const row = await scoped(database, corporationId, async (sql) => {
    const [inserted] = await sql.query<Row>(
      `insert into app.api_key (id, role, label, corporation_id, secret_sha256, created_at, relying_party_id)
       values ($1, $2, $3, $4, $5, $6, $7) returning ${COLUMNS}`,
      [id, role, name, corporationId ?? null, digest, at, partyId],
    );
    const fact = {
      at,
      actor: principal.actor,
      action: "api-key.created",
      subject: `api-key/${id}`,
      detail: { role, ...(partyId !== null && { relyingPartyId: partyId }) },
    };
    await record(sql, { ...fact, ...scope }, newId);
    return inserted;
  });
  if (row === undefined) throw new Error("insert gave no row");
  return { ...apiKeyOf(row), key };
}

async function revoke(
  { database, clock, newId }: ApiKeysDeps,
  principal: Principal,
  keyId: string,
): Promise<void> {
  const id = canonicalUuid(keyId);
  if (id === undefined) throw new NotFoundError("API key");
  const [key] = await database.query<{ corporation_id: string | null }>(
    "select corporation_id from app.api_key where id = $1 and ($2::uuid is null or corporation_id = $2::uuid)",
    [id, principal.corporationId ?? null],
  );
  if (key === undefined) throw new NotFoundError("API key");
  const corporationId = key.corporation_id ?? undefined;
  await scoped(database, corporationId, async (sql) => {
    const at = clock();
    const revoked = await sql.query(
      "update app.api_key set revoked_at = $2 where id = $1 and revoked_at is null returning id",
      [id, at],
    );
    if (revoked.length === 0) return;
    const fact = {
      at,
      actor: principal.actor,
      action: "api-key.revoked",
      subject: `api-key/${id}`,
    };
    await record(
      sql,
      { ...fact, ...(corporationId === undefined ? {} : { corporationId }) },
      newId,
    );
    await recordDeny(sql, `api-key:${id}`, at);
  });
}
