import type { Logger } from "pino";

import { PkiError } from "../pki/errors.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { lagging, readAcknowledgements } from "./issuer-acknowledgement.ts";
import { type CertifyDeps, certifyAuthority, enrolAuthority, keyOf } from "./authority.ts";
import {
  CaError,
  CeremonyError,
  InvalidStateError,
  KeyStoreError,
  SignerUnavailableError,
} from "./errors.ts";
import { type Issuer, issuerUrls } from "./issuer.ts";
import type { IssuerKeys } from "./issuer-keys.ts";
import { finishOrder, type IssuerOrder, openOrders } from "./issuer-orders.ts";
import { revokeIssuer } from "./issuer-revocation.ts";
import { moveIssuers } from "./issuer-state.ts";
import type { IssuerEntry } from "./journal-record.ts";
import type { KeyStore } from "./key-store.ts";
import type { Ledger } from "./ledger.ts";
import { twoPeople } from "./two-people.ts";

export interface GenerationsDeps extends CertifyDeps {
  /** As suido_signer. */
  readonly database: Database;
  readonly ledger: Ledger;
  readonly keys: IssuerKeys;
  readonly keyStore: KeyStore;
  readonly newId: NewId;
  readonly log: Pick<Logger, "info" | "warn">;
}

/** How often is looked whether a retiring CA has ended: it takes 13 months, and the question reads many rows. */
const END_CHECK_MS = 60 * 60 * 1000;

/**
 * Retiring CAs that have nothing to answer for any more: the last certificate has ended, and a list was published since,
 * so that what was revoked has stood on one past its end (R16). Delegates do not count: they would go on for ever. Of a
 * revoked CA nobody knows what was signed, so it stays until its own certificate ends.
 */
const FINISHED = `select i.id from ca.issuer i join ca.list l on l.issuer_id = i.id and l.current and l.scope = 'full'
  where i.kind = 'issuing' and i.state = 'retiring' and case
    when exists (select from ca.issued own where own.serial = i.serial and own.state = 'revoked') then i.not_after < $1
    else not exists (select from ca.issued c where c.issuer_id = i.id and c.profile <> 'ocsp'
      and c.state not in ('refused', 'abandoned') and c.not_after >= l.this_update) end`;

type Activation = Extract<IssuerOrder, { kind: "activate" }>;
type Revocation = Extract<IssuerOrder, { kind: "revoke" }>;

/** The generations of issuing CAs, in the signer: it makes, activates, revokes and ends them, and takes up those that others have made. */
export class Generations {
  readonly #deps: GenerationsDeps;
  #endsCheckedAt = -Infinity;

  constructor(deps: GenerationsDeps) {
    this.#deps = deps;
  }

  /** Takes up what is new, carries out what was ordered, and does what is due by itself. */
  async look(): Promise<void> {
    const { database, keys } = this.#deps;
    await keys.reload();
    for (const order of await openOrders(database)) await this.#carryOut(order);
    await this.#retireRevoked();
    await this.#activateAcknowledged();
    await this.#endFinished();
  }

