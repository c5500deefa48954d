import type { Clock } from "../pki/clock.ts";
import { type RevocationReason, reasonName } from "../pki/revocation-reason.ts";
import { type Serial, serialBytes } from "../pki/serial.ts";
import type { Principal } from "../registry/principal.ts";
import type { PartyUse, Stage } from "../registry/vocabulary.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { tenantOfSerial } from "./certificate-tenant.ts";
import { CertificateStateError } from "./errors.ts";
import { URGENT_REASONS } from "./list-publishing.ts";

/** How soon every process of Suido has a change in memory, in milliseconds. */
const AT_ONCE_MS = 1_000;

/** The longest that an OCSP answer given out before is believed: to its nextUpdate, and a proxy's five minutes of tolerance. */
const OCSP_MS = 10 * 60_000;

/** From an urgent revocation to a file in force: a minute for the list, one for fetching, one between reloads, and time to spare. */
const URGENT_FILE_MS = 5 * 60_000;

/** The same for a reason that waits for the hourly list. */
const HOURLY_FILE_MS = 65 * 60_000;

/** How one relying party stands to one revocation. */
export interface PartyPropagation {
  readonly id: string;
  readonly name: string;
  readonly product: string;
  readonly uses: readonly PartyUse[];
  readonly enforced: boolean;
  /** Since when, or from when on. Absent while nobody can say. */
  readonly since?: Date;
  /** When it should be enforced at the latest, while it is not. */
  readonly expectedBy?: Date;
  /** Not enforced although it should be by now. */
  readonly lagging: boolean;
  readonly because: string;
  readonly lastSeenAt?: Date;
}

/** First and last use of a certificate at a relying party, to the hour. */
export interface PartyUsage {
  readonly relyingPartyId: string;
  readonly name: string;
  readonly firstAt: Date;
  readonly lastAt: Date;
}

export interface Propagation {
  readonly serialNumber: Serial;
  readonly status: "hold" | "revoked";
  readonly reason: RevocationReason;
  readonly revokedAt: Date;
  /** Whether every registered party enforces it. False where none is registered: nobody would know. */
  readonly everywhere: boolean;
  /** Since when the last of them does. */
  readonly since?: Date;
  readonly parties: readonly PartyPropagation[];
  readonly usage: readonly PartyUsage[];
}

export interface PropagationDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
}

/** Who refuses a certificate that was stopped. Throws NotFoundError; CertificateStateError for one that is alive. */
export type Propagate = (principal: Principal, serial: Serial) => Promise<Propagation>;

interface Stopped {
  /** Whose list says so. */
  readonly issuer_id: string;
  readonly state: "hold" | "revoked";
  readonly reason: number;
  readonly revoked_at: Date | null;
  /** The change that stopped it: the first one after the last release. */
  readonly seq: string | null;
  readonly at: Date | null;
}

/** What stopped it: its own revocation or hold, else that of its CA, which is on the root's list. */
const STOPPED = `with asked as (select serial, issuer_id, state from ca.issued where serial = $1 and der is not null),
  stopped as (
    select serial, false as with_ca from asked where state <> 'good'
    union all
    select above.serial, true from asked join ca.issuer above on above.id = asked.issuer_id where asked.state = 'good'
  )
  select i.issuer_id, i.state, case when with_ca then 2 else i.reason end as reason, i.revoked_at, c.seq, c.at
  from stopped join ca.issued i on i.serial = stopped.serial and i.state in ('hold', 'revoked')
  left join lateral (
    select c.seq, c.at from ca.change c where c.serial = i.serial and c.kind in ('revoke', 'hold')
      and c.seq > coalesce((select max(u.seq) from ca.change u where u.serial = i.serial and u.kind = 'unhold'), 0)
    order by c.seq limit 1
  ) c on true`;

interface PartyRow {
  readonly id: string;
  readonly name: string;
  readonly product: string;
  readonly uses: readonly PartyUse[];
  readonly session_seconds: number;
  readonly last_seen_at: Date | null;
  /** When a list that knows the change was first in force there. */
  readonly acknowledged_at: Date | null;
  /** Whether the list that is in force there now knows it. */
  readonly holds: boolean;
  /** How strictly its product demands certificates at the certificate's pharmacy; null where that says nothing. */
  readonly stage: Stage | null;
  readonly stage_from: Date | null;
  readonly default_stage: Stage;
}

const PARTIES = `select p.id, p.name, p.product, p.uses, p.session_seconds, p.last_seen_at,
    (select min(a.at) from party.acknowledged_list a where a.relying_party_id = p.id and a.issuer_id = $1 and a.watermark >= $2) as acknowledged_at,
    exists (select from party.acknowledged_list a where a.relying_party_id = p.id and a.issuer_id = $1 and a.current and a.watermark >= $2) as holds,
    p.default_stage, word.stage, word.effective_from as stage_from
  from party.relying_party p
  left join lateral (
    select b.pharmacy_id, b.corporation_id from app.binding b where b.serial = $3 order by b.bound_to desc nulls first limit 1
  ) bound on true
  left join lateral (
    select s.stage, s.effective_from from app.stage s
    where s.state = 'in-force' and s.effective_from <= $4 and s.product = p.product and s.corporation_id = bound.corporation_id
      and (s.pharmacy_id is null or s.pharmacy_id = bound.pharmacy_id)
    order by s.pharmacy_id is null, s.effective_from desc, s.created_at desc, s.id desc limit 1
  ) word on true
  where p.retired_at is null order by p.name`;

