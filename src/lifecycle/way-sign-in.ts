import { record } from "../audit/record.ts";
import type { Clock } from "../pki/clock.ts";
import type { Digest } from "../pki/crypto.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import type { EnrolmentState } from "./enrolment-row.ts";
import { sessionHash } from "./enrolment-session.ts";
import { identify, TOLD_STATE } from "./identifying.ts";

/** An account that has just signed in at the browser of an enrolment. */
export interface SignedIn {
  readonly accountId: string;
  readonly corporationId: string;
}

/** Being identified by the site's own sign-in. */
export interface WaySignIn {
  /**
   * `identified`: one of the accounts is whom the enrolment is for. `other`: none is, and nothing has changed. `over`: nobody
   * waits there, or nobody who may have a certificate, any more.
   */
  signedIn(
    session: string,
    accounts: readonly SignedIn[],
    amr: readonly string[],
  ): Promise<"identified" | "other" | "over">;
}

export interface WaySignInDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly digest: Digest;
}

interface Row {
  readonly id: string;
  readonly account_id: string;
  readonly told_state: EnrolmentState;
}

const FIND = `select e.id, e.account_id, ${TOLD_STATE} as told_state
  from app.enrolment e join app.account a on a.id = e.account_id left join app.device d on d.id = e.device_id
  where e.session_sha256 = $1 for update of e`;

export function createWaySignIn({ database, clock, newId, digest }: WaySignInDeps): WaySignIn {
  const tenantOf = async (sha256: Uint8Array): Promise<string | undefined> => {
    const [tenant] = await database.query<{ id: string | null }>(
      "select app.tenant_of_enrolment_session($1) as id",
      [sha256],
      "way-tenant",
    );
    return tenant?.id ?? undefined;
  };
  /** Whoever looks at the log later sees that the invitation has reached somebody else. */
  const noteOther = async (
    sql: Sql,
    id: string,
    { corporationId, accounts }: { corporationId: string; accounts: readonly SignedIn[] },
  ): Promise<void> => {
    const known = accounts.filter((account) => account.corporationId === corporationId);
    const detail = { accounts: known.map(({ accountId }) => accountId) };
    const [actor, action] = [`enrolment:${id}`, "enrolment.signed-in-as-other"] as const;
    const fact = { at: clock(), actor, action, subject: `enrolment/${id}`, corporationId, detail };
    await record(sql, fact, newId);
  };

  return {
    async signedIn(session, accounts, amr) {
      const sha256 = sessionHash(session, digest);
      const corporationId = sha256 && (await tenantOf(sha256));
      if (corporationId === undefined) return "over";
      return database.tenant(corporationId, async (sql) => {
        const at = clock();
        const [row] = await sql.query<Row>(FIND, [sha256, at]);
        if (row?.told_state !== "started") return "over";
        const { account_id: accountId, id: enrolmentId } = row;
        if (!accounts.some((account) => account.accountId === accountId)) {
          await noteOther(sql, enrolmentId, { corporationId, accounts });
          return "other";
        }
        const by = `account:${accountId}`;
        const [how, detail] = ["sign-in", { amr: [...amr] }] as const;
        await identify(sql, { enrolmentId, corporationId, at, by, how, detail }, newId);
        return "identified";
      });
    },
  };
}
