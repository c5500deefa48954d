import { record } from "../audit/record.ts";
import type { Clock } from "../pki/clock.ts";
import type { NewId } from "../pki/uuid.ts";
import { NotFoundError } from "../registry/errors.ts";
import { canonicalId } from "../registry/principal.ts";
import type { MembershipRole } from "../registry/vocabulary.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { planDeskMails } from "./desk-mails.ts";
import { type DeskPerson, pharmacyOf } from "./desk-rights.ts";

/** What came of it: `deputy-same` where it was so already, or the person may as a manager. */
export type DeputyCame = "deputy-named" | "deputy-ended" | "deputy-own" | "deputy-same";

/** Somebody who works in a pharmacy, as its manager sees them. */
export interface Colleague {
  readonly membershipId: string;
  readonly name: string;
  readonly role: MembershipRole;
  readonly isDeputy: boolean;
  /** Whether they have what confirms who they are on the night. */
  readonly isPrepared: boolean;
  readonly isOwn: boolean;
}

/** Whom a pharmacy's manager names to have, in an emergency, a machine stand in as the manager may. */
export interface Deputies {
  /** By the pharmacy's manager or the head office, of somebody else who works there now. Throws NotFoundError. */
  name(
    person: DeskPerson,
    membershipId: string,
    isDeputy: boolean,
  ): Promise<{ readonly pharmacyId: string; readonly came: DeputyCame }>;
}

export interface DeputiesDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: NewId;
}

const COLLEAGUES = `select m.id as "membershipId", a.name, m.role, m.deputy as "isDeputy", m.account_id = $3 as "isOwn",
    exists (select from app.second_factor f where f.account_id = a.id) as "isPrepared"
  from app.membership m join app.account a on a.id = m.account_id and a.disabled_at is null
  where m.pharmacy_id = $1 and m.valid_from <= $2 and (m.valid_to is null or m.valid_to > $2)
  order by m.role <> 'manager', a.name, m.id limit 200`;

/** Who works in the pharmacy now: managers first, then by name. */
export function colleaguesOf(
  sql: Sql,
  { accountId }: DeskPerson,
  { pharmacyId, at }: { readonly pharmacyId: string; readonly at: Date },
): Promise<Colleague[]> {
  return sql.query<Colleague>(COLLEAGUES, [pharmacyId, at, accountId], "desk-colleagues");
}

interface Row {
  readonly account_id: string;
  readonly name: string;
  readonly pharmacy_id: string;
  readonly role: MembershipRole;
  readonly deputy: boolean;
}

const MEMBERSHIP = `select m.account_id, a.name, m.pharmacy_id, m.role, m.deputy
  from app.membership m join app.account a on a.id = m.account_id and a.disabled_at is null
  where m.id = $1 and m.valid_from <= $2 and (m.valid_to is null or m.valid_to > $2) for update of m`;

const CHANGE = "update app.membership set deputy = $2, updated_at = $3 where id = $1";

export function createDeputies({ clock, database, newId }: DeputiesDeps): Deputies {
  return {
    name: (person, membershipId, isDeputy) =>
      database.tenant(person.corporationId, async (sql) => {
        const at = clock();
        const id = canonicalId({ kind: "membership", id: membershipId });
        const [row] = await sql.query<Row>(MEMBERSHIP, [id, at], "deputy-membership");
        if (row === undefined) throw new NotFoundError("membership");
        const { account_id: personId, name: deputy, pharmacy_id: pharmacyId } = row;
        const { isManager } = await pharmacyOf(sql, person, { pharmacyId, at });
        if (!isManager) throw new NotFoundError("membership");
        const { accountId: actorId, corporationId } = person;
        if (personId === actorId) return { pharmacyId, came: "deputy-own" };
        if (row.deputy === isDeputy || row.role === "manager")
          return { pharmacyId, came: "deputy-same" };
        await sql.query(CHANGE, [id, isDeputy, at], "deputy-change");
        const [actor, subject] = [`account:${actorId}`, `membership/${id}`] as const;
        const fact = { at, actor, action: "membership.updated", subject, corporationId };
        await record(sql, { ...fact, detail: { changed: ["deputy"], deputy: isDeputy } }, newId);
        const change = isDeputy ? "named" : "ended";
        const mail = { kind: "deputy", key: newId(), subject, pharmacyId, actorId, at } as const;
        await planDeskMails(sql, { ...mail, personId, what: { change, deputy } });
        return { pharmacyId, came: `deputy-${change}` };
      }),
  };
}
