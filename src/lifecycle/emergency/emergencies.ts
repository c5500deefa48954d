import { record } from "../../audit/record.ts";
import type { Platform } from "../../registry/vocabulary.ts";
import type { Database } from "../../storage/database.ts";
import type { Sql } from "../../storage/sql.ts";
import type { SignedIn } from "../factors/factor-doors.ts";
import {
  type FactorPerson,
  type FactorVerdict,
  judgeAuthenticator,
  judgePasskey,
  readFactors,
  readPasskeys,
} from "../factors/factor-rows.ts";
import { useChallenge } from "../factors/passkeys.ts";
import { NotIdentifiedError } from "../errors.ts";
import { type EmergencyDeps, visitFact, type Visiting, visitsOf } from "./emergency-row.ts";
import { beginByAddress, beginSignedIn, judgeEmergencyCode } from "./first-factor.ts";
import { beginStandIn, type EmergencyPharmacy, readPharmacies } from "./stand-in.ts";

/** How far a browser is. */
export interface EmergencyVisit {
  readonly hasFirst: boolean;
  readonly hasSecond: boolean;
  /** Nothing of a person is told before the first factor. */
  readonly person?: {
    readonly hasApp: boolean;
    readonly hasPasskey: boolean;
    /** After wrong codes of the app. */
    readonly lockedUntil?: Date;
    /** Where the person may; with their machines only after the second factor. */
    readonly pharmacies: readonly EmergencyPharmacy[];
  };
}

/**
 * A machine that stands in for one that failed, on a night without support. `session` is a browser's secret, and all that
 * takes one throws NoSessionError.
 */
export interface Emergencies {
  /** A code goes to the address, if it is one person's own. The answer is the same whichever it is. */
  begin(address: string): Promise<string>;
  /** The site's own sign-in instead, if it was a moment ago. */
  beginSignedIn(person: SignedIn): Promise<string | undefined>;
  look(session: string): Promise<EmergencyVisit>;
  /** Whether the mailed code is right. */
  enterCode(session: string, text: string): Promise<boolean>;
  /** Throws NotIdentifiedError before the first factor, as the two after it do. */
  enterAppCode(session: string, text: string): Promise<FactorVerdict>;
  passkeyOptions(session: string): Promise<object>;
  showPasskey(session: string, answer: unknown): Promise<FactorVerdict>;
  /**
   * Makes this machine stand in for that device. Returns the secret of the way (`Ways`). Throws NotIdentifiedError before
   * the second factor, NotFoundError, EmergenciesUsedUpError.
   */
  standIn(
    session: string,
    wanted: { readonly deviceId: string; readonly platform: Platform },
  ): Promise<string>;
}

function demandFirst({ row }: Visiting): void {
  if (row.first_how === null) throw new NotIdentifiedError("not begun");
}

async function look(visiting: Visiting, deps: EmergencyDeps): Promise<EmergencyVisit> {
  const { at, row, sql } = visiting;
  const [hasFirst, hasSecond] = [row.first_how !== null, row.second_how !== null];
  if (!hasFirst) return { hasFirst, hasSecond };
  const factors = await readFactors(sql, row.account_id, at);
  const app = factors.find(({ kind }) => kind === "authenticator");
  const pharmacies = await readPharmacies(visiting, deps);
  const withoutDevices = pharmacies.map(({ id, left, name }) => ({ id, left, name, devices: [] }));
  return {
    hasFirst,
    hasSecond,
    person: {
      hasApp: app !== undefined,
      hasPasskey: factors.some(({ kind }) => kind === "passkey"),
      ...(app?.lockedUntil !== undefined && { lockedUntil: app.lockedUntil }),
      pharmacies: hasSecond ? pharmacies : withoutDevices,
    },
  };
}

/** Notes the second factor where it was right. */
async function second(
  visiting: Visiting,
  { kind, verdict }: { kind: "authenticator" | "passkey"; verdict: FactorVerdict },
  { newId }: EmergencyDeps,
): Promise<FactorVerdict> {
  if (verdict !== "right") return verdict;
  const { at, row, sql } = visiting;
  await sql.query(
    "update app.emergency_visit set second_how = $2, second_at = $3, challenge = null where id = $1",
    [row.id, kind, at],
    "emergency-second",
  );
  const fact = { ...visitFact(visiting), action: "emergency.second-factor", detail: { kind } };
  await record(sql, fact, newId);
  return verdict;
}

