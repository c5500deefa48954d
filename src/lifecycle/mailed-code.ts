import { record } from "../audit/record.ts";
import { equal, utf8Bytes } from "../pki/bytes.ts";
import type { Digest, Random } from "../pki/crypto.ts";
import type { NewId } from "../pki/uuid.ts";
import { ConflictError } from "../registry/errors.ts";
import type { Sql } from "../storage/sql.ts";
import { newSixDigits } from "./enrolment-session.ts";

/** Long enough to change to the mail program and back. */
const LIFE_MS = 10 * 60_000;

/** With five codes of an enrolment and five attempts each, a guess is right in one of 40,000 enrolments. */
const MOST_WRONG = 5;
const MOST_MAILED = 5;

const CODE = /^\d{6}$/;

/** By what a code is kept, and found to be right. */
function codeHash(enrolmentId: string, code: string, digest: Digest): Uint8Array {
  return digest("sha256", utf8Bytes(`mailed-code:${enrolmentId}:${code}`));
}

/** A code as somebody typed it: Japanese keyboards write full-width digits, and it is read in two groups. */
const plainCode = (text: string): string => text.normalize("NFKC").replaceAll(/[\s\p{Pd}ー]/gu, "");

interface Mailing {
  readonly enrolmentId: string;
  readonly corporationId: string;
  readonly at: Date;
}

/**
 * Plans a mail with a code to the person's own address, of an enrolment that its transaction has locked. Throws
 * ConflictError where there is none, or where too many were sent.
 */
export async function planCode(
  sql: Sql,
  { enrolmentId, corporationId, at }: Mailing,
  newId: NewId,
): Promise<void> {
  const [counted] = await sql.query<{ codes_mailed: number }>(
    "update app.enrolment set codes_mailed = codes_mailed + 1 where id = $1 and codes_mailed < $2 returning codes_mailed",
    [enrolmentId, MOST_MAILED],
    "code-count",
  );
  if (counted === undefined) throw new ConflictError("as many codes as may be were mailed");
  const [planned] = await sql.query<{ planned: boolean }>(
    "select app.plan_code_mail($1, $2) as planned",
    [enrolmentId, at],
    "code-plan",
  );
  if (planned?.planned !== true) throw new ConflictError("there is no address of the person's own");
  const [actor, action] = [`enrolment:${enrolmentId}`, "enrolment.code-asked"] as const;
  const subject = `enrolment/${enrolmentId}`;
  await record(sql, { at, actor, action, subject, corporationId }, newId);
}

/**
 * Draws the code of a mail that is being written, and keeps its hash: the codes before it are of no use any more.
 * Undefined where the browser that asked is not the one that goes on, or nobody waits for it.
 */
export async function drawCode(
  sql: Sql,
  {
    enrolmentId,
    begun,
    at,
  }: { readonly enrolmentId: string; readonly begun: number; readonly at: Date },
  { random, digest }: { readonly random: Random; readonly digest: Digest },
): Promise<string | undefined> {
  const code = newSixDigits(random);
  const kept = await sql.query(
    `update app.enrolment set code_sha256 = $3, code_until = $4, code_wrong = 0
     where id = $1 and begun = $2 and state = 'started' and expires_at > $5 returning id`,
    [enrolmentId, begun, codeHash(enrolmentId, code, digest), new Date(at.getTime() + LIFE_MS), at],
  );
  return kept.length === 0 ? undefined : code;
}

interface Judging extends Mailing {
  readonly text: string;
}

interface CodeRow {
  readonly code_sha256: Uint8Array | null;
  readonly code_until: Date | null;
  readonly code_wrong: number;
}

/** Whether there is a code that may be tried at all, and whether this is it. */
async function compare(
  sql: Sql,
  { enrolmentId, at, text }: Judging,
  digest: Digest,
): Promise<"right" | "wrong" | "none"> {
  const [row] = await sql.query<CodeRow>(
    "select code_sha256, code_until, code_wrong from app.enrolment where id = $1",
    [enrolmentId],
    "code-read",
  );
  const { code_sha256: kept = null, code_until: until = null, code_wrong: wrong = 0 } = row ?? {};
  if (kept === null || until === null || until <= at || wrong >= MOST_WRONG) return "none";
  const code = plainCode(text);
  return CODE.test(code) && equal(kept, codeHash(enrolmentId, code, digest)) ? "right" : "wrong";
}

const WRONG = "update app.enrolment set code_wrong = code_wrong + 1 where id = $1";

const RIGHT = `update app.enrolment set state = 'identified', identified_at = $2, identified_by = $3, identified_how = 'mailed-code',
    code_sha256 = null, code_until = null where id = $1`;

/**
 * Whether the code is the one that was mailed: then the person is identified. A wrong one is counted and recorded, and
 * after five nothing is right until another is mailed. Of a started enrolment that its transaction has locked.
 */
export async function judgeCode(
  sql: Sql,
  judging: Judging,
  { digest, newId }: { readonly digest: Digest; readonly newId: NewId },
): Promise<boolean> {
  const { enrolmentId, corporationId, at } = judging;
  const verdict = await compare(sql, judging, digest);
  if (verdict === "none") return false;
  const actor = `enrolment:${enrolmentId}`;
  const fact = { at, actor, subject: `enrolment/${enrolmentId}`, corporationId };
  if (verdict === "wrong") {
    await sql.query(WRONG, [enrolmentId], "code-wrong");
    await record(sql, { ...fact, action: "enrolment.code-wrong" }, newId);
    return false;
  }
  await sql.query(RIGHT, [enrolmentId, at, actor], "code-right");
  const how = { action: "enrolment.identified", detail: { how: "mailed-code" } };
  await record(sql, { ...fact, ...how }, newId);
  return true;
}
