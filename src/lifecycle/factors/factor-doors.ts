import { record } from "../../audit/record.ts";
import { toHex, utf8Bytes } from "../../pki/bytes.ts";
import type { Clock } from "../../pki/clock.ts";
import type { Digest, Random } from "../../pki/crypto.ts";
import type { NewId } from "../../pki/uuid.ts";
import type { Database } from "../../storage/database.ts";
import type { Sql } from "../../storage/sql.ts";
import { sessionHash } from "../enrolment-session.ts";
import { FACTOR_HOW, type FactorHow } from "./factor-rows.ts";

/** A person who has signed in with the site's own provider. */
export interface SignedIn {
  readonly corporationId: string;
  readonly accountId: string;
  readonly authenticatedAt: Date;
}

/** By what a browser may begin: the link of a mail, the way that it has just gone to its end, or a sign-in. */
export interface FactorOccasion {
  readonly token?: string | undefined;
  /** The secret of the session of the way. */
  readonly way?: string | undefined;
  readonly person?: SignedIn | undefined;
}

export interface FactorDoorsDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly random: Random;
  readonly digest: Digest;
}

const LIFE_MS = 30 * 60_000;
/** Who has just signed in is still the one who did. */
const SIGN_IN_MS = 10 * 60_000;
/** Who has just proven a certificate is still at the same browser. */
const PROOF_MS = 60 * 60_000;

/** 128 bits. */
const SECRET = /^[0-9a-f]{32}$/;

/** By what the token of a link is kept and found. */
export function factorLinkHash(token: string, digest: Digest): Uint8Array | undefined {
  const plain = token.toLowerCase();
  return SECRET.test(plain) ? digest("sha256", utf8Bytes(`factor-link:${plain}`)) : undefined;
}

/** By what the session of a browser is kept and found. */
export function factorSessionHash(secret: string, digest: Digest): Uint8Array | undefined {
  return SECRET.test(secret) ? digest("sha256", utf8Bytes(`factor-session:${secret}`)) : undefined;
}

/** Somebody who may begin, and why. */
interface Holder {
  readonly corporationId: string;
  readonly accountId: string;
  readonly how: FactorHow;
  readonly by: string;
}

interface HolderRow {
  readonly account_id: string;
  readonly how: FactorHow;
  readonly by: string;
}

const INVITED = `select i.account_id, i.how, i.asked_by as by from app.factor_link l
  join app.factor_invitation i on i.id = l.invitation_id
  join app.account a on a.id = i.account_id and a.disabled_at is null
  where l.sha256 = $1 and i.used_at is null and i.expires_at > $2`;

const TAKE = `with taken as (update app.factor_invitation i set used_at = $2 from app.factor_link l
    where l.sha256 = $1 and i.id = l.invitation_id and i.used_at is null and i.expires_at > $2 returning i.*)
  select t.account_id, t.how, t.asked_by as by from taken t join app.account a on a.id = t.account_id and a.disabled_at is null`;

/** Not by a code to the mailbox, and not by the certificate of a counter's PC, which says nothing of the person. */
const PROVEN = `select e.account_id, e.identified_how as how, e.identified_by as by from app.enrolment e
  join app.account a on a.id = e.account_id and a.disabled_at is null
  where e.session_sha256 = $1 and e.state = 'proven' and e.ended_at > $2 and e.identified_how = any($3)`;

/** Who may begin by this occasion. What is used up by it is used up in the same transaction. */
export class FactorDoors {
  readonly #deps: FactorDoorsDeps;

  constructor(deps: FactorDoorsDeps) {
    this.#deps = deps;
  }

  /** Whether the link is one to begin with. It changes nothing. */
  async isOpen(token: string): Promise<boolean> {
    const { clock, database, digest } = this.#deps;
    const sha256 = factorLinkHash(token, digest);
    const corporationId = sha256 && (await this.#tenantOfLink(sha256));
    if (corporationId === undefined) return false;
    return database.tenant(
      corporationId,
      async (sql) => (await sql.query(INVITED, [sha256, clock()], "factor-open")).length > 0,
    );
  }

  async #tenantOfLink(sha256: Uint8Array): Promise<string | undefined> {
    return this.#tenant("select app.tenant_of_factor_link($1) as id", sha256, "factor-link-tenant");
  }

  /** The session of whoever may begin. */
  async enter({ person, token, way }: FactorOccasion): Promise<string | undefined> {
    if (token !== undefined) return this.#byLink(token);
    const signedIn = person && (await this.#bySignIn(person));
    if (signedIn !== undefined || way === undefined) return signedIn;
    return this.#byWay(way);
  }

  async #byLink(token: string): Promise<string | undefined> {
    const sha256 = factorLinkHash(token, this.#deps.digest);
    const corporationId = sha256 && (await this.#tenantOfLink(sha256));
    if (corporationId === undefined) return undefined;
    return this.#in(corporationId, (sql, at) =>
      sql.query<HolderRow>(TAKE, [sha256, at], "factor-take"),
    );
  }

  async #byWay(secret: string): Promise<string | undefined> {
    const sha256 = sessionHash(secret, this.#deps.digest);
    if (sha256 === undefined) return undefined;
    const text = "select app.tenant_of_enrolment_session($1) as id";
    const corporationId = await this.#tenant(text, sha256, "way-tenant");
    if (corporationId === undefined) return undefined;
    return this.#in(corporationId, (sql, at) =>
      sql.query<HolderRow>(
        PROVEN,
        [sha256, new Date(at.getTime() - PROOF_MS), FACTOR_HOW],
        "factor-proven",
      ),
    );
  }

  #bySignIn({ accountId, authenticatedAt, corporationId }: SignedIn): Promise<string | undefined> {
    return this.#in(corporationId, async (sql, at) => {
      if (at.getTime() - authenticatedAt.getTime() > SIGN_IN_MS) return [];
      return sql.query<HolderRow>(
        `select id as account_id, 'sign-in' as how, 'account:' || id as by from app.account
         where id = $1 and disabled_at is null`,
        [accountId],
        "factor-signed-in",
      );
    });
  }

  async #tenant(text: string, sha256: Uint8Array, name: string): Promise<string | undefined> {
    const [row] = await this.#deps.database.query<{ id: string | null }>(text, [sha256], name);
    return row?.id ?? undefined;
  }

  #in(
    corporationId: string,
    find: (sql: Sql, at: Date) => Promise<readonly HolderRow[]>,
  ): Promise<string | undefined> {
    const { clock, database } = this.#deps;
    return database.tenant(corporationId, async (sql) => {
      const at = clock();
      const [row] = await find(sql, at);
      if (row === undefined) return undefined;
      const { account_id: accountId, by, how } = row;
      return this.#open(sql, { corporationId, accountId, by, how }, at);
    });
  }

  async #open(sql: Sql, holder: Holder, at: Date): Promise<string> {
    const { digest, newId, random } = this.#deps;
    const { accountId, by, corporationId, how } = holder;
    const secret = toHex(random(16));
    await sql.query(
      `insert into app.factor_session (session_sha256, corporation_id, account_id, how, by, created_at, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7)`,
      [
        factorSessionHash(secret, digest),
        corporationId,
        accountId,
        how,
        by,
        at,
        new Date(at.getTime() + LIFE_MS),
      ],
      "factor-begin",
    );
    const [actor, subject] = [`account:${accountId}`, `account/${accountId}`];
    const fact = { at, actor, action: "second-factor.begun", subject, corporationId };
    await record(sql, { ...fact, detail: { how } }, newId);
    return secret;
  }
}