  async #carryOut(order: IssuerOrder): Promise<void> {
    const { database, clock, log } = this.#deps;
    try {
      if (order.kind === "rotate") await this.#rotate(order);
      else if (order.kind === "activate") await this.#activate(order);
      else await this.#revoke(order);
      log.info({ order: order.kind }, "an order about issuing CAs is carried out");
    } catch (error) {
      const isFinal = error instanceof CaError || error instanceof PkiError;
      if (!isFinal || error instanceof SignerUnavailableError) throw error;
      log.warn({ err: error, order: order.kind }, "an order about issuing CAs is refused");
      await finishOrder(database, order, { refused: error.message, at: clock() });
    }
  }

  /** The next generation, announced. One that waits already is the one that was meant. */
  async #rotate(order: IssuerOrder): Promise<void> {
    const { database, ledger, keys, keyStore, caConfig, clock } = this.#deps;
    const issuing = keys.all.filter(({ kind }) => kind === "issuing");
    const waiting = issuing.find(({ state, isRevoked }) => state === "announced" && !isRevoked);
    if (waiting !== undefined) {
      await finishOrder(database, order, { issuerId: waiting.id, at: clock() });
      return;
    }
    const root = keys.all.find(({ kind, state }) => kind === "root" && state === "active");
    if (root === undefined || !keys.hasKey(root.id))
      throw new CeremonyError("the root's key is not in this key store");
    const generation = Math.max(0, ...issuing.map((one) => one.generation)) + 1;
    const authority = caConfig.hierarchy.issuing;
    const plan = {
      id: `${authority.name}-g${generation}`,
      kind: "issuing",
      generation,
      authority,
      state: "announced",
      parent: {
        id: root.id,
        facts: { ...root.facts, urls: issuerUrls(root.vaUrl, root.id) },
        key: await keyStore.open(root.id, "root"),
      },
    } as const;
    const entry = certifyAuthority(plan, await keyOf(plan, keyStore), this.#deps);
    const at = clock();
    await ledger.turn(() =>
      ledger.write([entry], async (sql) => {
        await enrolAuthority(sql, { ...entry, at }, { ...this.#deps, actor: order.actor });
        await finishOrder(sql, order, { issuerId: plan.id, at });
      }),
    );
    await keys.reload();
  }

  async #activate(order: Activation): Promise<void> {
    const { database, keys, clock } = this.#deps;
    const { issuerId, by } = order;
    const issuer = this.#issuing(issuerId);
    if (issuer.state === "active" && !issuer.isRevoked) {
      await finishOrder(database, order, { issuerId, at: clock() });
      return;
    }
    if (issuer.state !== "announced" || issuer.isRevoked)
      throw new InvalidStateError(
        `${issuerId} is ${issuer.isRevoked ? "revoked" : issuer.state}: only an announced CA is activated`,
      );
    if (!keys.hasKey(issuerId))
      throw new KeyStoreError(`the key of ${issuerId} is not in this key store`);
    if (by.length > 0) twoPeople(by, "a CA is activated against the rule");
    else await this.#checkAcknowledged(issuerId);
    await this.#move(this.#activation(issuerId), {
      ...order,
      finish: (sql, at) => finishOrder(sql, order, { issuerId, at }),
    });
  }

  /** Throws InvalidStateError where somebody lacks it, or nobody is there to say so. */
  async #checkAcknowledged(issuerId: string): Promise<void> {
    const all = await readAcknowledgements(this.#deps.database, issuerId);
    if (all.length === 0)
      throw new InvalidStateError("no relying party is registered that could have acknowledged it");
    const names = lagging(all).map(({ name }) => name);
    const lack = names.length === 1 ? "lacks" : "lack";
    if (names.length > 0)
      throw new InvalidStateError(`${names.join(", ")} still ${lack} ${issuerId}`);
  }

  /** Certificates are revoked in the database first, and the journal follows; what is signed stops with this very turn. */
  async #revoke(order: Revocation): Promise<void> {
    const { database, ledger, keys, clock, newId } = this.#deps;
    const { issuerId, reason, actor } = order;
    const by = twoPeople(order.by, "a CA is revoked");
    const issuer = this.#issuing(issuerId);
    const finish = (sql: Sql, at: Date): Promise<void> => finishOrder(sql, order, { issuerId, at });
    await ledger.turn(async () => {
      await database.transaction((sql) =>
        revokeIssuer(sql, { issuer, reason, at: clock(), actor, by }, newId),
      );
      if (issuer.state === "announced" || issuer.state === "active") {
        const entry = { kind: "issuer", issuerId, state: "retiring" } as const;
        await this.#write([entry], { actor, by, finish });
      } else {
        await finish(database, clock());
      }
      await keys.reload();
    });
  }

  /** A root session revokes a CA too, and knows nothing of what follows. */
  async #retireRevoked(): Promise<void> {
    for (const { id, kind, state, isRevoked } of this.#deps.keys.all) {
      if (kind !== "issuing" || !isRevoked || state === "retiring" || state === "ended") continue;
      const entry = { kind: "issuer", issuerId: id, state: "retiring" } as const;
      await this.#move([entry], { actor: "signer" });
    }
  }

  /** Nobody has to be asked once every relying party has it. With none registered it takes an operator: see `suido ca activate`. */
  async #activateAcknowledged(): Promise<void> {
    const { database, keys, log } = this.#deps;
    const waiting = keys.all.find(
      ({ id, kind, state, isRevoked }) =>
        kind === "issuing" && state === "announced" && !isRevoked && keys.hasKey(id),
    );
    if (waiting === undefined) return;
    const all = await readAcknowledgements(database, waiting.id);
    if (all.length === 0 || lagging(all).length > 0) return;
    await this.#move(this.#activation(waiting.id), { actor: "signer" });
    log.info({ issuer: waiting.id }, "every relying party has the new issuing CA: it issues now");
  }

  async #endFinished(): Promise<void> {
    const { database, clock, log } = this.#deps;
    const now = clock();
    if (now.getTime() - this.#endsCheckedAt < END_CHECK_MS) return;
    for (const { id } of await database.query<{ id: string }>(FINISHED, [now])) {
      await this.#move([{ kind: "issuer", issuerId: id, state: "ended" }], { actor: "signer" });
      log.info({ issuer: id }, "an issuing CA has ended with its last certificate");
    }
    this.#endsCheckedAt = now.getTime();
  }

  #issuing(id: string): Issuer {
    const issuer = this.#deps.keys.issuing(id);
    if (issuer === undefined) throw new InvalidStateError(`there is no issuing CA ${id}`);
    return issuer;
  }

  /** The old one goes first: there is one active CA at a time. */
  #activation(issuerId: string): readonly IssuerEntry[] {
    const old = this.#deps.keys.all.filter(
      ({ kind, state }) => kind === "issuing" && state === "active",
    );
    return [
      ...old.map(({ id }) => ({ kind: "issuer", issuerId: id, state: "retiring" }) as const),
      { kind: "issuer", issuerId, state: "active" },
    ];
  }

  async #move(entries: readonly IssuerEntry[], move: Move): Promise<void> {
    const { database, ledger, keys } = this.#deps;
    await ledger.turn(async () => {
      await checkHasLists(database, entries);
      await this.#write(entries, move);
      await keys.reload();
    });
  }

  /** Journal first, then one commit for all of them. Only within a turn. */
  async #write(entries: readonly IssuerEntry[], { actor, by = [], finish }: Move): Promise<void> {
    const { ledger, clock, newId } = this.#deps;
    const at = clock();
    await ledger.write(entries, async (sql) => {
      await moveIssuers(sql, entries, { at, actor, by, newId });
      await finish?.(sql, at);
    });
  }
}

interface Move {
  readonly actor: string;
  readonly by?: readonly string[];
  readonly finish?: (sql: Sql, at: Date) => Promise<void>;
}

/** Nobody checks a certificate of a CA without a list of it. */
async function checkHasLists(sql: Sql, entries: readonly IssuerEntry[]): Promise<void> {
  for (const { issuerId, state } of entries) {
    if (state !== "active") continue;
    const lists = await sql.query(
      "select 1 from ca.list where issuer_id = $1 and current and scope = 'full'",
      [issuerId],
    );
    if (lists.length === 0)
      throw new InvalidStateError(`${issuerId} has no list yet: it cannot be checked by anybody`);
  }
}
