import { createHash, randomBytes, randomUUID } from "node:crypto";

import type { Superuser } from "./rows.ts";

export interface PartyRow {
  readonly id: string;
  /** An API key of role proxy that is bound to it. */
  readonly key: string;
  readonly keyId: string;
}

export interface PartyInput {
  readonly product?: string;
  readonly uses?: readonly string[];
  readonly defaultStage?: string;
  readonly certificateSha256?: Buffer;
}

/** A relying party with a key, as rows alone. */
export async function insertParty(sql: Superuser, input: PartyInput = {}): Promise<PartyRow> {
  const { product = "musubi", uses = ["authorize"], defaultStage = "enforce" } = input;
  const [id, keyId] = [randomUUID(), randomUUID()];
  await sql.query(
    `insert into party.relying_party (id, name, product, uses, default_stage, client_certificate_sha256, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, now(), now())`,
    [id, `proxy ${id}`, product, uses, defaultStage, input.certificateSha256 ?? null],
  );
  const key = `suido_prx_${randomBytes(32).toString("base64url")}`;
  await sql.query(
    "insert into app.api_key (id, role, secret_sha256, created_at, relying_party_id) values ($1, 'proxy', $2, now(), $3)",
    [keyId, createHash("sha256").update(key).digest(), id],
  );
  return { id, key, keyId };
}

export interface StageInput {
  readonly product?: string;
  readonly corporationId: string;
  readonly pharmacyId?: string;
  readonly stage: string;
  readonly from?: Date;
}

/** A stage that is in force, as a row alone. */
export async function insertStage(sql: Superuser, input: StageInput): Promise<void> {
  const { product = "musubi", corporationId, pharmacyId, stage, from = new Date(0) } = input;
  await sql.query(
    `insert into app.stage (id, product, corporation_id, pharmacy_id, stage, effective_from, state, proposed_by, created_at)
     values ($1, $2, $3, $4, $5, $6, 'in-force', 'test', now())`,
    [randomUUID(), product, corporationId, pharmacyId ?? null, stage, from],
  );
}
