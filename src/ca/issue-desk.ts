import { recordAll } from "../audit/record.ts";
import type { Digest } from "../pki/crypto.ts";
import type { ApprovedTbs } from "../pki/approved.ts";
import { BACKDATE_MS, type Clock } from "../pki/clock.ts";
import { type Serial, serialBytes } from "../pki/serial.ts";
import type { NewId } from "../pki/uuid.ts";
import type { Database } from "../storage/database.ts";
import { buildCertificate, type BuilderDeps, type Built } from "./certificate-builder.ts";
import { IssuingStoppedError } from "./errors.ts";
import { commitIssued, issuedEntry, type SigningRow, readSigningRows } from "./signing-row.ts";
import type { Issuer } from "./issuer.ts";
import type { IssuerKeys } from "./issuer-keys.ts";
import type { Checkpoint, Ledger } from "./ledger.ts";
import type { IssueOutcome } from "./signer-client.ts";

/** One fsync and one commit serve so many certificates. More would only make the first of them wait for the last. */
const BATCH = 64;

/** The same where nobody waits for a single one: what costs a batch is shared by more. */
export const BULK_BATCH = 256;

/** Who is served first: somebody who waits for one certificate, before work for which nobody does. */
export type Lane = "single" | "bulk";

export interface IssueDeps extends BuilderDeps {
  readonly database: Database;
  readonly ledger: Ledger;
  readonly keys: IssuerKeys;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly digest: Digest;
  readonly checkpoint: Checkpoint;
}

type Answer = IssueOutcome | { readonly serial: Serial; readonly error: Error };

interface Waiter {
  readonly resolve: (outcome: IssueOutcome) => void;
  readonly reject: (error: Error) => void;
}

interface Approved {
  readonly row: SigningRow;
  readonly approved: ApprovedTbs;
}

const good = (serial: Serial): IssueOutcome => ({ serial, outcome: "good" });
const refused = (serial: Serial, findings: readonly string[]): IssueOutcome => ({
  serial,
  outcome: "refused",
  findings,
});

type Waiting = Map<Serial, Waiter[]>;

/** Takes the first of those that wait. */
function takeFrom(waiting: Waiting, most: number): [Serial, Waiter[]][] {
  const taken: [Serial, Waiter[]][] = [];
  for (const [serial, waiters] of waiting) {
    if (taken.length === most) break;
    taken.push([serial, waiters]);
    waiting.delete(serial);
  }
  return taken;
}

/** Turns reserved rows into certificates, in batches of whatever is waiting. */
export class IssueDesk {
  readonly #deps: IssueDeps;
  readonly #lanes: Readonly<Record<Lane, Waiting>> = { single: new Map(), bulk: new Map() };
  #isWorking = false;

  constructor(deps: IssueDeps) {
    this.#deps = deps;
  }

  /** Resolves when the serial is good or refused. A serial that is asked for twice is signed once. */
  issue(serial: Serial, lane: Lane = "single"): Promise<IssueOutcome> {
    const waiting = this.#lanes[lane];
    return new Promise((resolve, reject) => {
      const waiters = waiting.get(serial) ?? [];
      waiters.push({ resolve, reject });
      waiting.set(serial, waiters);
      if (!this.#isWorking) void this.#work();
    });
  }

  /** The next batch. Bulk work fills what single requests leave of theirs, and has larger ones when there are none. */
  #nextBatch(): readonly [Serial, readonly Waiter[]][] {
    const { single, bulk } = this.#lanes;
    const first = takeFrom(single, BATCH);
    const then = takeFrom(bulk, first.length === 0 ? BULK_BATCH : BATCH - first.length);
    return [...first, ...then];
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    // Those that are asked for in the same breath go into one batch.
    await Promise.resolve();
    while (this.#lanes.single.size + this.#lanes.bulk.size > 0) {
      const batch = this.#nextBatch();
      const answers = await this.#answers([...new Set(batch.map(([serial]) => serial))]);
      for (const [serial, waiters] of batch) {
        const answer = answers.get(serial) ?? refused(serial, ["the serial is not reserved"]);
        for (const waiter of waiters) {
          if ("error" in answer) waiter.reject(answer.error);
          else waiter.resolve(answer);
        }
      }
    }
    this.#isWorking = false;
  }

