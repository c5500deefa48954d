import { record } from "../audit/record.ts";
import type { Clock } from "../pki/clock.ts";
import type { Digest } from "../pki/crypto.ts";
import type { NewId } from "../pki/uuid.ts";
import { NotFoundError } from "../registry/errors.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { type LinkKind, linkHash, spellingOf } from "./enrolment-links.ts";
import { type EnrolmentState, isOpen } from "./enrolment-row.ts";
import { standingOf } from "./enrolment-standing.ts";
import { TooManyGuessesError } from "./errors.ts";

/** What somebody has in hand: the token of a link, or a code as they typed it. */
export interface InHand {
  readonly kind: LinkKind;
  readonly text: string;
}

/** What whoever has a link or a code is shown. Of one that has ended, nothing but that. */
export interface EnrolmentVisit {
  readonly state: EnrolmentState;
  /** Whether a newer one of the same device has taken its place. */
  readonly isReplaced: boolean;
  readonly open?: {
    readonly deviceName: string;
    readonly pharmacyName: string;
    /** What they read out when they call. */
    readonly supportNumber: string;
    readonly expiresAt: Date;
  };
}

export interface EnrolmentVisits {
  /** Shows it and changes nothing: mail scanners open every link. Throws NotFoundError, TooManyGuessesError. */
  open(inHand: InHand): Promise<EnrolmentVisit>;
  /**
   * Begins it: somebody has pressed 「はじめる」. Pressed again, or after its end, nothing changes. Throws also
   * InvalidStateError and NotAMemberError where the device is not to have a certificate of this person's any more.
   */
  start(inHand: InHand): Promise<EnrolmentVisit>;
}

export interface EnrolmentVisitsDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly digest: Digest;
}

/**
 * So many wrong ones in so long, of all callers together, in one process. With 200,000 codes given out, somebody who guesses
 * all the time finds one in half a year, and it opens nothing but the question who they are.
 */
const MOST_WRONG = 200;
const WINDOW_MS = 10 * 60_000;

/** Counts what was wrong, in windows one after the other. */
function createGuessCount(clock: Clock) {
  let window = Number.NaN;
  let wrong = 0;
  const turn = (): void => {
    const now = Math.floor(clock().getTime() / WINDOW_MS);
    if (now === window) return;
    window = now;
    wrong = 0;
  };
  return {
    isSpent: (): boolean => {
      turn();
      return wrong >= MOST_WRONG;
    },
    add: (): void => {
      turn();
      wrong += 1;
    },
  };
}

interface Row {
  readonly id: string;
  readonly device_id: string;
  readonly account_id: string;
  readonly told_state: EnrolmentState;
  readonly replaced_by: string | null;
  readonly support_number: string;
  readonly expires_at: Date;
  readonly device_name: string;
  readonly pharmacy_name: string;
}

const FIND = `select e.id, e.device_id, e.account_id, app.enrolment_state(e, $2) as told_state, e.replaced_by, e.support_number,
    e.expires_at, d.name as device_name, p.name as pharmacy_name
  from app.enrolment_link l
  join app.enrolment e on e.id = l.enrolment_id
  join app.device d on d.id = e.device_id
  join app.pharmacy p on p.id = e.pharmacy_id
  where l.sha256 = $1`;

function visitOf(row: Row): EnrolmentVisit {
  const state = row.told_state;
  return {
    state,
    isReplaced: row.replaced_by !== null,
    ...(isOpen(state) && {
      open: {
        deviceName: row.device_name,
        pharmacyName: row.pharmacy_name,
        supportNumber: row.support_number,
        expiresAt: row.expires_at,
      },
    }),
  };
}

interface Starting {
  readonly row: Row;
  readonly corporationId: string;
  readonly at: Date;
  readonly kind: LinkKind;
}

async function begin(
  sql: Sql,
  { row, corporationId, at, kind }: Starting,
  newId: NewId,
): Promise<void> {
  await standingOf(sql, { deviceId: row.device_id, accountId: row.account_id }, at);
  await sql.query(
    "update app.enrolment set state = 'started', started_at = $2 where id = $1",
    [row.id, at],
    "enrolment-start",
  );
  const subject = `enrolment/${row.id}`;
  const [actor, action] = [`enrolment:${row.id}`, "enrolment.started"];
  await record(sql, { at, actor, action, subject, corporationId, detail: { by: kind } }, newId);
}

/** What people do who have got a link or a code. None of it opens anything before they are identified. */
export function createEnrolmentVisits(deps: EnrolmentVisitsDeps): EnrolmentVisits {
  const { database, clock, newId, digest } = deps;
  const guesses = createGuessCount(clock);

  const wrong = (field: string): Error => {
    if (guesses.isSpent()) return new TooManyGuessesError();
    guesses.add();
    return new NotFoundError("enrolment", field);
  };

  const visit = async <T>(
    { kind, text }: InHand,
    work: (sql: Sql, found: Starting) => Promise<T>,
    lock: string,
  ): Promise<T> => {
    // A code can be guessed, a link cannot: who has one gets on whatever others are doing.
    if (kind === "code" && guesses.isSpent()) throw new TooManyGuessesError();
    const spelling = spellingOf(kind, text);
    if (spelling === undefined) throw wrong(kind);
    const sha256 = linkHash(kind, { spelling, digest });
    const [tenant] = await database.query<{ id: string | null }>(
      "select app.tenant_of_enrolment_link($1) as id",
      [sha256],
      "enrolment-tenant",
    );
    const corporationId = tenant?.id ?? undefined;
    if (corporationId === undefined) throw wrong(kind);
    return database.tenant(corporationId, async (sql) => {
      const at = clock();
      const [row] = await sql.query<Row>(`${FIND}${lock}`, [sha256, at]);
      // Deleted with its device since.
      if (row === undefined) throw new NotFoundError("enrolment", kind);
      return work(sql, { row, corporationId, at, kind });
    });
  };

  return {
    open: (inHand) => visit(inHand, async (_sql, { row }) => visitOf(row), ""),
    start: (inHand) =>
      visit(
        inHand,
        async (sql, starting) => {
          const { row } = starting;
          if (row.told_state !== "invited") return visitOf(row);
          await begin(sql, starting, newId);
          return visitOf({ ...row, told_state: "started" });
        },
        " for update of e",
      ),
  };
}
