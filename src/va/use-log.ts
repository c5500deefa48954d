import type { Clock } from "../pki/clock.ts";
import { fromHex } from "../pki/bytes.ts";
import type { Database } from "../storage/database.ts";
import type { Log } from "./log.ts";

export interface UseLogDeps {
  /** As suido_va. */
  readonly database: Pick<Database, "query">;
  readonly clock: Clock;
  readonly log: Log;
}

/** Who was let through though he would be refused, if certificates were demanded. */
export interface NotedRefusal {
  readonly partyId: string;
  readonly reason: string;
  /** Lower-case hex. */
  readonly serialNumber?: string;
  readonly pharmacyId?: string;
}

/**
 * Which certificate was used at which party, and who would have been refused. It is gathered in memory and written every
 * ten seconds, so that no request waits for it; what is gathered when the process dies is lost.
 */
export interface UseLog {
  noteSeen(partyId: string): void;
  noteUse(partyId: string, serialNumber: string): void;
  noteRefusal(refusal: NotedRefusal): void;
  /** How many notes were dropped because there were too many. */
  dropped(): number;
  /** Writes what is gathered. Never rejects. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

const FLUSH_MS = 10_000;

/** Notes that are gathered at most, of each kind; the database may be away for a day. */
const MOST_NOTES = 50_000;

interface Use {
  readonly partyId: string;
  readonly serialNumber: string;
  readonly at: Date;
}

interface Refusal extends NotedRefusal {
  at: Date;
  count: number;
}

const octetsOf = (serialNumber: string | undefined): Buffer | null =>
  serialNumber === undefined ? null : Buffer.from(fromHex(serialNumber));

const WRITE = `select party.record_seen($1::uuid[], $2::timestamptz[]),
  party.record_uses($3::bytea[], $4::uuid[], $5::timestamptz[]),
  party.record_refusals($6::uuid[], $7::text[], $8::bytea[], $9::uuid[], $10::timestamptz[], $11::bigint[])`;

export function startUseLog(deps: UseLogDeps): UseLog {
  return new GatheredUses(deps);
}

class GatheredUses implements UseLog {
  readonly #deps: UseLogDeps;
  readonly #timer: NodeJS.Timeout;
  readonly #seen = new Map<string, Date>();
  readonly #uses = new Map<string, Use>();
  readonly #refusals = new Map<string, Refusal>();
  #dropped = 0;
  #away = false;
  #flushing: Promise<void> | undefined;

  constructor(deps: UseLogDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => void this.flush(), FLUSH_MS).unref();
  }

  noteSeen(partyId: string): void {
    this.#seen.set(partyId, this.#deps.clock());
  }

  noteUse(partyId: string, serialNumber: string): void {
    const name = `${partyId} ${serialNumber}`;
    if (this.#uses.has(name)) return;
    if (this.#uses.size < MOST_NOTES)
      this.#uses.set(name, { partyId, serialNumber, at: this.#deps.clock() });
    else this.#dropped++;
  }

  noteRefusal(refusal: NotedRefusal): void {
    const { partyId, reason, serialNumber = "", pharmacyId = "" } = refusal;
    const name = `${partyId} ${reason} ${serialNumber} ${pharmacyId}`;
    const noted = this.#refusals.get(name);
    const at = this.#deps.clock();
    if (noted !== undefined) {
      noted.at = at;
      noted.count++;
    } else if (this.#refusals.size < MOST_NOTES) {
      this.#refusals.set(name, { ...refusal, at, count: 1 });
    } else this.#dropped++;
  }

  dropped(): number {
    return this.#dropped;
  }

  flush(): Promise<void> {
    this.#flushing ??= this.#flush().finally(() => (this.#flushing = undefined));
    return this.#flushing;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#flushing;
    await this.flush();
  }

  async #flush(): Promise<void> {
    const seen = [...this.#seen];
    const uses = [...this.#uses];
    const refusals = [...this.#refusals];
    if (seen.length === 0) return;
    this.#seen.clear();
    this.#uses.clear();
    this.#refusals.clear();
    try {
      await this.#write(seen, uses, refusals);
      this.#away = false;
    } catch (error) {
      if (!this.#away) this.#deps.log.warn({ err: error }, "uses of certificates are not written");
      this.#away = true;
      this.#takeBack(seen, uses, refusals);
    }
  }

  async #write(
    seen: readonly (readonly [string, Date])[],
    uses: readonly (readonly [string, Use])[],
    refusals: readonly (readonly [string, Refusal])[],
  ): Promise<void> {
    const used = uses.map(([, use]) => use);
    const refused = refusals.map(([, refusal]) => refusal);
    await this.#deps.database.query(
      WRITE,
      [
        seen.map(([partyId]) => partyId),
        seen.map(([, at]) => at),
        used.map(({ serialNumber }) => octetsOf(serialNumber)),
        used.map(({ partyId }) => partyId),
        used.map(({ at }) => at),
        refused.map(({ partyId }) => partyId),
        refused.map(({ reason }) => reason),
        refused.map(({ serialNumber }) => octetsOf(serialNumber)),
        refused.map(({ pharmacyId }) => pharmacyId ?? null),
        refused.map(({ at }) => at),
        refused.map(({ count }) => count),
      ],
      "va-record-uses",
    );
  }

  /** What could not be written waits for the next time, as far as there is room. */
  #takeBack(
    seen: readonly (readonly [string, Date])[],
    uses: readonly (readonly [string, Use])[],
    refusals: readonly (readonly [string, Refusal])[],
  ): void {
    for (const [partyId, at] of seen) if (!this.#seen.has(partyId)) this.#seen.set(partyId, at);
    for (const [name, use] of uses) {
      if (this.#uses.has(name) || this.#uses.size < MOST_NOTES) this.#uses.set(name, use);
      else this.#dropped++;
    }
    for (const [name, refusal] of refusals) {
      const since = this.#refusals.get(name);
      if (since !== undefined) since.count += refusal.count;
      else if (this.#refusals.size < MOST_NOTES) this.#refusals.set(name, refusal);
      else this.#dropped++;
    }
  }
}
