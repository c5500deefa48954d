import { BACKDATE_MS } from "../pki/clock.ts";
import { MAX_ENTRY_FINDINGS } from "../pki/crl-check.ts";
import type { CrlEntryTable } from "../pki/crl-entry-table.ts";
import { type Serial, SHARDS } from "../pki/serial.ts";
import type { ShardStatuses } from "./list-statuses.ts";

/** The list that is current, as its row has it. */
export interface CurrentRow {
  readonly scope: string;
  readonly number: string;
  readonly entries: number;
  readonly this_update: Date;
  readonly signed_at: Date;
}

/** The lists of an issuing CA, in the order in which they come. */
export const SCOPES = [
  "full",
  ...Array.from({ length: 16 }, (_, shard) => `0${shard.toString(16)}`),
];

const shardOf = (scope: string): number | undefined =>
  scope === "full" ? undefined : Number.parseInt(scope, 16);

/** What the lists of one scope are compared with. */
export interface Comparison {
  /** Of each shard. */
  readonly statuses: readonly ShardStatuses[];
  /** The shards of those whose status has changed since the lists' watermark: a list may say the one or the other. */
  readonly changed: ReadonlyMap<Serial, number>;
  readonly scope: string;
  /** The list that is current. */
  readonly before: CurrentRow | undefined;
}

/** Whether a list may leave the certificate out: the one before covered its notAfter, and had it. */
function mayHaveLeft(
  statuses: ShardStatuses,
  row: number,
  before: CurrentRow | undefined,
): boolean {
  return (
    before !== undefined &&
    statuses.notAfter(row) < before.this_update.getTime() &&
    statuses.revokedAt(row) < before.signed_at.getTime()
  );
}

/** In whole seconds, as a list has it. */
const publishedAt = (revokedAt: number): number => Math.floor((revokedAt - BACKDATE_MS) / 1000);

function* differences(
  table: CrlEntryTable,
  index: number,
  { statuses, row }: { readonly statuses: ShardStatuses; readonly row: number },
): Generator<string> {
  const reason = statuses.reason(row);
  if (reason !== table.reason(index))
    yield `R12 ${table.serial(index)} has reason ${table.reason(index)} instead of ${reason}`;
  if (publishedAt(statuses.revokedAt(row)) !== Math.floor(table.revokedAt(index) / 1000))
    yield `R15 ${table.serial(index)} has the wrong revocation date`;
}

/** The shard that a serial belongs to by its last octet. */
const ownShard = (table: CrlEntryTable, index: number): number =>
  (table.source[table.at(index) + table.octets(index) - 1] ?? 0) % SHARDS;

/** Whether the status of a row is what the lists must say. */
const isSettled = ({ changed }: Comparison, serial: () => Serial): boolean =>
  changed.size === 0 || !changed.has(serial());

/** The statuses that a list may have entries of, by their shards. */
function partsOf({ statuses, scope }: Comparison): readonly (ShardStatuses | undefined)[] {
  const shard = shardOf(scope);
  return statuses.map((part, own) => (shard === undefined || own === shard ? part : undefined));
}

/** Whether it may be on the list although its row says otherwise, because its status has changed since. */
function hasChanged({ changed, scope }: Comparison, serial: Serial): boolean {
  const shard = shardOf(scope);
  const found = changed.get(serial);
  return found !== undefined && (shard === undefined || found === shard);
}

// Who is on the list and must not be, or is there with something wrong; who must be and is not.
function* entryFindings(table: CrlEntryTable, compared: Comparison): Generator<string> {
  const parts = partsOf(compared);
  const isThere = parts.map((part) => new Uint8Array(part?.length ?? 0));
  for (let i = 0; i < table.length; i++) {
    const own = ownShard(table, i);
    const statuses = parts[own];
    const row = statuses?.find(table, i) ?? -1;
    if (statuses !== undefined && row >= 0) {
      (isThere[own] ?? new Uint8Array())[row] = 1;
      if (isSettled(compared, () => table.serial(i)))
        yield* differences(table, i, { statuses, row });
    } else if (!hasChanged(compared, table.serial(i))) {
      yield `R17 ${table.serial(i)} is on the list and must not be`;
    }
  }
  for (const [own, part] of parts.entries())
    if (part !== undefined) yield* missing(part, isThere[own] ?? new Uint8Array(), compared);
}

function* missing(
  part: ShardStatuses,
  isThere: Uint8Array,
  compared: Comparison,
): Generator<string> {
  for (let row = 0; row < part.length; row++) {
    if (
      isThere[row] === 0 &&
      isSettled(compared, () => part.serial(row)) &&
      !mayHaveLeft(part, row, compared.before)
    )
      yield `R16 ${part.serial(row)} must be on the list and is not`;
  }
}

/** What is wrong with the entries of a list: the first of it, which shows what it is. */
export function firstEntryFindings(table: CrlEntryTable, compared: Comparison): readonly string[] {
  const first: string[] = [];
  for (const finding of entryFindings(table, compared)) {
    if (first.push(finding) === MAX_ENTRY_FINDINGS) break;
  }
  return first;
}

/**
 * Who is on a list no more, with the reason that he had. Both lists are walked side by side, and nothing is kept but who
 * left; one out of order is a finding of its own.
 */
export function leavers(before: CrlEntryTable, after: CrlEntryTable): Map<Serial, number> {
  const gone = new Map<Serial, number>();
  let next = 0;
  for (let i = 0; i < before.length; i++) {
    while (next < after.length && after.compare(next, before, i) < 0) next++;
    if (next === after.length || after.compare(next, before, i) !== 0)
      gone.set(before.serial(i), before.reason(i));
  }
  return gone;
}

/**
 * Whether the shards have exactly what the full list has, each its own, so that what was found of the full list's entries
 * holds for theirs: both are walked from the front, where a million look-ups would go all over the memory once more.
 */
export function areShardsOf(full: CrlEntryTable, shards: readonly CrlEntryTable[]): boolean {
  const next = new Uint32Array(SHARDS);
  for (let i = 0; i < full.length; i++) {
    const own = ownShard(full, i);
    const shard = shards[own];
    const at = next[own] ?? 0;
    if (shard === undefined || shard.compare(at, full, i) !== 0) return false;
    if (shard.reason(at) !== full.reason(i) || shard.revokedAt(at) !== full.revokedAt(i))
      return false;
    next[own] = at + 1;
  }
  return shards.every((shard, own) => shard.length === next[own]);
}
