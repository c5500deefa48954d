import { createHash } from "node:crypto";

import { type JsonObject, record } from "../audit/record.ts";
import { parseCertificate } from "../pki/certificate-view.ts";
import type { Clock } from "../pki/clock.ts";
import { PkiError } from "../pki/errors.ts";
import { pemDecode } from "../pki/pem.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Database } from "../storage/database.ts";
import { uniqueViolation } from "../storage/errors.ts";
import type { Sql } from "../storage/sql.ts";
import { ConflictError, InvalidValueError, NotFoundError, OutsideScopeError } from "./errors.ts";
import { createOnce, type IdempotentRequest } from "./idempotency.ts";
import { type Page, type PageRequest, pageOf, windowOf } from "./page.ts";
import { changesOf } from "./patch.ts";
import { canonicalUuid, type Principal } from "./principal.ts";
import { parseName } from "./text.ts";
import type { PartyUse, Stage } from "./vocabulary.ts";

/** A proxy or product that lets devices in by their certificates, and that must know which of them are dead. */
export interface RelyingParty {
  readonly id: string;
  readonly name: string;
  /** The product behind it: stages are set for a product. */
  readonly product: string;
  /** By what it learns of revocations. */
  readonly uses: readonly PartyUse[];
  /** How long a connection or TLS session that was checked once may live on without being checked again, in seconds. */
  readonly sessionSeconds: number;
  /** Where no stage is set for the pharmacy or its corporation, and where nobody knows the pharmacy. */
  readonly defaultStage: Stage;
  /** SHA-256 of the certificate that it shows at the mTLS listener, hex. */
  readonly clientCertificateSha256?: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** When it was taken out of service: from then on it holds up nothing, and its keys are dead. */
  readonly retiredAt?: Date;
  /** When it was heard of last, to the minute. */
  readonly lastSeenAt?: Date;
}

export interface RelyingPartyInput {
  readonly name: string;
  readonly product: string;
  readonly uses: readonly PartyUse[];
  readonly sessionSeconds?: number;
  readonly defaultStage?: Stage;
  /** In PEM, whoever signed it: it is pinned. */
  readonly clientCertificate?: string;
}

export type RelyingPartyPatch = Partial<Omit<RelyingPartyInput, "clientCertificate">> & {
  /** Null takes it away. */
  readonly clientCertificate?: string | null;
};

/** For principals who are bound to no corporation: a proxy serves pharmacies of many. All throw OutsideScopeError. */
export interface RelyingParties {
  create(
    principal: Principal,
    input: RelyingPartyInput,
    idempotency?: IdempotentRequest,
  ): Promise<RelyingParty>;
  get(principal: Principal, id: string): Promise<RelyingParty>;
  list(principal: Principal, page: PageRequest): Promise<Page<RelyingParty>>;
  update(principal: Principal, id: string, patch: RelyingPartyPatch): Promise<RelyingParty>;
  /** Retires it. What it acknowledged and who used it stays. Retiring twice is retiring once. */
  remove(principal: Principal, id: string): Promise<void>;
}

export interface RelyingPartiesDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: NewId;
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly product: string;
  readonly uses: readonly PartyUse[];
  readonly session_seconds: number;
  readonly default_stage: Stage;
  readonly client_certificate_sha256: Buffer | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly retired_at: Date | null;
  readonly last_seen_at: Date | null;
}

const COLUMNS =
  "id, name, product, uses, session_seconds, default_stage, client_certificate_sha256, created_at, updated_at, retired_at, last_seen_at";

const MAX_NAME = 100;

const TAKEN: Readonly<Record<string, { readonly field: string; readonly says: string }>> = {
  relying_party_name_key: { field: "name", says: "another relying party has this name already" },
  relying_party_client_certificate_sha256_key: {
    field: "clientCertificate",
    says: "another relying party has this certificate already",
  },
};

function partyOf(row: Row): RelyingParty {
  const { client_certificate_sha256: pinned, retired_at, last_seen_at } = row;
  return {
    id: row.id,
    name: row.name,
    product: row.product,
    uses: row.uses,
    sessionSeconds: row.session_seconds,
    defaultStage: row.default_stage,
    ...(pinned !== null && { clientCertificateSha256: pinned.toString("hex") }),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    ...(retired_at !== null && { retiredAt: retired_at }),
    ...(last_seen_at !== null && { lastSeenAt: last_seen_at }),
  };
}

function demandUnbound({ corporationId }: Principal): void {
  if (corporationId !== undefined)
    throw new OutsideScopeError("relying parties serve many corporations: no key of one sees them");
}

/** The SHA-256 of a certificate in PEM. Throws InvalidValueError. */
function pinOf(pem: string): Buffer {
  try {
    const der = pemDecode(pem, "CERTIFICATE");
    parseCertificate(der);
    return createHash("sha256").update(der).digest();
  } catch (error) {
    if (!(error instanceof PkiError)) throw error;
    throw new InvalidValueError("clientCertificate", "is not one certificate in PEM");
  }
}

/** Each use once, in a fixed order. */
const sortedUses = (uses: readonly PartyUse[]): PartyUse[] => [...new Set(uses)].toSorted();

async function orConflict<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const conflict = TAKEN[uniqueViolation(error) ?? ""];
    if (conflict === undefined) throw error;
    throw new ConflictError(conflict.says, conflict.field);
  }
}