  async #answers(serials: readonly Serial[]): Promise<ReadonlyMap<Serial, Answer>> {
    try {
      const answers = await this.#deps.ledger.turn(() => this.#issueBatch(serials));
      return new Map(answers.map((answer) => [answer.serial, answer]));
    } catch (thrown) {
      const error =
        thrown instanceof Error ? thrown : new Error("issuing failed", { cause: thrown });
      return new Map(serials.map((serial) => [serial, { serial, error }]));
    }
  }

  /** Steps 3 to 6 of issuing. What the app committed as `reserved` was step 1, and the serial that came here step 2. */
  async #issueBatch(serials: readonly Serial[]): Promise<readonly Answer[]> {
    const { checkpoint, database } = this.#deps;
    // 3. Read the rows with the signer's own role, build the bytes, read them again and lint them.
    const rows = await readSigningRows(database, serials);
    checkpoint("read");
    const answers: Answer[] = [];
    const toSign: Approved[] = [];
    const toRefuse: { serial: Serial; row: SigningRow; findings: readonly string[] }[] = [];
    for (const [serial, row] of rows) {
      const settled = settledOutcome(serial, row);
      if (settled !== undefined) {
        answers.push(settled);
        continue;
      }
      const built = this.#build(row, toSign.length);
      if (built instanceof Error) answers.push({ serial, error: built });
      else if ("approved" in built) toSign.push({ row, approved: built.approved });
      else toRefuse.push({ serial, row, findings: built.findings });
    }
    checkpoint("approved");
    await this.#refuse(toRefuse);
    answers.push(...toRefuse.map(({ serial, findings }) => refused(serial, findings)));
    return [...answers, ...(await this.#sign(toSign))];
  }

  #build(row: SigningRow, ahead: number): Built | Error {
    const { keys, profiles, ledger, clock } = this.#deps;
    const profile = profiles.get(row.profile);
    // Other profiles are for the signer's own timers and for ceremonies: a row of the app is always a device.
    if (profile?.subjectAlternativeName !== "device") {
      return { findings: [`the profile "${row.profile}" is not for devices`] };
    }
    const issuer = keys.issuing(row.issuer_id);
    if (issuer === undefined || !maySign(issuer, row))
      return new IssuingStoppedError(`the issuer ${row.issuer_id} does not issue`);
    if (ledger.journal.issuedLastHour(profile.name) + ahead >= profile.ceilingPerHour) {
      return new IssuingStoppedError(
        `${profile.ceilingPerHour} certificates of the profile "${profile.name}" within an hour is the most that is issued`,
      );
    }
    return buildCertificate(row, { issuer, profile, now: clock() }, this.#deps);
  }

  async #refuse(
    rows: readonly { serial: Serial; row: SigningRow; findings: readonly string[] }[],
  ): Promise<void> {
    if (rows.length === 0) return;
    const { database, newId, clock } = this.#deps;
    await database.transaction(async (sql) => {
      for (const { serial, findings } of rows) {
        await sql.query(
          "update ca.issued set state = 'refused', findings = $2 where serial = $1 and state = 'reserved'",
          [Buffer.from(serialBytes(serial)), findings],
        );
      }
      const facts = rows.map(({ serial, row, findings }) => ({
        at: clock(),
        actor: "signer",
        action: "certificate.refused",
        subject: `certificate/${serial}`,
        ...(row.corporation_id !== null && { corporationId: row.corporation_id }),
        detail: { findings },
      }));
      await recordAll(sql, facts, newId);
    });
  }

  async #sign(approvals: readonly Approved[]): Promise<readonly Answer[]> {
    if (approvals.length === 0) return [];
    const { keys, ledger, clock, digest, newId, checkpoint } = this.#deps;
    // 4. Sign.
    const entries = approvals.map(({ row, approved }) =>
      issuedEntry(row, approved.signWith(keys.signWith(row.issuer_id))),
    );
    checkpoint("signed");
    // 5. Append and wait for the disk. 6. One commit for the batch.
    const at = clock();
    await ledger.write(entries, (sql) =>
      commitIssued(
        sql,
        entries.map((entry) => ({ ...entry, at })),
        { sha256: (der) => digest("sha256", der), newId },
      ),
    );
    return entries.map(({ serial }) => good(serial));
  }
}

/**
 * The active one signs. What was reserved before its successor took over is finished by the one that it was promised by;
 * the clock of the one who reserved may be a little ahead.
 */
function maySign({ state, stateSince, isRevoked }: Issuer, row: SigningRow): boolean {
  if (isRevoked) return false;
  if (state === "active") return true;
  return state === "retiring" && row.reserved_at.getTime() <= stateSince.getTime() + BACKDATE_MS;
}

/** What became of a row that is reserved no more. */
function settledOutcome(serial: Serial, { state, findings }: SigningRow): IssueOutcome | undefined {
  switch (state) {
    case "reserved":
      return undefined;
    case "good":
    case "hold":
    case "revoked":
      return good(serial);
    case "refused":
      return refused(serial, findings ?? []);
    case "abandoned":
      return refused(serial, ["the reservation was given up before it was signed"]);
  }
}
