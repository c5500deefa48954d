import { serialOf } from "../ca/certificate-record.ts";
import type { Identified } from "../ca/identification.ts";
import type { Clock } from "../pki/clock.ts";
import { type Serial, serialBytes } from "../pki/serial.ts";
import type { Database } from "../storage/database.ts";
import type { RenewalStart } from "./renewal-start.ts";
import { renewalTimeOf } from "./renewal-times.ts";
import type { ScriptSecrets } from "./script-secrets.ts";

export interface ScriptedRenewalDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  /** The IANA zone whose days are counted. */
  readonly timeZone: string;
  readonly renewalStart: RenewalStart;
  readonly scriptSecrets: Pick<ScriptSecrets, "give">;
}

/** Whether a certificate's time has come, and what its script goes on with. */
export interface RenewalAnswer {
  readonly isDue: boolean;
  readonly renewFrom: Date;
  /** Where it is due. */
  readonly secret?: string;
  /** A proven one that has come after it, by whatever way and in whatever place: then there is nothing to renew here. */
  readonly replacedBy?: Serial;
}

/**
 * Answers the script of a machine that has shown its certificate. When its time has come, an enrolment is made for it as for
 * whoever presses 「更新する」, and its secret is given. Throws NotRenewableError, InvalidStateError and NotAMemberError.
 */
export type AskRenewal = (identified: Identified) => Promise<RenewalAnswer>;

/** In its place, or in that of the whole device: then a machine that is put aside does not renew itself into use again. */
const PROVEN_AFTER = `select i.serial from app.binding own
  join app.binding b on b.device_id = own.device_id and b.bound_to is null join ca.issued i on i.serial = b.serial
  where own.serial = $1 and own.bound_to is null and i.state = 'good' and i.proven_at is not null
    and $1 in (select serial from ca.line_before(i.serial))
  order by i.issued_at desc limit 1`;

export function createAskRenewal(deps: ScriptedRenewalDeps): AskRenewal {
  const { database, clock, timeZone, renewalStart, scriptSecrets } = deps;
  return async (identified) => {
    const { corporation, serialNumber } = identified;
    const { renewFrom, after } = await database.tenant(corporation.id, async (sql) => {
      const time = await renewalTimeOf(sql, serialNumber, timeZone);
      const [row] = await sql.query<{ serial: Uint8Array }>(
        PROVEN_AFTER,
        [serialBytes(serialNumber)],
        "renewal-proven-after",
      );
      return { renewFrom: time.renewFrom, after: row };
    });
    if (after !== undefined) return { isDue: false, renewFrom, replacedBy: serialOf(after.serial) };
    if (renewFrom > clock()) return { isDue: false, renewFrom };
    const session = await renewalStart.goOn(await renewalStart.begin(identified));
    return { isDue: true, renewFrom, secret: await scriptSecrets.give(session) };
  };
}
