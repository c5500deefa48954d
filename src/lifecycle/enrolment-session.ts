import { record } from "../audit/record.ts";
import { toHex, utf8Bytes } from "../pki/bytes.ts";
import type { Digest, Random } from "../pki/crypto.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Database } from "../storage/database.ts";
import { uniqueViolation } from "../storage/errors.ts";
import type { Sql } from "../storage/sql.ts";
import type { LinkKind } from "./enrolment-links.ts";
import { standingOf } from "./enrolment-standing.ts";
import { NoSessionError } from "./errors.ts";
import type { WrongGuesses } from "./wrong-guesses.ts";

/** 128 bits. */
const SECRET_OCTETS = 16;
const SECRET = /^[0-9a-f]{32}$/;

/** By what the session of a browser is kept and found; undefined for what is no secret of ours. */
export function sessionHash(secret: string, digest: Digest): Uint8Array | undefined {
  return SECRET.test(secret) ? digest("sha256", utf8Bytes(`session:${secret}`)) : undefined;
}

/** The tenant in which a browser goes on, and by what its enrolment is found there. */
export interface Tenanted {
  readonly sha256: Uint8Array;
  readonly corporationId: string;
}

interface SessionDeps {
  readonly database: Pick<Database, "query">;
  readonly digest: Digest;
  readonly guesses: Pick<WrongGuesses, "note">;
}

async function wrongSession({ guesses }: SessionDeps): Promise<never> {
  await guesses.note("session");
  throw new NoSessionError();
}

/** What goes on with an enrolment: the secret that a browser keeps, or the way to which a script's secret has led. */
export type Session = string | Tenanted;

/** Throws NoSessionError. */
export async function tenantOfSession(deps: SessionDeps, session: Session): Promise<Tenanted> {
  if (typeof session !== "string") return session;
  // A browser without one has begun nothing: that is no guess.
  if (session === "") throw new NoSessionError();
  const sha256 = sessionHash(session, deps.digest);
  if (sha256 === undefined) return wrongSession(deps);
  const [tenant] = await deps.database.query<{ id: string | null }>(
    "select app.tenant_of_enrolment_session($1) as id",
    [sha256],
    "way-tenant",
  );
  const corporationId = tenant?.id ?? undefined;
  if (corporationId === undefined) return wrongSession(deps);
  return { sha256, corporationId };
}

/** 32 bits over a million numbers: none is likelier than another by more than a part in four thousand. */
export function newSixDigits(random: Random): string {
  const number = random(4).reduce((sum, octet) => sum * 256 + octet, 0) % 1_000_000;
  return String(number).padStart(6, "0");
}

/** Of the million support numbers most are free. */
const MOST_DRAWS = 50;

/** Does work that draws a support number, and does it again where another open enrolment has that number. */
export async function drawingNumbers<T>(work: () => Promise<T>): Promise<T> {
  for (let draw = 1; ; draw += 1) {
    try {
      return await work();
    } catch (error) {
      if (uniqueViolation(error) !== "enrolment_support_number" || draw === MOST_DRAWS) throw error;
    }
  }
}

/** An enrolment that a browser begins. */
export interface Beginning {
  readonly enrolmentId: string;
  readonly corporationId: string;
  readonly deviceId: string | null;
  readonly pharmacyId: string;
  readonly accountId: string;
  readonly begun: number;
  /** By what it was opened. */
  readonly kind: LinkKind | "emergency";
  readonly at: Date;
}

const BEGIN = `update app.enrolment set state = 'started', started_at = coalesce(started_at, $2::timestamptz), session_sha256 = $3, begun = begun + 1,
    support_number = coalesce($4::text, support_number), identified_at = null, identified_by = null, identified_how = null, issued_at = null,
    code_sha256 = null, code_until = null, code_wrong = 0,
    device_name = case when device_id is not null then device_name end, device_platform = case when device_id is not null then device_platform end,
    named_at = case when device_id is not null then named_at end, takes_over = case when device_id is not null then takes_over end,
    place = case when device_id is not null and not place_said then place end, replaces = case when place_said then null else replaces end,
    place_said = false
  where id = $1`;

/** A script of the browser before. */
const END_SCRIPT = "delete from app.enrolment_link where enrolment_id = $1 and kind = 'script'";

/**
 * Makes an enrolment this browser's, and nobody else's any more: whoever was identified in another browser is there no
 * longer, and what they have named another machine, or said of its certificates, is not said of this one. Returns the secret that the browser keeps. From the second time on the support number is another, so that staff
 * who hear one know whose page is meant. Throws a unique violation where that number is taken, and what `standingOf` does.
 */
export async function beginSession(
  sql: Sql,
  { enrolmentId, corporationId, deviceId, pharmacyId, accountId, begun, kind, at }: Beginning,
  deps: { readonly random: Random; readonly digest: Digest; readonly newId: NewId },
): Promise<string> {
  const { random, digest, newId } = deps;
  await standingOf(sql, { deviceId, pharmacyId, accountId }, at);
  const secret = toHex(random(SECRET_OCTETS));
  const supportNumber = begun === 0 ? null : newSixDigits(random);
  await sql.query(
    BEGIN,
    [enrolmentId, at, sessionHash(secret, digest), supportNumber],
    "enrolment-start",
  );
  if (begun > 0) await sql.query(END_SCRIPT, [enrolmentId], "enrolment-script");
  const [actor, action] = [`enrolment:${enrolmentId}`, "enrolment.started"] as const;
  const detail = { by: kind, ...(begun > 0 && { again: true }) };
  const subject = `enrolment/${enrolmentId}`;
  await record(sql, { at, actor, action, subject, corporationId, detail }, newId);
  return secret;
}
