import { record } from "../../audit/record.ts";
import type { Clock } from "../../pki/clock.ts";
import type { NewId } from "../../pki/uuid.ts";
import { ConflictError, NotFoundError } from "../../registry/errors.ts";
import { createOnce, type IdempotentRequest } from "../../registry/idempotency.ts";
import { canonicalId, canonicalUuid, type Principal, tenantOf } from "../../registry/principal.ts";
import type { Database } from "../../storage/database.ts";
import type { Sql } from "../../storage/sql.ts";
import type { ConfirmedHow } from "../enrolment-row.ts";
import { removeFactor } from "./factor-changes.ts";
import { readFactors, type SecondFactor } from "./factor-rows.ts";

/** Somebody whom support has identified may add a factor, with the link that is on its way to their own mailbox. */
export interface FactorInvitation {
  readonly id: string;
  readonly accountId: string;
  readonly how: ConfirmedHow;
  readonly createdAt: Date;
  readonly expiresAt: Date;
}

/** What support does with the factors of people. */
export interface SecondFactors {
  /** Throws NotFoundError. */
  list(
    principal: Principal,
    accountId: string,
  ): Promise<{ readonly items: readonly SecondFactor[] }>;
  /** The person is told by mail. Throws NotFoundError. */
  remove(principal: Principal, accountId: string, factorId: string): Promise<void>;
  /**
   * Says that the person was identified, and mails them a link to add a factor with. Throws NotFoundError, and ConflictError
   * where the account is disabled or has no address of its own.
   */
  invite(
    principal: Principal,
    accountId: string,
    inviting: { readonly how: ConfirmedHow; readonly idempotency?: IdempotentRequest | undefined },
  ): Promise<FactorInvitation>;
}

export interface SecondFactorsDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: NewId;
}

/** Who is on the telephone begins at once. */
const LIFE_MS = 60 * 60_000;

interface Inviting {
  readonly id: string;
  readonly corporationId: string;
  readonly accountId: string;
  readonly how: ConfirmedHow;
  readonly actor: string;
  readonly at: Date;
}

async function invite(sql: Sql, inviting: Inviting, newId: NewId): Promise<FactorInvitation> {
  const { accountId, actor, at, corporationId, how, id } = inviting;
  const [account] = await sql.query<{ is_disabled: boolean }>(
    "select disabled_at is not null as is_disabled from app.account where id = $1 for key share",
    [accountId],
  );
  if (account === undefined) throw new NotFoundError("account");
  if (account.is_disabled) throw new ConflictError("the account is disabled", "id");
  const expiresAt = new Date(at.getTime() + LIFE_MS);
  await sql.query(
    `insert into app.factor_invitation (id, corporation_id, account_id, how, asked_by, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [id, corporationId, accountId, how, actor, at, expiresAt],
    "factor-invite",
  );
  const [planned] = await sql.query<{ planned: boolean }>(
    "select app.plan_factor_mail($1, 'factor-link', $2, $3, $4) as planned",
    [id, accountId, JSON.stringify({ invitationId: id, expiresAt: expiresAt.toISOString() }), at],
    "factor-invite-mail",
  );
  if (planned?.planned !== true)
    throw new ConflictError("the account has no address of the person's own", "id");
  const [action, subject] = ["second-factor.invited", `account/${accountId}`] as const;
  const detail = { invitationId: id, how };
  await record(sql, { at, actor, action, subject, corporationId, detail }, newId);
  return { id, accountId, how, createdAt: at, expiresAt };
}

export function createSecondFactors(deps: SecondFactorsDeps): SecondFactors {
  const { database, clock, newId } = deps;
  /** Work on an account that the principal sees. */
  const within = async <T>(
    principal: Principal,
    id: string,
    work: (
      sql: Sql,
      of: { readonly corporationId: string; readonly accountId: string },
    ) => Promise<T>,
  ): Promise<T> => {
    const account = { kind: "account", id } as const;
    const corporationId = await tenantOf(database, principal, account);
    const accountId = canonicalId(account);
    return database.tenant(corporationId, async (sql) => {
      const found = await sql.query("select from app.account where id = $1", [accountId]);
      if (found.length === 0) throw new NotFoundError("account");
      return work(sql, { corporationId, accountId });
    });
  };
  return {
    list: (principal, id) =>
      within(principal, id, async (sql, { accountId }) => ({
        items: await readFactors(sql, accountId, clock()),
      })),
    remove: (principal, id, given) =>
      within(principal, id, async (sql, of) => {
        const factorId = canonicalUuid(given);
        const removing = { ...of, actor: principal.actor, at: clock() };
        const isRemoved =
          factorId !== undefined && (await removeFactor(sql, { ...removing, factorId }, newId));
        if (!isRemoved) throw new NotFoundError("second factor");
      }),
    invite: (principal, id, { how, idempotency }) =>
      within(principal, id, (sql, of) => {
        const inviting = { ...of, id: newId(), how, actor: principal.actor, at: clock() };
        const once = { idempotency, now: inviting.at, dates: ["createdAt", "expiresAt"] as const };
        return createOnce<FactorInvitation>(sql, once, () => invite(sql, inviting, newId));
      }),
  };
}
