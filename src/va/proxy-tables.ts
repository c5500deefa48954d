import { latin1 } from "./latin1.ts";
import { type Stage, type StageRow, StageTable } from "./stage.ts";
import type { Sql } from "../storage/sql.ts";

/** A registered proxy or product, as far as its questions need it. */
export interface RelyingParty {
  readonly id: string;
  readonly name: string;
  readonly product: string;
  readonly defaultStage: Stage;
  /** Whether it is registered as one that asks at each request. */
  readonly asksPerRequest: boolean;
}

interface PartyRow {
  readonly id: string;
  readonly name: string;
  readonly product: string;
  readonly uses: readonly string[];
  readonly default_stage: Stage;
  readonly client_certificate_sha256: Uint8Array | null;
}

/** A proxy that has shown its API key. */
export interface ProxyKey {
  /** The id of the key. */
  readonly id: string;
  readonly party: RelyingParty;
}

/** Who may ask, and how strictly each product demands certificates. Small; read whole, and replaced whole. */
export interface ProxyTables {
  /** Keys of proxies that are bound to a party, by the octets of their SHA-256 as Latin-1. */
  readonly keys: ReadonlyMap<string, ProxyKey>;
  /** Parties by the SHA-256 of the client certificate that they show, as Latin-1. */
  readonly certificates: ReadonlyMap<string, RelyingParty>;
  readonly stages: StageTable;
}

export const NO_PROXIES: ProxyTables = {
  keys: new Map(),
  certificates: new Map(),
  stages: new StageTable([]),
};

const partyOf = ({ id, name, product, uses, default_stage }: PartyRow): RelyingParty => ({
  id,
  name,
  product,
  defaultStage: default_stage,
  asksPerRequest: uses.includes("authorize"),
});

const PARTIES = `select id, name, product, uses, default_stage, client_certificate_sha256
  from party.relying_party where retired_at is null`;

interface StageColumns {
  readonly product: string;
  readonly corporation_id: string;
  readonly pharmacy_id: string | null;
  readonly stage: Stage;
  readonly effective_from: Date;
}

const stageOf = (row: StageColumns): StageRow => ({
  product: row.product,
  corporationId: row.corporation_id,
  pharmacyId: row.pharmacy_id,
  stage: row.stage,
  effectiveFrom: row.effective_from.getTime(),
});

/** All of them, as the database has them now. Stages that an other one has followed by `now` are left out. */
export async function readProxyTables(sql: Sql, now: Date): Promise<ProxyTables> {
  const rows = await sql.query<PartyRow>(PARTIES);
  const keys = await sql.query<{
    id: string;
    secret_sha256: Uint8Array;
    relying_party_id: string;
  }>("select id, secret_sha256, relying_party_id from party.proxy_keys()");
  const stages = await sql.query<StageColumns>(
    "select product, corporation_id, pharmacy_id, stage, effective_from from party.stages($1)",
    [now],
  );
  const parties = new Map(rows.map((row) => [row.id, partyOf(row)]));
  const byKey = new Map<string, ProxyKey>();
  for (const { id, secret_sha256: digest, relying_party_id: partyId } of keys) {
    const party = parties.get(partyId);
    if (party !== undefined) byKey.set(latin1(digest), { id, party });
  }
  const byCertificate = new Map<string, RelyingParty>();
  for (const { id, client_certificate_sha256: digest } of rows) {
    const party = parties.get(id);
    if (digest !== null && party !== undefined) byCertificate.set(latin1(digest), party);
  }
  return { keys: byKey, certificates: byCertificate, stages: new StageTable(stages.map(stageOf)) };
}

/** Whether anything of it was changed by a transaction that had not ended at `horizon`, and where the next look begins. */
export async function readProxyChanges(
  sql: Sql,
  horizon: string | undefined,
): Promise<{ readonly changed: boolean; readonly horizon: string }> {
  const [row] = await sql.query<{ changed: boolean; horizon: string }>(
    "select changed, horizon from party.changed_since($1::xid8)",
    [horizon ?? null],
    "va-proxy-changes",
  );
  return row ?? { changed: true, horizon: "0" };
}
