import { recordAll } from "../audit/record.ts";
import { toHex } from "../pki/bytes.ts";
import { BACKDATE_MS, type Clock } from "../pki/clock.ts";
import { CrlEntries } from "../pki/crl-entries.ts";
import { buildCrlTbs } from "../pki/crl.ts";
import { algorithmIdentifier } from "../pki/certificate.ts";
import type { Digest } from "../pki/crypto.ts";
import { SHARDS } from "../pki/serial.ts";
import { assembleSigned } from "../pki/signed.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { InvalidStateError, ListRefusedError } from "./errors.ts";
import type { IssuerKeys } from "./issuer-keys.ts";
import { type Issuer, shardScope, shardUrl } from "./issuer.ts";
import type { ListEntry } from "./journal-record.ts";
import type { Checkpoint, Ledger } from "./ledger.ts";
import { readListed } from "./listed-rows.ts";
import { Staging } from "./list-staging.ts";
import type { PreparedList, PreparedLists } from "./signer-client.ts";

/** How long an issuing CA's lists are good for (docs/decisions.md): longer than any outage that we plan for. */
const ISSUING_LIFE_MS = 7 * 24 * 60 * 60 * 1000;

/** A root's list: 13 months, renewed every 6. */
export const ROOT_LIFE_MS = 396 * 24 * 60 * 60 * 1000;

export interface ListDeps {
  readonly database: Database;
  readonly ledger: Ledger;
  readonly keys: IssuerKeys;
  readonly clock: Clock;
  readonly digest: Digest;
  readonly newId: NewId;
  readonly checkpoint: Checkpoint;
  /** Another measure of what is written while it is checked. */
  readonly longOctets?: number;
}

/** Lists of fewer octets are written in no time. */
const LONG_OCTETS = 4_000_000;

/** What one snapshot says of an issuer. */
interface Snapshot {
  readonly at: Date;
  readonly watermark: bigint;
  readonly lastNumber: bigint;
  readonly lastThisUpdate: Date;
  readonly full: CrlEntries;
  /** Empty for a root: its few certificates all name the full list. */
  readonly shards: readonly CrlEntries[];
}

const LONG_AGO = new Date(0);

/** One REPEATABLE READ snapshot: the watermark and the entries are of the same moment, so the list is a function of it. */
function takeSnapshot(issuer: Issuer, { database, clock }: ListDeps): Promise<Snapshot> {
  return database.transaction(
    async (sql) => {
      // Before the first statement, which takes the snapshot: the list may know a little more than its time promises, never less.
      const at = clock();
      const [facts] = await sql.query<{
        watermark: string;
        number: string;
        this_update: Date | null;
        signed_at: Date | null;
      }>(
        `select coalesce((select max(seq) from ca.change), 0) as watermark, coalesce(max(number), 0) as number,
           min(this_update) filter (where current) as this_update, min(signed_at) filter (where current) as signed_at
         from ca.list where issuer_id = $1`,
        [issuer.id],
      );
      const listed = await readListed(sql, {
        issuerId: issuer.id,
        lastThisUpdate: facts?.this_update ?? LONG_AGO,
        lastSignedAt: facts?.signed_at ?? LONG_AGO,
      });
      const full = CrlEntries.sorted(listed);
      return {
        at,
        watermark: BigInt(facts?.watermark ?? 0),
        lastNumber: BigInt(facts?.number ?? 0),
        lastThisUpdate: facts?.this_update ?? LONG_AGO,
        full,
        shards: issuer.kind === "root" ? [] : full.split(SHARDS),
      };
    },
    { isolation: "repeatable read", readOnly: true },
  );
}

function max(...values: readonly bigint[]): bigint {
  return values.reduce((a, b) => (a > b ? a : b));
}

/** In whole seconds. A clock that was set back a little does not take thisUpdate back with it. */
function datesOf(
  { kind }: Issuer,
  { at, lastThisUpdate }: Snapshot,
): { thisUpdate: Date; nextUpdate: Date } {
  const backdated = Math.floor((at.getTime() - BACKDATE_MS) / 1000) * 1000;
  const thisUpdate = new Date(Math.max(backdated, lastThisUpdate.getTime()));
  return {
    thisUpdate,
    nextUpdate: new Date(thisUpdate.getTime() + (kind === "root" ? ROOT_LIFE_MS : ISSUING_LIFE_MS)),
  };
}

