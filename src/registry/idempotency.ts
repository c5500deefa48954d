import type { Json, JsonObject } from "../audit/record.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { IdempotencyKeyReusedError, InvalidValueError } from "./errors.ts";

/** A POST that its sender may repeat (draft-ietf-httpapi-idempotency-key-header). */
export interface IdempotentRequest {
  readonly apiKeyId: string;
  readonly key: string;
  /** SHA-256 over method, path and body, so that a key that is used for something else is noticed. */
  readonly requestHash: Uint8Array;
  /** Told when the answer is the one that was kept. */
  readonly onReplayed?: () => void;
}

/** An answer as the API gives it. */
export interface Answer {
  readonly status: number;
  readonly body: JsonObject;
}

/** How long a repeated request gets the first one's answer. */
const REMEMBERED_MS = 24 * 60 * 60 * 1_000;

const MAX_KEY_LENGTH = 255;

/**
 * Does the work and keeps its answer under the key, or gives the answer that was kept. Runs inside the transaction of the
 * work, so that both happen or neither: of several at once the first inserts the key, the others wait for its commit on
 * the unique key, and then replay; if the first fails, the next does the work.
 */
export async function withIdempotency(
  sql: Sql,
  request: IdempotentRequest & { readonly now: Date },
  work: () => Promise<{ readonly status: number; readonly body: object }>,
): Promise<Answer & { readonly replayed: boolean }> {
  const { apiKeyId, key } = request;
  if (key.length === 0 || key.length > MAX_KEY_LENGTH) {
    throw new InvalidValueError(
      "Idempotency-Key",
      `does not have 1 to ${MAX_KEY_LENGTH} characters`,
    );
  }
  const kept = await insertOrRead(sql, request);
  if (kept !== undefined) return { replayed: true, ...kept };
  const { status, body } = await work();
  const text = JSON.stringify(body);
  await sql.query(
    "update app.idempotency set status = $3::smallint, body = $4::jsonb where api_key_id = $1::uuid and key = $2::text",
    [apiKeyId, key, status, text],
  );
  return { replayed: false, status, body: JSON.parse(text) as JsonObject };
}

interface Row {
  readonly status: number | null;
  readonly body: JsonObject | null;
  readonly same: boolean;
}

/** The answer that the key has, or undefined once this transaction has made the key its own. */
async function insertOrRead(
  sql: Sql,
  { apiKeyId, key, requestHash, now }: IdempotentRequest & { readonly now: Date },
): Promise<Answer | undefined> {
  const values = [apiKeyId, key, Buffer.from(requestHash)];
  for (;;) {
    const inserted = await sql.query(
      `insert into app.idempotency (api_key_id, key, request_hash, created_at)
       values ($1::uuid, $2::text, $3::bytea, $4::timestamptz) on conflict do nothing returning key`,
      [...values, now.toISOString()],
    );
    if (inserted.length > 0) return undefined;
    const [row] = await sql.query<Row>(
      "select status, body, request_hash = $3::bytea as same from app.idempotency where api_key_id = $1::uuid and key = $2::text",
      values,
    );
    // Forgotten between the two statements: the key is free again.
    if (row === undefined) continue;
    if (!row.same || row.status === null || row.body === null)
      throw new IdempotencyKeyReusedError();
    return { status: row.status, body: row.body };
  }
}

/** RFC 9110 §15.3.2: the answer to a POST that made something. */
const CREATED = 201;

/**
 * Makes something once for each Idempotency-Key, or simply makes it when there is none. `dates` names the properties
 * that are times: JSON keeps them as text.
 */
export async function createOnce<T extends object>(
  sql: Sql,
  {
    idempotency,
    now,
    dates,
  }: {
    readonly idempotency: IdempotentRequest | undefined;
    readonly now: Date;
    readonly dates: readonly (keyof T & string)[];
  },
  make: () => Promise<T>,
): Promise<T> {
  if (idempotency === undefined) return make();
  const { body, replayed } = await withIdempotency(sql, { ...idempotency, now }, async () => ({
    status: CREATED,
    body: await make(),
  }));
  if (replayed) idempotency.onReplayed?.();
  const revive = ([name, value]: [string, Json]): [string, unknown] => [
    name,
    typeof value === "string" && dates.includes(name as keyof T & string) ? new Date(value) : value,
  ];
  return Object.fromEntries(Object.entries(body).map(revive)) as T;
}

/** Forgets keys that are older than a day. Safe to repeat; returns how many were forgotten. */
export async function forgetOldKeys(database: Database, now: Date): Promise<number> {
  const [row] = await database.query<{ forgotten: number }>(
    `with old as (delete from app.idempotency where created_at < $1::timestamptz returning key)
     select count(*)::int as forgotten from old`,
    [new Date(now.getTime() - REMEMBERED_MS).toISOString()],
  );
  return row?.forgotten ?? 0;
}
