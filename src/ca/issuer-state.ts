import { type Actor, type Fact, recordAll } from "../audit/record.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Sql } from "../storage/sql.ts";
import type { IssuerState } from "./issuer.ts";
import type { IssuerEntry, JournalRecord } from "./journal-record.ts";

/** The order of an issuing CA's life. */
const ORDER: readonly IssuerState[] = ["announced", "active", "retiring", "ended"];

const ACTIONS: Readonly<Record<IssuerEntry["state"], string>> = {
  active: "issuer.activated",
  retiring: "issuer.retired",
  ended: "issuer.ended",
};

/** Who wanted it, and when. */
interface Occasion {
  readonly at: Date;
  readonly actor: Actor;
  /** The people who decided it against what the program waits for. */
  readonly by?: readonly string[];
}

/**
 * Moves issuers as the journal has it, in this order, with an audit row and an event each. The database refuses every way
 * that there is not (ca.check_issuer_transition), and a second active one.
 */
export async function moveIssuers(
  sql: Sql,
  entries: readonly IssuerEntry[],
  { at, actor, by = [], newId }: Occasion & { readonly newId: NewId },
): Promise<void> {
  const facts: Fact[] = [];
  for (const { issuerId, state } of entries) {
    const rows = await sql.query<{ id: string }>(
      "update ca.issuer set state = $2, state_since = $3 where id = $1 and state <> $2 returning id",
      [issuerId, state, at],
    );
    if (rows.length === 0) continue;
    const detail = by.length === 0 ? {} : { by: [...by] };
    facts.push({ at, actor, action: ACTIONS[state], subject: `issuer/${issuerId}`, detail });
  }
  if (facts.length > 0) await recordAll(sql, facts, newId);
}

/** Moves issuers that the journal has seen further than the database. States only go on, so nothing is turned back. */
export async function applyIssuerStates(
  sql: Sql,
  records: Iterable<JournalRecord>,
  newId: NewId,
): Promise<void> {
  const rows = await sql.query<{ id: string; state: IssuerState }>(
    "select id, state from ca.issuer",
  );
  const states = new Map(rows.map(({ id, state }) => [id, state]));
  for (const record of records) {
    if (record.kind !== "issuer") continue;
    const { issuerId, state, at } = record;
    const now = states.get(issuerId);
    if (now === undefined || ORDER.indexOf(state) <= ORDER.indexOf(now)) continue;
    await moveIssuers(sql, [record], { at: new Date(at), actor: "signer", newId });
    states.set(issuerId, state);
  }
}