interface ListToSign {
  readonly scope: string;
  readonly number: bigint;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly entries: CrlEntries;
}

/** Makes lists and publishes them, in two steps between which somebody else checks them. */
export class ListPress {
  readonly #deps: ListDeps;
  /** One batch an issuer: a newer one makes the older worthless. */
  readonly #prepared = new Map<string, PreparedLists>();
  /** The highest number that was given to an issuer's lists. One that is on its way into the journal is in neither. */
  readonly #given = new Map<string, bigint>();
  /** Long lists on their way into the database, by their batch. */
  readonly #staged = new Map<string, Staging>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(deps: ListDeps) {
    this.#deps = deps;
  }

  /**
   * Signs the full list and all shards of an issuer, out of one snapshot and with one number. One batch after the other:
   * were snapshots taken side by side, the older one could come to the higher number, and lose a revocation.
   */
  prepare(issuerId: string): Promise<PreparedLists> {
    const turn = this.#last.then(() => this.#prepare(issuerId));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #prepare(issuerId: string): Promise<PreparedLists> {
    const { keys, ledger, newId } = this.#deps;
    const issuer = keys.get(issuerId);
    if (issuer === undefined || issuer.state === "ended")
      throw new InvalidStateError(`there is no issuer ${issuerId} at work`);
    ledger.journal.checkClock();
    const snapshot = await takeSnapshot(issuer, this.#deps);
    // The time makes it rise even above numbers that neither a restored database nor a restored journal remembers.
    const micros = BigInt(snapshot.at.getTime()) * 1000n;
    const number =
      max(
        snapshot.lastNumber,
        ledger.journal.listNumber(issuerId),
        this.#given.get(issuerId) ?? 0n,
        micros,
      ) + 1n;
    this.#given.set(issuerId, number);
    const dates = datesOf(issuer, snapshot);
    const lists = [
      this.#sign(issuer, { ...dates, number, scope: "full", entries: snapshot.full }),
      ...snapshot.shards.map((entries, shard) =>
        this.#sign(issuer, { ...dates, number, scope: shardScope(shard), entries }),
      ),
    ];
    const prepared = {
      batchId: newId(),
      issuerId,
      watermark: snapshot.watermark,
      at: snapshot.at,
      lists,
    };
    this.#dropStaged(this.#prepared.get(issuerId)?.batchId);
    this.#prepared.set(issuerId, prepared);
    const octets = lists.reduce((sum, { der }) => sum + der.length, 0);
    if (octets >= (this.#deps.longOctets ?? LONG_OCTETS)) this.#stage(prepared);
    return prepared;
  }

  /** Journals and publishes a prepared batch, if it is still the newest and its bytes are those that were checked. */
  async commit(batchId: string, sha256: readonly string[]): Promise<void> {
    const { checkpoint } = this.#deps;
    const prepared = [...this.#prepared.values()].find((batch) => batch.batchId === batchId);
    if (prepared === undefined)
      throw new InvalidStateError("these lists are not waiting to be published");
    const { lists, issuerId } = prepared;
    if (
      lists.length !== sha256.length ||
      lists.some((list, index) => list.sha256 !== sha256[index])
    ) {
      throw new ListRefusedError(["what was checked is not what was signed"]);
    }
    this.#prepared.delete(issuerId);
    const begun = this.#staged.get(batchId);
    this.#staged.delete(batchId);
    try {
      checkpoint("lists-checked");
      await this.#publish(prepared, begun);
    } finally {
      // Where the turn did not come to it, its transaction would hold up others until its patience ends.
      begun?.drop();
    }
  }

  #publish(prepared: PreparedLists, begun: Staging | undefined): Promise<void> {
    const { ledger, newId } = this.#deps;
    const { lists, issuerId, watermark } = prepared;
    const entries = lists.map((list): ListEntry => ({
      kind: "list",
      issuerId,
      scope: list.scope,
      number: String(list.number),
      watermark: String(watermark),
      thisUpdate: list.thisUpdate.toISOString(),
      nextUpdate: list.nextUpdate.toISOString(),
      sha256: list.sha256,
    }));
    return ledger.turn(() =>
      ledger.write(
        entries,
        (sql) => publishPrepared(sql, prepared, newId),
        begun === undefined ? {} : { begun },
      ),
    );
  }

  /** Writes long lists into the database while they are checked: that takes as long as the check. */
  #stage(prepared: PreparedLists): void {
    const { database, newId } = this.#deps;
    const staging = new Staging({
      database,
      write: (sql) => insertLists(sql, prepared),
      rest: (sql) => publishInserted(sql, prepared, newId),
    });
    this.#staged.set(prepared.batchId, staging);
  }

  /** What is staged and not yet being committed will not be. */
  close(): void {
    for (const batchId of this.#staged.keys()) this.#dropStaged(batchId);
  }

  #dropStaged(batchId: string | undefined): void {
    if (batchId === undefined) return;
    this.#staged.get(batchId)?.drop();
    this.#staged.delete(batchId);
  }

  #sign(issuer: Issuer, list: ListToSign): PreparedList {
    const { keys, digest } = this.#deps;
    const algorithm = algorithmIdentifier(issuer.facts.signatureAlgorithm);
    const { scope, number, thisUpdate, nextUpdate, entries } = list;
    const tbs = buildCrlTbs({
      issuerName: issuer.facts.subject,
      issuerKeyIdentifier: issuer.facts.keyIdentifier,
      signatureAlgorithm: algorithm,
      number,
      thisUpdate,
      nextUpdate,
      ...(scope !== "full" && { distributionPoint: shardUrl(issuer.vaUrl, issuer.id, scope) }),
      entries,
    });
    const der = assembleSigned(tbs, algorithm, keys.signWith(issuer.id)(tbs));
    const sha256 = toHex(digest("sha256", der));
    return { scope, number, thisUpdate, nextUpdate, entries: entries.length, sha256, der };
  }
}

