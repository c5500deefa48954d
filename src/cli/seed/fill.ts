import { generateKeyPairSync } from "node:crypto";

import { type BulkWish, MOST_WISHES, reserveAll } from "../../ca/bulk-reservation.ts";
import { type BulkStop, revokeAll } from "../../ca/bulk-revocation.ts";
import type { RequestKey } from "../../ca/request-key.ts";
import type { ReservationDeps } from "../../ca/reservation.ts";
import { fromHex } from "../../pki/bytes.ts";
import type { Digest } from "../../pki/crypto.ts";
import { spkiSha256 } from "../../pki/key.ts";
import type { Profile } from "../../pki/profile.ts";
import type { Serial } from "../../pki/serial.ts";
import { type Database, enterTenant } from "../../storage/database.ts";
import type { Sql } from "../../storage/sql.ts";
import { isOneOf, population } from "./population.ts";
import { register, type Slice, slicesOf } from "./registry.ts";
import type { Sign } from "./signatures.ts";

export interface FillDeps extends ReservationDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly sign: Sign;
  readonly profile: Profile;
  readonly actor: string;
  /** Has the planner look at the tables again. Without it, it would go on as if they were as empty as when it began. */
  readonly analyze: () => Promise<void>;
  /** Told how many certificates there are by now. */
  readonly onProgress: (done: number) => void;
}

export interface Wanted {
  readonly certificates: number;
  readonly revoked: number;
}

/** Some of each, spread over all of them. */
export interface Examples {
  readonly good: readonly Serial[];
  readonly revoked: readonly Serial[];
}

const EXAMPLES = 10;

/** Certificates of one transaction: the commits cost little then, and what is under way fits into memory. */
const GROUP = 300;

/** When there are so many times more certificates than before, the planner looks again. */
const GROWTH = 3;

/** Groups under way at once: some are reserved while others wait for the signer. */
const LANES = 6;

/** What devices are revoked for while nobody else got hold of their keys. */
const REASONS = [
  "cessationOfOperation",
  "superseded",
  "affiliationChanged",
  "privilegeWithdrawn",
  "unspecified",
] as const;

/** Whole corporations, and which of all certificates their first is: a corporation is committed before its later slices. */
interface Group {
  readonly first: number;
  readonly slices: readonly Slice[];
}

const devicesOf = (slices: readonly Slice[]): number =>
  slices
    .flatMap(({ pharmacies }) => pharmacies)
    .reduce((sum, { devices }) => sum + devices.length, 0);

/**
 * Everything that is to be made, in groups.
 *
 * @yields each group
 */
function* groupsOf(certificates: number, { newId }: FillDeps): Generator<Group> {
  let first = 0;
  let slices: Slice[] = [];
  for (const corporation of population(certificates)) {
    const next = [...slicesOf(corporation, newId)];
    const size = devicesOf(slices);
    if (size > 0 && size + devicesOf(next) > GROUP) {
      yield { first, slices };
      first += size;
      slices = [];
    }
    slices.push(...next);
  }
  if (slices.length > 0) yield { first, slices };
}

/**
 * The parts of a group that have a transaction each.
 *
 * @yields each part
 */
function* partsOf({ first, slices }: Group): Generator<Group> {
  let part: Slice[] = [];
  let from = first;
  for (const slice of slices) {
    const size = devicesOf(part);
    if (size > 0 && size + devicesOf([slice]) > GROUP) {
      yield { first: from, slices: part };
      from += size;
      part = [];
    }
    part.push(slice);
  }
  yield { first: from, slices: part };
}

/** The key of a device that does not exist: the private half is nobody's from here on. */
function deviceKey(digest: Digest): RequestKey {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ type: "spki", format: "der" });
  return { spki, spkiSha256: fromHex(spkiSha256(spki, digest)), keyOrigin: "subject" };
}

/** A certificate that was reserved, and whose it is. */
interface Reserved {
  readonly serial: Serial;
  readonly corporationId: string;
}