const personOf = ({ at, corporationId, row }: Visiting): FactorPerson => ({
  at,
  corporationId,
  accountId: row.account_id,
});

const keep = ({ row, sql }: Visiting, challenge: string | null): Promise<unknown> =>
  sql.query(
    "update app.emergency_visit set challenge = $2 where id = $1",
    [row.id, challenge],
    "emergency-challenge",
  );

export function createEmergencies(deps: EmergencyDeps): Emergencies {
  const visit = visitsOf(deps);
  return {
    begin: (address) => beginByAddress(deps, address),
    beginSignedIn: (signedIn) => beginSignedIn(deps, signedIn),
    look: (session) => visit(session, (visiting) => look(visiting, deps)),
    enterCode: (session, text) =>
      visit(session, (visiting) => judgeEmergencyCode({ ...visiting, text }, deps)),
    enterAppCode: (session, text) =>
      visit(session, async (visiting) => {
        demandFirst(visiting);
        // Pressed twice: the code is right once only, and whoever is through has not guessed.
        if (visiting.row.second_how !== null) return "right";
        const judged = { ...personOf(visiting), text };
        const verdict = await judgeAuthenticator(visiting.sql, judged, deps);
        return second(visiting, { kind: "authenticator", verdict }, deps);
      }),
    passkeyOptions: (session) =>
      visit(session, async (visiting) => {
        demandFirst(visiting);
        const passkeys = await readPasskeys(visiting.sql, visiting.row.account_id);
        const { challenge, options } = await useChallenge(deps.site, passkeys);
        await keep(visiting, challenge);
        return options;
      }),
    showPasskey: (session, answer) =>
      visit(session, async (visiting) => {
        demandFirst(visiting);
        const { challenge } = visiting.row;
        if (challenge === null) return "none";
        // Each is for one answer, whatever it is.
        await keep(visiting, null);
        const judged = { ...personOf(visiting), answer, challenge };
        const verdict = await judgePasskey(visiting.sql, judged, deps);
        return second(visiting, { kind: "passkey", verdict }, deps);
      }),
    standIn: (session, wanted) =>
      visit(session, (visiting) => {
        demandFirst(visiting);
        if (visiting.row.second_how === null) throw new NotIdentifiedError("half identified");
        return beginStandIn(visiting, wanted, deps);
      }),
  };
}

export interface EmergencyEndDeps {
  /** As suido_app. */
  readonly database: Database;
  /** As suido_worker. */
  readonly worker: Database;
  readonly clock: EmergencyDeps["clock"];
  readonly newId: EmergencyDeps["newId"];
}

const RETIRE = `update app.device d set retired_at = $1, updated_at = $1
  where d.retired_at is null and exists (select from app.emergency x where x.device_id = d.id)
    and not exists (select from app.enrolment e where e.device_id = d.id and e.state in ('invited', 'started', 'identified', 'issued') and e.expires_at > $1)
    and not exists (select from app.binding b join ca.issued i on i.serial = b.serial
      where b.device_id = d.id and i.state in ('reserved', 'good', 'hold') and i.not_after >= $1)
  returning d.id`;

/**
 * Retires the devices that stand in for others no longer, each with its audit row and event. Their certificates have ended
 * by themselves before: nobody waits for this. Returns how many; safe to repeat.
 */
export async function retireStandIns({
  clock,
  database,
  newId,
  worker,
}: EmergencyEndDeps): Promise<number> {
  const at = clock();
  const tenants = await worker.query<{ id: string }>(
    "select t.id from app.tenants_with_ended_emergencies($1) as t(id)",
    [at],
  );
  let retired = 0;
  for (const { id: corporationId } of tenants)
    retired += await database.tenant(corporationId, async (sql: Sql) => {
      const rows = await sql.query<{ id: string }>(RETIRE, [at], "emergency-retire");
      for (const { id } of rows) {
        const fact = { at, actor: "worker", action: "device.retired", subject: `device/${id}` };
        await record(sql, { ...fact, corporationId, detail: { emergency: true } }, newId);
      }
      return rows.length;
    });
  return retired;
}

/** What happened is in the audit log: a visit that is over is of no more use after a day. `database` as suido_worker. */
export async function forgetEmergencyVisits(
  database: Pick<Database, "query">,
  now: Date,
): Promise<void> {
  const before = new Date(now.getTime() - 24 * 60 * 60_000);
  await database.query("select app.forget_emergency_visits($1)", [before]);
}
