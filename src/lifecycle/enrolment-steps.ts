import type { Clock } from "../pki/clock.ts";
import type { Digest } from "../pki/crypto.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { type Session, sessionHash, type Tenanted } from "./enrolment-session.ts";

/**
 * What the pages of the way report: which screen of the guide is before the person (`make` and the ids of its steps), that
 * they saved the file, that the other form of file was wanted, and the page for whoever sets up machines (`script`).
 */
export const PAGE_STEPS = [
  "make",
  "save",
  "other-style",
  "add",
  "allow",
  "file",
  "finish",
  "import",
  "install",
  "kind",
  "name",
  "open",
  "password",
  "pick",
  "script",
  "settings",
  "store",
] as const;
type PageStep = (typeof PAGE_STEPS)[number];

/** What is noted beside them. */
type Step = PageStep | "check-asked" | "script-run";

export interface NoteStepDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly digest: Digest;
}

/** More often nobody goes through one screen, and a number is not to grow by whoever wants it to. */
const MOST_TIMES = 1000;

const NOTE = `insert into app.enrolment_step (corporation_id, enrolment_id, step, first_at, last_at, times)
  select e.corporation_id, e.id, $2, $3, $3, 1 from app.enrolment e where e.session_sha256 = $1
  on conflict (enrolment_id, step) do update set last_at = greatest(enrolment_step.last_at, excluded.last_at), times = enrolment_step.times + 1
  where enrolment_step.times < ${MOST_TIMES}`;

/** Notes where the browser is that has begun an enrolment. Of any other nothing is noted: this opens nothing. */
export type NoteStep = (session: Session, step: Step) => Promise<void>;

export function createNoteStep({ database, clock, digest }: NoteStepDeps): NoteStep {
  const found = async (session: string): Promise<Tenanted | undefined> => {
    const sha256 = sessionHash(session, digest);
    if (sha256 === undefined) return undefined;
    const [tenant] = await database.query<{ id: string | null }>(
      "select app.tenant_of_enrolment_session($1) as id",
      [sha256],
      "way-tenant",
    );
    const corporationId = tenant?.id ?? undefined;
    return corporationId === undefined ? undefined : { sha256, corporationId };
  };
  return async (session, step) => {
    const way = typeof session === "string" ? await found(session) : session;
    if (way === undefined) return;
    await database.tenant(way.corporationId, (sql) =>
      sql.query(NOTE, [way.sha256, step, clock()], "enrolment-step"),
    );
  };
}

const NOTE_CHECK = `insert into app.enrolment_step (corporation_id, enrolment_id, step, first_at, last_at, times)
  select b.corporation_id, b.enrolment_id, 'check-' || $2::text, $3::timestamptz, $3, 1 from app.binding b
  where b.serial = $1 and b.bound_to is null and b.enrolment_id is not null
  on conflict (enrolment_id, step) do nothing`;

/**
 * Notes of the enrolment that a certificate was made for what a visit to its check was instead of a proof: once for each
 * outcome, however often somebody visits.
 */
export async function noteFailedCheck(
  sql: Sql,
  {
    serial,
    outcome,
    at,
  }: { readonly serial: Uint8Array; readonly outcome: string; readonly at: Date },
): Promise<void> {
  await sql.query(NOTE_CHECK, [serial, outcome, at], "check-failed");
}