/** The row of a party, locked where it is to be changed. Throws NotFoundError. */
async function readParty(sql: Sql, id: string, lock: "" | "for update" = ""): Promise<Row> {
  const uuid = canonicalUuid(id);
  const text = `select ${COLUMNS} from party.relying_party where id = $1 ${lock}`;
  const [row] = uuid === undefined ? [] : await sql.query<Row>(text, [uuid]);
  if (row === undefined) throw new NotFoundError("relying party");
  return row;
}

export function createRelyingParties(deps: RelyingPartiesDeps): RelyingParties {
  const { database } = deps;
  return {
    create: async (principal, input, idempotency) => {
      demandUnbound(principal);
      const now = deps.clock();
      return orConflict(() =>
        database.transaction((sql) =>
          createOnce<RelyingParty>(
            sql,
            { idempotency, now, dates: ["createdAt", "updatedAt"] },
            () => create(sql, { principal, input, now }, deps.newId),
          ),
        ),
      );
    },
    get: async (principal, id) => {
      demandUnbound(principal);
      return partyOf(await readParty(database, id));
    },
    list: async (principal, page) => {
      demandUnbound(principal);
      const window = windowOf(page, "relyingParties");
      const rows = await database.query<Row>(
        `select ${COLUMNS} from party.relying_party where $1::uuid is null or id > $1::uuid order by id limit $2::integer`,
        [window.after, window.size],
      );
      return pageOf(rows.map(partyOf), window, "relyingParties");
    },
    update: async (principal, id, patch) => {
      demandUnbound(principal);
      return orConflict(() =>
        database.transaction((sql) => update(sql, { principal, id, patch }, deps)),
      );
    },
    remove: async (principal, id) => {
      demandUnbound(principal);
      await database.transaction((sql) => retire(sql, { principal, id }, deps));
    },
  };
}

async function create(
  sql: Sql,
  work: { readonly principal: Principal; readonly input: RelyingPartyInput; readonly now: Date },
  newId: NewId,
): Promise<RelyingParty> {
  const { input, now, principal } = work;
  const { clientCertificate, defaultStage = "enforce", product, sessionSeconds = 0, uses } = input;
  const id = newId();
  const [row] = await sql.query<Row>(
    `insert into party.relying_party (id, name, product, uses, session_seconds, default_stage, client_certificate_sha256, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $8) returning ${COLUMNS}`,
    [
      id,
      parseName(input.name, "name", MAX_NAME),
      product,
      sortedUses(uses),
      sessionSeconds,
      defaultStage,
      clientCertificate === undefined ? null : pinOf(clientCertificate),
      now,
    ],
  );
  if (row === undefined) throw new Error("insert gave no row");
  const subject = `relying-party/${id}`;
  const { actor } = principal;
  const detail = { product, uses: row.uses, defaultStage };
  await record(sql, { at: now, actor, action: "relying-party.created", subject, detail }, newId);
  return partyOf(row);
}

async function update(
  sql: Sql,
  work: { readonly principal: Principal; readonly id: string; readonly patch: RelyingPartyPatch },
  { clock, newId }: RelyingPartiesDeps,
): Promise<RelyingParty> {
  const { clientCertificate, ...patch } = work.patch;
  const current = partyOf(await readParty(sql, work.id, "for update"));
  const pin =
    typeof clientCertificate === "string" ? pinOf(clientCertificate).toString("hex") : null;
  const wanted = {
    name: patch.name === undefined ? undefined : parseName(patch.name, "name", MAX_NAME),
    product: patch.product,
    uses: patch.uses === undefined ? undefined : sortedUses(patch.uses).join(),
    sessionSeconds: patch.sessionSeconds,
    defaultStage: patch.defaultStage,
    pin: clientCertificate === undefined ? undefined : pin,
  };
  const before = {
    ...current,
    uses: current.uses.join(),
    pin: current.clientCertificateSha256 ?? null,
  };
  const { data, fields } = changesOf<Record<keyof typeof wanted, string | number | null>>(
    before,
    wanted,
  );
  if (fields.length === 0) return current;
  const now = clock();
  const next = { ...before, ...data };
  const [row] = await sql.query<Row>(
    `update party.relying_party set name = $2, product = $3, uses = string_to_array($4, ','), session_seconds = $5,
       default_stage = $6, client_certificate_sha256 = decode($7, 'hex'), updated_at = $8
     where id = $1 returning ${COLUMNS}`,
    [
      current.id,
      next.name,
      next.product,
      next.uses,
      next.sessionSeconds,
      next.defaultStage,
      next.pin,
      now,
    ],
  );
  if (row === undefined) throw new Error("update gave no row");
  const detail: JsonObject = { changed: fields };
  const { actor } = work.principal;
  const subject = `relying-party/${current.id}`;
  await record(sql, { at: now, actor, action: "relying-party.updated", subject, detail }, newId);
  return partyOf(row);
}

async function retire(
  sql: Sql,
  { id, principal: { actor } }: { readonly principal: Principal; readonly id: string },
  { clock, newId }: RelyingPartiesDeps,
): Promise<void> {
  const { retired_at, id: found } = await readParty(sql, id, "for update");
  if (retired_at !== null) return;
  const at = clock();
  await sql.query("update party.relying_party set retired_at = $2, updated_at = $2 where id = $1", [
    found,
    at,
  ]);
  const subject = `relying-party/${found}`;
  await record(sql, { at, actor, action: "relying-party.retired", subject }, newId);
}
