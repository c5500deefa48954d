import type { Clock } from "../pki/clock.ts";
import type { Verify } from "../pki/crypto.ts";
import { pemEncode } from "../pki/pem.ts";
import type { Database } from "../storage/database.ts";
import { readLongOctets } from "../storage/long-octets.ts";
import type { Issuer } from "./issuer.ts";
import { MEDIA_TYPE, publicationOf, type Publication } from "./publication.ts";
import { judgeList, type PublishedList } from "./published-list.ts";

/** A list of the database that somebody wants to give out. */
export interface WantedList {
  readonly issuer: Issuer;
  readonly scope: string;
  /** In decimal digits. */
  readonly number: string;
  /** The number of the list that it would replace. */
  readonly previousNumber?: bigint;
}

/** The list if it may be given out, otherwise what is wrong with it. */
export interface LoadedList {
  readonly wanted: WantedList;
  readonly judged: PublishedList | readonly string[];
}

/** Dates of a bundle of lists. */
export interface BundleDates {
  readonly modifiedAt: Date;
  readonly expiresAt: Date;
}

/**
 * What takes long where lists are long: a million entries are half a second. Done in place where they are short, and by
 * somebody else, in a thread of its own, where they are not: whoever asks for OCSP meanwhile is not to wait.
 */
export interface ListWork {
  /** Fetches lists and judges them. One that has gone meanwhile is left out. */
  load(wanted: readonly WantedList[]): Promise<readonly LoadedList[]>;
  /** These lists in one PEM file. */
  bundle(lists: readonly Uint8Array[], dates: BundleDates): Promise<Publication>;
}

export interface ListWorkDeps {
  /** As suido_va. */
  readonly database: Pick<Database, "transaction">;
  readonly verify: Verify;
  readonly clock: Clock;
}

const DER = `select der from ca.list where issuer_id = $1 and scope = $2 and number = $3 and der is not null`;

async function load(
  wanted: readonly WantedList[],
  { clock, database, verify }: ListWorkDeps,
): Promise<readonly LoadedList[]> {
  const loaded: LoadedList[] = [];
  for (const list of wanted) {
    const { issuer, scope, number } = list;
    const der = await database.transaction((sql) =>
      readLongOctets(sql, DER, [issuer.id, scope, number]),
    );
    // Without its bytes the list was replaced a moment ago: the next poll finds its successor.
    if (der === undefined) continue;
    loaded.push({ wanted: list, judged: judgeList({ ...list, der }, { now: clock(), verify }) });
  }
  return loaded;
}

function bundle(lists: readonly Uint8Array[], dates: BundleDates): Publication {
  const parts = lists.map((der) => Buffer.from(pemEncode("X509 CRL", der), "latin1"));
  return publicationOf(Buffer.concat(parts), MEDIA_TYPE.pem, dates);
}

/** In place. */
export function createListWork(deps: ListWorkDeps): ListWork {
  return {
    load: (wanted) => load(wanted, deps),
    bundle: async (lists, dates) => bundle(lists, dates),
  };
}