/** When one way of knowing begins to refuse, and why then; `from` is absent where that is not known yet. */
interface Knowing {
  readonly from?: Date;
  readonly because: string;
}

const later = (at: Date, milliseconds: number): Date => new Date(at.getTime() + milliseconds);

/** Who asks at each request refuses where certificates are demanded, and since they are. */
function knowingByAuthorize(party: PartyRow, stoppedAt: Date): Knowing {
  const stage = party.stage ?? party.default_stage;
  if (stage !== "enforce") return { because: `its stage there is ${stage}, which refuses nobody` };
  const since = Math.max(stoppedAt.getTime(), party.stage_from?.getTime() ?? 0);
  return { from: later(new Date(since), AT_ONCE_MS), because: "it asks at each request" };
}

function knowingBy(use: PartyUse, party: PartyRow, stoppedAt: Date): Knowing {
  const sessionMs = party.session_seconds * 1000;
  const sessions =
    sessionMs === 0 ? "" : `, and sessions from before live ${party.session_seconds} s`;
  switch (use) {
    case "authorize":
      return knowingByAuthorize(party, stoppedAt);
    case "ocsp":
      return {
        from: later(stoppedAt, OCSP_MS + sessionMs),
        because: `an answer that was given out before is believed for ten minutes${sessions}`,
      };
    case "file":
      if (!party.holds || party.acknowledged_at === null)
        return { because: "it has not acknowledged a list that knows of it" };
      return {
        from: later(party.acknowledged_at, sessionMs),
        because: `it acknowledged a list that knows of it${sessions}`,
      };
  }
}

/** A certificate is refused as soon as one of a party's ways of knowing refuses it. */
function earliest(ways: readonly Knowing[]): Knowing {
  const known = ways.filter(({ from }) => from !== undefined);
  if (known.length === 0) return { because: ways.map(({ because }) => because).join("; ") };
  return known.reduce((first, one) => ((one.from ?? 0) < (first.from ?? 0) ? one : first));
}

function standingOf(
  party: PartyRow,
  { now, row, stoppedAt }: { readonly now: Date; readonly row: Stopped; readonly stoppedAt: Date },
): PartyPropagation {
  const { because, from } = earliest(party.uses.map((use) => knowingBy(use, party, stoppedAt)));
  const fileMs = URGENT_REASONS.includes(row.reason) ? URGENT_FILE_MS : HOURLY_FILE_MS;
  // A stage that lets everybody through is nobody's delay.
  const expectedBy =
    from ??
    (party.uses.includes("file")
      ? later(stoppedAt, fileMs + party.session_seconds * 1000)
      : undefined);
  const enforced = from !== undefined && from <= now;
  const { id, last_seen_at: lastSeenAt, name, product, uses } = party;
  return {
    id,
    name,
    product,
    uses,
    enforced,
    ...(from !== undefined && { since: from }),
    ...(!enforced && expectedBy !== undefined && { expectedBy }),
    lagging: !enforced && expectedBy !== undefined && expectedBy < now,
    because,
    ...(lastSeenAt !== null && { lastSeenAt }),
  };
}

async function readUsage(sql: Sql, serial: Serial): Promise<readonly PartyUsage[]> {
  return sql.query<PartyUsage>(
    `select u.relying_party_id as "relyingPartyId", p.name, u.first_at as "firstAt", u.last_at as "lastAt"
     from party.use u join party.relying_party p on p.id = u.relying_party_id where u.serial = $1 order by p.name`,
    [serialBytes(serial)],
  );
}

export function createPropagate({ clock, database }: PropagationDeps): Propagate {
  return async (principal, serialNumber) => {
    const corporationId = await tenantOfSerial(database, principal, serialNumber);
    const now = clock();
    const [row] = await database.query<Stopped>(STOPPED, [serialBytes(serialNumber)]);
    if (row?.seq == null || row.at === null)
      throw new CertificateStateError("the certificate is neither revoked nor on hold");
    const { issuer_id, reason, seq, state: status, at: stoppedAt } = row;
    const serial = serialBytes(serialNumber);
    // Stages are its corporation's.
    const rows = await database.tenant(corporationId, (sql) =>
      sql.query<PartyRow>(PARTIES, [issuer_id, seq, serial, now]),
    );
    const parties = rows.map((party) => standingOf(party, { now, row, stoppedAt }));
    const everywhere = parties.length > 0 && parties.every(({ enforced }) => enforced);
    const last = Math.max(...parties.map(({ since }) => since?.getTime() ?? 0));
    return {
      serialNumber,
      status,
      reason: reasonName(reason) ?? "unspecified",
      revokedAt: row.revoked_at ?? stoppedAt,
      everywhere,
      ...(everywhere && { since: new Date(last) }),
      parties,
      usage: await readUsage(database, serialNumber),
    };
  };
}
