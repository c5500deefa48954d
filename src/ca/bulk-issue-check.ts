import { setImmediate as turn } from "node:timers/promises";

import { toHex } from "../pki/bytes.ts";
import { PkiError } from "../pki/errors.ts";
import type { Profile } from "../pki/profile.ts";
import { canonicalId } from "../registry/principal.ts";
import type { Sql } from "../storage/sql.ts";
import { heldOf } from "./device-hold.ts";
import { type BulkFault, BulkRefusedError, isRefusal } from "./errors.ts";
import {
  checkRequestKey,
  keyOfRequest,
  type RequestKey,
  type RequestKeyDeps,
} from "./request-key.ts";
import { checkDevice, type DeviceFacts } from "./reservation-rules.ts";

/** One certificate of many: for whom, and the request with its key; without one, Suido makes the key when it is collected. */
export interface BulkItem {
  readonly deviceId: string;
  readonly accountId: string;
  /** In PEM. */
  readonly csr?: string;
}

/** The same, read. */
export interface CheckedItem {
  readonly deviceId: string;
  readonly accountId: string;
  readonly key?: RequestKey;
}

/** Requests that are verified before others have a turn: some milliseconds. */
const AT_ONCE = 32;

/** Items of one statement: it ends well within the time that the application's statements have. */
export const ITEMS_A_STATEMENT = 1_000;

const fieldOf = (place: number, field: string): string => `items[${place}].${field}`;

/** The faults of many items, in their order. */
class Faults {
  readonly #all: (BulkFault & { readonly place: number })[] = [];

  add(place: number, field: string, detail: string): void {
    this.#all.push({ place, field: fieldOf(place, field), detail });
  }

  /** Does the work, and takes what a single request would have been refused for. */
  try<T>(place: number, field: string, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const own = error instanceof PkiError ? undefined : error.field;
      this.add(place, own ?? field, error.message);
      return undefined;
    }
  }

  /** Throws BulkRefusedError when there are any. */
  throwAny(): void {
    if (this.#all.length === 0) return;
    const inOrder = this.#all.toSorted((a, b) => a.place - b.place);
    throw new BulkRefusedError(inOrder.map(({ field, detail }) => ({ field, detail })));
  }
}

/**
 * Reads what is wanted: each request is well-formed, proves that its sender has the key, which the profile allows, and
 * each key is wanted once. Others have their turn in between. Throws BulkRefusedError with every fault.
 */
export async function readItems(
  items: readonly BulkItem[],
  { keys }: Profile,
  deps: RequestKeyDeps,
): Promise<readonly CheckedItem[]> {
  const faults = new Faults();
  const read: CheckedItem[] = [];
  const places = new Map<string, number>();
  for (const [place, { csr, ...item }] of items.entries()) {
    if (place % AT_ONCE === AT_ONCE - 1) await turn();
    const ids = {
      deviceId: canonicalId({ kind: "device", id: item.deviceId }),
      accountId: canonicalId({ kind: "account", id: item.accountId }),
    };
    if (csr === undefined) {
      read.push(ids);
      continue;
    }
    const key = faults.try(place, "csr", () => {
      const found = keyOfRequest({ csr, allowed: keys }, deps);
      checkRequestKey(found, keys);
      return found;
    });
    if (key === undefined) continue;
    const name = toHex(key.spkiSha256);
    const first = places.get(name);
    if (first === undefined) places.set(name, place);
    else faults.add(place, "csr", `has the same key as ${fieldOf(first, "csr")}`);
    read.push({ ...ids, key });
  }
  faults.throwAny();
  return read;
}

type FactsRow = DeviceFacts & { readonly place: number };

const FACTS = `select wish.place::integer, d.pharmacy_id, d.name as device_name, d.platform, d.retired_at is not null as is_retired,
    ${heldOf("d.id", "$3")} as is_stopped,
    case when a.id is not null then a.disabled_at is not null end as is_disabled,
    exists (select from app.membership m where m.account_id = wish.account_id and m.pharmacy_id = d.pharmacy_id
      and m.valid_from <= $3 and (m.valid_to is null or m.valid_to > $3)) as is_member
  from unnest($1::uuid[], $2::uuid[]) with ordinality as wish (device_id, account_id, place)
  left join app.device d on d.id = wish.device_id
  left join app.account a on a.id = wish.account_id
  order by wish.place`;

/**
 * Looks whether each device and account are there, and belong together now; to be called within the tenant. Throws
 * BulkRefusedError with every fault. It is looked at again when the certificate is reserved.
 */
export async function checkDevices(
  sql: Sql,
  items: readonly CheckedItem[],
  now: Date,
): Promise<void> {
  const faults = new Faults();
  for (let from = 0; from < items.length; from += ITEMS_A_STATEMENT) {
    const some = items.slice(from, from + ITEMS_A_STATEMENT);
    const rows = await sql.query<FactsRow>(
      FACTS,
      [some.map(({ deviceId }) => deviceId), some.map(({ accountId }) => accountId), now],
      "ca-bulk-issue-facts",
    );
    for (const row of rows) faults.try(from + row.place - 1, "deviceId", () => checkDevice(row));
  }
  faults.throwAny();
}
