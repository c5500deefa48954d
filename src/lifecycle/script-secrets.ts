import { record } from "../audit/record.ts";
import { toHex } from "../pki/bytes.ts";
import type { Clock } from "../pki/clock.ts";
import type { Digest, Random } from "../pki/crypto.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Database } from "../storage/database.ts";
import { findLink, linkHash } from "./enrolment-links.ts";
import { type Tenanted, tenantOfSession } from "./enrolment-session.ts";
import { NotIdentifiedError, ScriptSpentError } from "./errors.ts";
import type { WrongGuesses } from "./wrong-guesses.ts";

export interface ScriptSecretsDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly random: Random;
  readonly digest: Digest;
  readonly guesses: Pick<WrongGuesses, "note">;
}

/** What a script's secret has led to, and what gives it back where nothing came of it. */
interface Taken {
  readonly way: Tenanted;
  readonly giveBack: () => Promise<void>;
}

/** The secrets of scripts that put a certificate onto a Windows machine: each is for one certificate of one enrolment. */
export interface ScriptSecrets {
  /**
   * For the enrolment of this browser, in place of what was given before. Nobody has kept it. Throws NoSessionError, and
   * NotIdentifiedError where there is nothing to be made, and for a machine of an emergency: that is done in a browser, and
   * not renewed.
   */
  give(session: string): Promise<string>;
  /** Takes it from where it lies: of two at once one has it. Throws ScriptSpentError. */
  take(secret: string): Promise<Taken>;
}

/** 128 bits. */
const SECRET_OCTETS = 16;

/** Long enough to carry a file to another machine's desk and to find out how scripts are run there. */
const LIFE_MS = 60 * 60_000;

const FIND = `select e.id, app.enrolment_state(e, $2) as state,
    (e.device_id is not null or e.device_name is not null) and not exists (select from app.emergency x where x.enrolment_id = e.id) as may
  from app.enrolment e where e.session_sha256 = $1 for update of e`;

const FORGET = "delete from app.enrolment_link where enrolment_id = $1 and kind = 'script'";

const KEEP = `insert into app.enrolment_link (sha256, kind, corporation_id, enrolment_id, created_at) values ($1, 'script', $2, $3, $4)`;

/** Not to another browser that has begun meanwhile, nor beside a newer one. */
const KEEP_AGAIN = `insert into app.enrolment_link (sha256, kind, corporation_id, enrolment_id, created_at)
  select $1, 'script', e.corporation_id, e.id, $2 from app.enrolment e where e.id = $3 and e.session_sha256 = $4 for update of e
  on conflict do nothing`;

const TAKE = `with taken as (delete from app.enrolment_link where sha256 = $1 and kind = 'script' returning enrolment_id, created_at)
  select e.id, e.session_sha256, taken.created_at from taken join app.enrolment e on e.id = taken.enrolment_id
  where taken.created_at > $2 and e.session_sha256 is not null`;

interface TakenRow {
  readonly id: string;
  readonly session_sha256: Uint8Array;
  readonly created_at: Date;
}

export function createScriptSecrets(deps: ScriptSecretsDeps): ScriptSecrets {
  const { database, clock, newId, random, digest, guesses } = deps;
  const unknown = async (): Promise<Error> => {
    await guesses.note("script");
    return new ScriptSpentError();
  };
  return {
    async give(session) {
      const { sha256, corporationId } = await tenantOfSession(deps, session);
      const secret = toHex(random(SECRET_OCTETS));
      await database.tenant(corporationId, async (sql) => {
        const at = clock();
        const [row] = await sql.query<{ id: string; state: string; may: boolean }>(
          FIND,
          [sha256, at],
          "script-find",
        );
        const isIdentified = row?.state === "identified" || row?.state === "issued";
        if (row === undefined || !isIdentified || !row.may)
          throw new NotIdentifiedError(row?.state ?? "another browser's");
        await sql.query(FORGET, [row.id], "script-forget");
        const hash = linkHash("script", { spelling: secret, digest });
        await sql.query(KEEP, [hash, corporationId, row.id, at], "script-keep");
        const [actor, action] = [`enrolment:${row.id}`, "enrolment.script-given"] as const;
        const subject = `enrolment/${row.id}`;
        await record(sql, { at, actor, action, subject, corporationId }, newId);
      });
      return secret;
    },

    async take(secret) {
      const found = await findLink(deps, "script", secret);
      if (found === undefined) throw await unknown();
      const { sha256: hash, corporationId } = found;
      const [row] = await database.tenant(corporationId, (sql) =>
        sql.query<TakenRow>(TAKE, [hash, new Date(clock().getTime() - LIFE_MS)], "script-take"),
      );
      if (row === undefined) throw new ScriptSpentError();
      return {
        way: { sha256: row.session_sha256, corporationId },
        async giveBack() {
          const { created_at: at, id, session_sha256: session } = row;
          await database.tenant(corporationId, (sql) =>
            sql.query(KEEP_AGAIN, [hash, at, id, session], "script-back"),
          );
        },
      };
    },
  };
}
