import { record } from "../audit/record.ts";
import { InvalidStateError } from "../ca/errors.ts";
import type { Clock } from "../pki/clock.ts";
import type { Digest, Random } from "../pki/crypto.ts";
import { type Serial, serialBytes } from "../pki/serial.ts";
import type { NewId } from "../pki/uuid.ts";
import { NotAMemberError } from "../registry/errors.ts";
import type { Sql } from "../storage/sql.ts";
import { giveLink } from "./enrolment-links.ts";
import { type Standing, standingOf } from "./enrolment-standing.ts";
import { openEnrolments } from "./open-enrolment.ts";

/** A certificate that is to be renewed, and the mail that says so. */
export interface Renewing {
  readonly corporationId: string;
  readonly deviceId: string;
  /** Whom the certificate names. */
  readonly accountId: string;
  readonly serialNumber: Serial;
  readonly mailId: string;
  /** Days before the end; -1 where somebody wants it at once. */
  readonly stage: number;
}

export interface RenewalCodesDeps {
  readonly clock: Clock;
  readonly newId: NewId;
  readonly random: Random;
  readonly digest: Digest;
}

/** As long as any invitation lives. */
const LIFE_MS = 14 * 24 * 60 * 60_000;

const ACTOR = "worker";

/** Of this certificate, or of the device while nobody has said for which place: what goes on in another, or on a new machine, is none of this one's. */
const OPEN = `select e.id from app.enrolment e
  where e.device_id = $1 and e.state in ('invited', 'started', 'identified', 'issued') and e.expires_at > $2
    and e.place is null and (e.replaces = $3 or e.replaces is null)
  order by e.replaces = $3 desc nulls last limit 1 for update`;

/** Only of what a reminder has made: what staff have given to a caller stays as they said. */
const PROLONG = `update app.enrolment set expires_at = greatest(expires_at, $2) where id = $1 and asked_by = 'worker'`;

const OLDER =
  "delete from app.enrolment_link where enrolment_id = $1 and kind = 'code' and stage > $2";

/** Undefined where the device cannot have a certificate of this person's any more. */
async function standing(sql: Sql, renewing: Renewing, at: Date): Promise<Standing | undefined> {
  try {
    return await standingOf(sql, renewing, at);
  } catch (error) {
    if (error instanceof InvalidStateError || error instanceof NotAMemberError) return undefined;
    throw error;
  }
}

/** The enrolment that is open for the certificate or its device, or a new one for its renewal. */
async function openFor(
  sql: Sql,
  { renewing, pharmacyId, at }: { renewing: Renewing; pharmacyId: string; at: Date },
  { newId, random }: RenewalCodesDeps,
): Promise<string> {
  const { accountId, corporationId, deviceId, serialNumber } = renewing;
  const expiresAt = new Date(at.getTime() + LIFE_MS);
  const [open] = await sql.query<{ id: string }>(
    OPEN,
    [deviceId, at, serialBytes(serialNumber)],
    "renewal-code-open",
  );
  if (open !== undefined) {
    await sql.query(PROLONG, [open.id, expiresAt], "renewal-code-prolong");
    return open.id;
  }
  const id = newId();
  const reason = "renewal";
  const opening = { id, pharmacyId, deviceId, accountId, reason, expiresAt } as const;
  const openings = [{ ...opening, replaces: serialNumber }];
  await openEnrolments(sql, { corporationId, actor: ACTOR, at, openings }, { newId, random });
  const detail = { deviceId, accountId, reason, serialNumber };
  const made = { action: "enrolment.created", subject: `enrolment/${id}`, detail };
  await record(sql, { at, actor: ACTOR, corporationId, ...made }, newId);
  return id;
}

/**
 * Gives out a code with which a device can be renewed where its button does not show: of the enrolment that is open for it,
 * or of a new one. Codes of earlier reminders open nothing any more. Undefined where the device or the person is out: support
 * has to help. In a transaction of the tenant.
 */
export async function giveRenewalCode(
  sql: Sql,
  renewing: Renewing,
  deps: RenewalCodesDeps,
): Promise<string | undefined> {
  const at = deps.clock();
  const { corporationId, deviceId, mailId, stage } = renewing;
  await sql.query("select from app.device where id = $1 for update", [deviceId], "renewal-lock");
  const found = await standing(sql, renewing, at);
  if (found === undefined) return undefined;
  const pharmacyId = found.pharmacy_id;
  const enrolmentId = await openFor(sql, { renewing, pharmacyId, at }, deps);
  await sql.query(OLDER, [enrolmentId, stage], "renewal-code-older");
  const code = await giveLink(sql, { enrolmentId, kind: "code", at, mailId, stage }, deps);
  const [action, subject] = ["enrolment.mail-written", `enrolment/${enrolmentId}`];
  await record(sql, { at, actor: ACTOR, action, subject, corporationId }, deps.newId);
  return code;
}
