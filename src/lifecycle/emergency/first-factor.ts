import { record } from "../../audit/record.ts";
import { equal, utf8Bytes } from "../../pki/bytes.ts";
import type { Digest, Random } from "../../pki/crypto.ts";
import type { Sql } from "../../storage/sql.ts";
import { newSixDigits } from "../enrolment-session.ts";
import type { SignedIn } from "../factors/factor-doors.ts";
import {
  type EmergencyDeps,
  newVisitSecret,
  VISIT_MS,
  visitFact,
  visitHash,
  type Visiting,
} from "./emergency-row.ts";

/** Who has just signed in is still the one who did. */
const SIGN_IN_MS = 10 * 60_000;

/** A code is as long of use as its visit's first half: time to change to the mail program and back. */
const CODE_MS = 10 * 60_000;
const MOST_WRONG = 5;

/** So many in an hour for one person: more would be mails that somebody else has them sent. Who has signed in gets none, and is not kept waiting by it. */
const MOST_AN_HOUR = 5;
const HOUR_MS = 60 * 60_000;

const CODE = /^\d{6}$/;

function codeHash(visitId: string, code: string, digest: Digest): Uint8Array {
  return digest("sha256", utf8Bytes(`emergency-code:${visitId}:${code}`));
}

/** One line of text as an address, however a Japanese keyboard has written it. */
const plainAddress = (text: string): string => text.normalize("NFKC").trim();

interface Beginning {
  readonly corporationId: string;
  readonly accountId: string;
  readonly secret: string;
  readonly at: Date;
}

const INSERT = `insert into app.emergency_visit (id, session_sha256, corporation_id, account_id, created_at, expires_at, first_how, first_at)
  select $1, $2, $3, id, $5, $6, $7::text, case when $7::text is not null then $5::timestamptz end from app.account
  where id = $4 and disabled_at is null and ($7::text is not null
    or (select count(*) from app.emergency_visit v where v.account_id = $4 and v.created_at > $8 and v.first_how is distinct from 'sign-in') < $9)
  returning id`;

/** Of many at once each counts those before it, which a statement that waits itself would not see. */
const LOCK = "select from app.account where id = $1 for no key update";

/** The visit, unless the person may not or too many were begun lately. */
async function insert(
  sql: Sql,
  { accountId, at, corporationId, how, secret }: Beginning & { readonly how: "sign-in" | null },
  { digest, newId }: EmergencyDeps,
): Promise<string | undefined> {
  const id = newId();
  await sql.query(LOCK, [accountId], "emergency-lock-person");
  const [made] = await sql.query(
    INSERT,
    [
      id,
      visitHash(secret, digest),
      corporationId,
      accountId,
      at,
      new Date(at.getTime() + VISIT_MS),
      how,
      new Date(at.getTime() - HOUR_MS),
      MOST_AN_HOUR,
    ],
    "emergency-begin",
  );
  return made === undefined ? undefined : id;
}

/**
 * Begins with an address: a code goes to it where it is one person's own. Returns the secret of a session whichever it is,
 * and whoever asks learns nothing from it.
 */
export async function beginByAddress(deps: EmergencyDeps, address: string): Promise<string> {
  const { clock, database, newId, random } = deps;
  const secret = newVisitSecret(random);
  const [found] = await database.query<{ corporation_id: string; account_id: string }>(
    "select * from app.account_of_address($1)",
    [plainAddress(address)],
    "emergency-address",
  );
  if (found === undefined) return secret;
  const { account_id: accountId, corporation_id: corporationId } = found;
  await database.tenant(corporationId, async (sql) => {
    const at = clock();
    const id = await insert(sql, { accountId, at, corporationId, how: null, secret }, deps);
    if (id === undefined) return;
    await sql.query("select app.plan_emergency_code($1, $2)", [id, at], "emergency-code-mail");
    const told = { at, actor: `account:${accountId}`, corporationId };
    const [action, subject] = ["emergency.code-asked", `account/${accountId}`];
    await record(sql, { ...told, action, subject }, newId);
  });
  return secret;
}

/** Begins with the site's own sign-in, a moment ago. Undefined where it was longer ago. */
export async function beginSignedIn(
  deps: EmergencyDeps,
  { accountId, authenticatedAt, corporationId }: SignedIn,
): Promise<string | undefined> {
  const { clock, database, newId, random } = deps;
  const secret = newVisitSecret(random);
  return database.tenant(corporationId, async (sql) => {
    const at = clock();
    if (at.getTime() - authenticatedAt.getTime() > SIGN_IN_MS) return undefined;
    const id = await insert(sql, { accountId, at, corporationId, how: "sign-in", secret }, deps);
    if (id === undefined) return undefined;
    const told = { at, actor: `account:${accountId}`, corporationId };
    const [action, subject] = ["emergency.first-factor", `account/${accountId}`];
    await record(sql, { ...told, action, subject, detail: { how: "sign-in" } }, newId);
    return secret;
  });
}

/** Draws the code of a mail that is being written, and keeps its hash. Undefined where nobody waits for it. */
export async function drawEmergencyCode(
  sql: Sql,
  { visitId, at }: { readonly visitId: string; readonly at: Date },
  { digest, random }: { readonly digest: Digest; readonly random: Random },
): Promise<string | undefined> {
  const code = newSixDigits(random);
  const kept = await sql.query(
    `update app.emergency_visit set code_sha256 = $2, code_until = $3, code_wrong = 0
     where id = $1 and first_at is null and expires_at > $4 returning id`,
    [visitId, codeHash(visitId, code, digest), new Date(at.getTime() + CODE_MS), at],
    "emergency-code",
  );
  return kept.length === 0 ? undefined : code;
}

/** Whether the code is the one that was mailed. A wrong one is counted and recorded; after five, none is right. */
export async function judgeEmergencyCode(
  visiting: Visiting & { readonly text: string },
  { digest, newId }: Pick<EmergencyDeps, "digest" | "newId">,
): Promise<boolean> {
  const { at, row, sql, text } = visiting;
  const { code_sha256: kept, code_until: until, code_wrong: wrong, first_how: before, id } = row;
  if (before !== null) return true;
  if (kept === null || until === null || until <= at || wrong >= MOST_WRONG) return false;
  const code = text.normalize("NFKC").replaceAll(/[\s\p{Pd}ー]/gu, "");
  if (!CODE.test(code) || !equal(kept, codeHash(id, code, digest))) {
    await sql.query(
      "update app.emergency_visit set code_wrong = code_wrong + 1 where id = $1",
      [id],
      "emergency-code-wrong",
    );
    await record(sql, { ...visitFact(visiting), action: "emergency.code-wrong" }, newId);
    return false;
  }
  await sql.query(
    `update app.emergency_visit set first_how = 'mailed-code', first_at = $2, code_sha256 = null, code_until = null where id = $1`,
    [id, at],
    "emergency-code-right",
  );
  const detail = { how: "mailed-code" };
  await record(sql, { ...visitFact(visiting), action: "emergency.first-factor", detail }, newId);
  return true;
}