type Publishing = Omit<PreparedLists, "batchId">;

/** One commit makes all of them current together. The generation before stays readable, the one before that is a row without bytes. */
export async function publishPrepared(sql: Sql, prepared: Publishing, newId: NewId): Promise<void> {
  await insertLists(sql, prepared);
  await publishInserted(sql, prepared, newId);
}

async function insertLists(
  sql: Sql,
  { issuerId, lists, watermark, at }: Publishing,
): Promise<void> {
  // One by one: octets in an array would go out in hex.
  for (const list of lists) {
    await sql.query(
      `insert into ca.list (issuer_id, scope, number, watermark, this_update, next_update, entries, sha256, der, current, signed_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, false, $10)`,
      [
        issuerId,
        list.scope,
        String(list.number),
        String(watermark),
        list.thisUpdate,
        list.nextUpdate,
        list.entries,
        Buffer.from(list.sha256, "hex"),
        Buffer.from(list.der.buffer, list.der.byteOffset, list.der.length),
        at,
      ],
      "insert-list",
    );
  }
}

/** Lists that are rows already become the current ones. */
async function publishInserted(
  sql: Sql,
  { issuerId, lists, at }: Publishing,
  newId: NewId,
): Promise<void> {
  const number = String(lists[0]?.number);
  await sql.query(
    "update ca.list set der = null where issuer_id = $1 and not current and der is not null and number <> $2",
    [issuerId, number],
  );
  await sql.query("update ca.list set current = false where issuer_id = $1 and current", [
    issuerId,
  ]);
  await sql.query("update ca.list set current = true where issuer_id = $1 and number = $2", [
    issuerId,
    number,
  ]);
  const detail = { number, entries: lists[0]?.entries ?? 0 };
  await recordAll(
    sql,
    [{ at, actor: "signer", action: "crl.published", subject: `issuer/${issuerId}`, detail }],
    newId,
  );
}
