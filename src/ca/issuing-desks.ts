import { type Serial, serialBytes } from "../pki/serial.ts";
import type { Database } from "../storage/database.ts";
import { uniqueViolation } from "../storage/errors.ts";
import { gathered } from "../storage/gathered.ts";
import type { TenantWork } from "../storage/together.ts";
import { ISSUED_COLUMNS, type IssuedRow, serialOf } from "./certificate-record.ts";
import { IssuingStoppedError } from "./errors.ts";
import { MOST_WAITING, type SignerClient } from "./signer-client.ts";

/** One that waits for a lock does not hold up everybody. */
const RESERVATIONS_AT_ONCE = 2;

/** Reserves for one; of the very same request twice at once, the slower one finds the serial of the quicker. */
async function reserveAlone<T>(
  database: Pick<Database, "tenant">,
  { corporationId, work }: TenantWork<T>,
): Promise<T> {
  try {
    return await database.tenant(corporationId, work);
  } catch (error) {
    if (uniqueViolation(error) !== "idempotency_pkey") throw error;
    return database.tenant(corporationId, work);
  }
}

async function reserveTogether<T>(
  database: Pick<Database, "tenant" | "together">,
  works: readonly TenantWork<T>[],
): Promise<readonly (T | Promise<T>)[]> {
  const outcomes = works.length === 1 ? undefined : await database.together(works);
  if (outcomes === undefined) return works.map((work) => reserveAlone(database, work));
  return outcomes.map((outcome) =>
    outcome.status === "fulfilled" ? outcome.value : Promise.reject(outcome.reason as Error),
  );
}

/**
 * Where serials are reserved: one commit and a few messages serve all who come at the same time. What cannot be done
 * together is done alone.
 */
export function reservationDesk<T>(
  database: Pick<Database, "tenant" | "together">,
): (work: TenantWork<T>) => Promise<T> {
  return gathered<TenantWork<T>, T>({
    many: (works) => reserveTogether(database, works),
    most: MOST_WAITING,
    atOnce: RESERVATIONS_AT_ONCE,
  });
}

/** Where one may not be signed, the others are asked for again, alone: asking twice does no harm. */
async function signTogether(
  signer: Pick<SignerClient, "issue">,
  serials: readonly Serial[],
): Promise<readonly unknown[]> {
  try {
    return await signer.issue(serials);
  } catch (error) {
    if (serials.length === 1 || !(error instanceof IssuingStoppedError)) throw error;
    return serials.map((serial) => signer.issue([serial]));
  }
}

/** Where reserved serials are signed. What became of each, the database says. */
export function signingDesk(
  signer: Pick<SignerClient, "issue">,
): (serial: Serial) => Promise<unknown> {
  return gathered<Serial, unknown>({
    many: (serials) => signTogether(signer, serials),
    most: MOST_WAITING,
    // The signer has a queue of its own.
    atOnce: 2,
  });
}

/** A serial that was reserved, and what became of it. */
export type StateRow =
  | (IssuedRow & { readonly findings: null })
  | { readonly state: "reserved" | "abandoned" }
  | { readonly state: "refused"; readonly findings: readonly string[] | null };

/** What became of these serials, in their order. */
async function readStates(
  database: Pick<Database, "query">,
  serials: readonly Serial[],
): Promise<readonly (StateRow | undefined)[]> {
  const rows = await database.query<StateRow & { readonly serial: Uint8Array }>(
    `select i.findings, ${ISSUED_COLUMNS} from ca.issued i where i.serial = any($1::bytea[])`,
    [serials.map((serial) => Buffer.from(serialBytes(serial)))],
    "ca-issue-states",
  );
  const bySerial = new Map(rows.map((row) => [serialOf(row.serial), row]));
  return serials.map((serial) => bySerial.get(serial));
}

/** Where is said what became of serials; undefined where there is no such one. */
export function stateDesk(
  database: Pick<Database, "query">,
): (serial: Serial) => Promise<StateRow | undefined> {
  return gathered<Serial, StateRow | undefined>({
    many: (serials) => readStates(database, serials),
    most: MOST_WAITING,
    atOnce: 2,
  });
}
