import { equal } from "../pki/bytes.ts";
import type { Clock } from "../pki/clock.ts";
import type { Digest, Random } from "../pki/crypto.ts";
import type { NewId } from "../pki/uuid.ts";
import { ConflictError, NotFoundError } from "../registry/errors.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { findLink, type LinkKind } from "./enrolment-links.ts";
import { type EnrolmentState, isOpen } from "./enrolment-row.ts";
import { beginSession, drawingNumbers, sessionHash } from "./enrolment-session.ts";
import { TooManyGuessesError } from "./errors.ts";
import { TOLD_STATE } from "./identifying.ts";
import { type Lapsed, type Offered, offerAnew } from "./offer-anew.ts";
import type { WrongGuesses } from "./wrong-guesses.ts";

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
  /** Of one whose time is over: whether a new one can be sent to the same address. */
  readonly offersAnew: boolean;
  readonly open?: {
    /** Absent while nobody has named it. */
    readonly deviceName?: string;
    readonly pharmacyName: string;
    /** As it was registered, or found when it was named. */
    readonly platform?: string;
    /** What they read out when they call. */
    readonly supportNumber: string;
    readonly expiresAt: Date;
  };
}

export interface StartedVisit extends EnrolmentVisit {
  /** The secret by which this browser goes on. Absent where there is nothing to go on with. */
  readonly session?: string;
}

export interface EnrolmentVisits {
  /** Shows it and changes nothing: mail scanners open every link. Throws NotFoundError, TooManyGuessesError. */
  open(inHand: InHand): Promise<EnrolmentVisit>;
  /**
   * Begins it: somebody has pressed 「はじめる」. Pressed again in the browser that has begun it (`session` is its secret),
   * or after its end, nothing changes; another browser begins anew, and the one before is left out. Throws also
   * InvalidStateError and NotAMemberError where the device is not to have a certificate of this person's any more.
   */
  start(inHand: InHand, session?: string): Promise<StartedVisit>;
  /**
   * Sends a new one to the account's address in place of one whose time is over. Throws NotFoundError, TooManyGuessesError,
   * and ConflictError where it offers none.
   */
  renew(inHand: InHand): Promise<Offered>;
}

export interface EnrolmentVisitsDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly random: Random;
  readonly digest: Digest;
  readonly guesses: Pick<WrongGuesses, "isSpent" | "note">;
}

interface Row {
  readonly id: string;
  readonly device_id: string | null;
  readonly pharmacy_id: string;
  readonly account_id: string;
  readonly told_state: EnrolmentState;
  readonly begun: number;
  readonly session_sha256: Uint8Array | null;
  readonly replaced_by: string | null;
  readonly offers_anew: boolean;
  readonly support_number: string;
  readonly expires_at: Date;
  readonly device_name: string | null;
  readonly pharmacy_name: string;
  readonly platform: string | null;
}

const FIND = `select e.id, e.device_id, e.pharmacy_id, e.account_id, ${TOLD_STATE} as told_state, e.begun, e.session_sha256, e.replaced_by,
    app.enrolment_offers_anew(e, $2) as offers_anew, e.support_number,
    e.expires_at, coalesce(d.name, e.device_name) as device_name, coalesce(d.platform, e.device_platform) as platform, p.name as pharmacy_name
  from app.enrolment_link l
  join app.enrolment e on e.id = l.enrolment_id
  join app.account a on a.id = e.account_id
  left join app.device d on d.id = e.device_id
  join app.pharmacy p on p.id = e.pharmacy_id
  where l.sha256 = $1`;

/** The mail in which it stands has led somebody here. */
const BEGAN = "update app.enrolment_link set began_at = coalesce(began_at, $2) where sha256 = $1";

function visitOf(row: Row): EnrolmentVisit {
  const state = row.told_state;
  return {
    state,
    isReplaced: row.replaced_by !== null,
    offersAnew: row.offers_anew,
    ...(isOpen(state) && {
      open: {
        ...(row.device_name !== null && { deviceName: row.device_name }),
        pharmacyName: row.pharmacy_name,
        ...(row.platform !== null && { platform: row.platform }),
        supportNumber: row.support_number,
        expiresAt: row.expires_at,
      },
    }),
  };
}

/** Whether the browser with this session has begun it. */
function isOf({ session_sha256: own }: Row, session: Uint8Array | undefined): boolean {
  return own !== null && session !== undefined && equal(own, session);
}

interface Found {
  readonly row: Row;
  /** By which the link or code is kept. */
  readonly sha256: Uint8Array;
  readonly corporationId: string;
  readonly at: Date;
}

/** A new one in place of one whose time is over. */
async function renewed(sql: Sql, lapsed: Lapsed, deps: EnrolmentVisitsDeps): Promise<Offered> {
  const offered = await offerAnew(sql, lapsed, deps);
  if (offered === undefined) throw new ConflictError("a new one is not offered");
  return offered;
}

/** What people do who have got a link or a code. None of it opens anything before they are identified. */
export function createEnrolmentVisits(deps: EnrolmentVisitsDeps): EnrolmentVisits {
  const { database, clock, digest, guesses } = deps;

  const wrong = async (kind: LinkKind): Promise<Error> => {
    const isSpent = guesses.isSpent();
    await guesses.note(kind);
    return isSpent ? new TooManyGuessesError() : new NotFoundError("enrolment", kind);
  };

  const visit = async <T>(
    { kind, text }: InHand,
    work: (sql: Sql, found: Found) => Promise<T>,
    lock: string,
  ): Promise<T> => {
    // A code can be guessed, a link cannot: who has one gets on whatever others are doing.
    if (kind === "code" && guesses.isSpent()) throw await wrong(kind);
    const found = await findLink(deps, kind, text);
    if (found === undefined) throw await wrong(kind);
    const { sha256, corporationId } = found;
    return database.tenant(corporationId, async (sql) => {
      const at = clock();
      const [row] = await sql.query<Row>(`${FIND}${lock}`, [sha256, at]);
      // Deleted with its device since.
      if (row === undefined) throw new NotFoundError("enrolment", kind);
      return work(sql, { row, corporationId, at, sha256 });
    });
  };

  const start = (inHand: InHand, session = ""): Promise<StartedVisit> =>
    visit(
      inHand,
      async (sql, { row, corporationId, at, sha256 }) => {
        if (!isOpen(row.told_state)) return visitOf(row);
        if (isOf(row, sessionHash(session, digest))) return { ...visitOf(row), session };
        const { id: enrolmentId, begun, device_id: deviceId, account_id: accountId } = row;
        const of = { enrolmentId, deviceId, pharmacyId: row.pharmacy_id, accountId };
        const beginning = { ...of, corporationId, begun, kind: inHand.kind, at };
        const secret = await beginSession(sql, beginning, deps);
        await sql.query(BEGAN, [sha256, at], "enrolment-link-began");
        return { ...visitOf({ ...row, told_state: "started" }), session: secret };
      },
      " for update of e",
    );

  return {
    open: (inHand) => visit(inHand, async (_sql, { row }) => visitOf(row), ""),
    renew: (inHand) =>
      visit(
        inHand,
        (sql, { row, corporationId, at }) =>
          renewed(sql, { enrolmentId: row.id, corporationId, at }, deps),
        "",
      ),
    start: (inHand, session) => drawingNumbers(() => start(inHand, session)),
  };
}