/** Registers devices and reserves a certificate for each. */
async function reserveSlice(deps: FillDeps, sql: Sql, slice: Slice): Promise<readonly Reserved[]> {
  const { clock, newId, actor, profile, digest } = deps;
  const { corporationId } = slice;
  const registered = await register(sql, slice, { at: clock(), actor, newId });
  const wishes: BulkWish[] = registered.map(({ deviceId, accountId }) => ({
    deviceId,
    accountId,
    key: deviceKey(digest),
  }));
  const outcomes = await reserveAll(deps, sql, { corporationId, actor, profile, wishes });
  return outcomes.map((outcome) => {
    if (outcome.kind === "refused") throw outcome.error;
    return { serial: outcome.serial, corporationId };
  });
}

/** Serials and reasons by corporation. */
function stopsOf(
  reserved: readonly Reserved[],
  { first, wanted }: { readonly first: number; readonly wanted: Wanted },
): ReadonlyMap<string, BulkStop[]> {
  const stops = new Map<string, BulkStop[]>();
  for (const [i, { serial, corporationId }] of reserved.entries()) {
    const n = first + i;
    if (!isOneOf(n, wanted.revoked, wanted.certificates)) continue;
    const reason = REASONS[n % REASONS.length] ?? "unspecified";
    const known = stops.get(corporationId) ?? [];
    stops.set(corporationId, [...known, { serial, reason }]);
  }
  return stops;
}

async function revokeSome(
  { database, clock, newId, actor }: FillDeps,
  stops: ReadonlyMap<string, readonly BulkStop[]>,
): Promise<void> {
  if (stops.size === 0) return;
  await database.transaction(async (sql) => {
    const at = clock();
    for (const [corporationId, some] of stops) {
      await enterTenant(sql, corporationId);
      await revokeAll(sql, { corporationId, actor, at, stops: some }, newId);
    }
  });
}

/** A part from nothing to its certificates, those to be revoked among them. */
async function fillPart(
  deps: FillDeps,
  { first, slices }: Group,
  { wanted, examples }: { readonly wanted: Wanted; readonly examples: MutableExamples },
): Promise<number> {
  const { database, sign } = deps;
  const reserved = await database.transaction(async (sql) => {
    const all: Reserved[] = [];
    for (const slice of slices) all.push(...(await reserveSlice(deps, sql, slice)));
    return all;
  });
  await sign(reserved.map(({ serial }) => serial));
  await revokeSome(deps, stopsOf(reserved, { first, wanted }));
  for (const [i, { serial }] of reserved.entries()) examples.note(serial, first + i);
  return reserved.length;
}

/** Keeps some of the serials that go by. */
class MutableExamples implements Examples {
  readonly #wanted: Wanted;
  readonly #kept = { good: new Map<number, Serial>(), revoked: new Map<number, Serial>() };

  constructor(wanted: Wanted) {
    this.#wanted = wanted;
  }

  /** The `n`th of all certificates. Of those before it, a known number is revoked. */
  note(serial: Serial, n: number): void {
    const { certificates, revoked } = this.#wanted;
    const revokedBefore = Math.floor((n * revoked) / certificates);
    const isRevoked = isOneOf(n, revoked, certificates);
    const place = isRevoked ? revokedBefore : n - revokedBefore;
    const all = isRevoked ? revoked : certificates - revoked;
    if (isOneOf(place, Math.min(EXAMPLES, all), all))
      this.#kept[isRevoked ? "revoked" : "good"].set(place, serial);
  }

  get good(): readonly Serial[] {
    return this.#inOrder("good");
  }

  get revoked(): readonly Serial[] {
    return this.#inOrder("revoked");
  }

  #inOrder(which: "good" | "revoked"): readonly Serial[] {
    return [...this.#kept[which]].toSorted(([a], [b]) => a - b).map(([, serial]) => serial);
  }
}

/** Fills the database, a group after the other, some at a time. What a failure leaves is whole, and reserved at worst. */
export async function fill(deps: FillDeps, wanted: Wanted): Promise<Examples> {
  if (GROUP > MOST_WISHES) throw new Error("a group is reserved at once");
  const examples = new MutableExamples(wanted);
  const groups = groupsOf(wanted.certificates, deps);
  let done = 0;
  let analyzedAt = 0;
  const work = async (): Promise<void> => {
    for (const group of groups) {
      for (const part of partsOf(group)) {
        const made = await fillPart(deps, part, { wanted, examples });
        done += made;
        deps.onProgress(done);
        if (done < analyzedAt * GROWTH) continue;
        analyzedAt = done;
        await deps.analyze();
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: LANES }, work));
  const failed = lanes.find(({ status }) => status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
  return examples;
}
