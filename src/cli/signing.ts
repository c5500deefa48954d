import {
  finishOrder,
  type OrderOutcome,
  outcomeOf,
  placeOrder,
  type WantedOrder,
} from "../ca/issuer-orders.ts";
import { publishLists, type PublishedLists } from "../ca/list-publishing.ts";
import type { SignerClient } from "../ca/signer-client.ts";
import { SignerUnavailableError } from "../ca/errors.ts";
import { loadCaConfig } from "../config/ca-config.ts";
import { readCrl } from "../pki/crl-reader.ts";
import type { Database } from "../storage/database.ts";
import { CommandError } from "./command.ts";
import { makeSignerFolders } from "./folders.ts";
import { CA_CONFIG, knownProfiles, signerSettings } from "./foundation.ts";
import { operatorAtTheMachine } from "./operator.ts";
import { runOwnSigner } from "./own-signer.ts";
import type { Reached } from "./reach.ts";
import type { System } from "./system.ts";
import { PUBLISH_CHANNEL } from "./wishes.ts";

/** How often the database is asked whether the running service has done what was wished. */
const POLL_MS = 100;

/** How long the running service may take. */
const PATIENCE_MS = 60_000;

/** Asks until it is so. False when that takes longer than the patience lasts. */
export async function until(
  done: () => Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  while (!(await done())) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return true;
}

/** The running service's signer as far as a command needs it: it journals by itself, and the database's mark tells how far. */
export function watchJournal(database: Database): Pick<SignerClient, "journal"> {
  return {
    journal: async (changeSeq) => {
      const isIn = async (): Promise<boolean> => {
        const rows = await database.query("select 1 from ca.journal_mark where change_seq >= $1", [
          changeSeq,
        ]);
        return rows.length > 0;
      };
      if (!(await until(isIn, PATIENCE_MS)))
        throw new SignerUnavailableError("the signer has not journaled it yet");
    },
  };
}

/** Works with a signer in this process. Only where no service runs: there is one signer at a time. */
export async function withSigner<T>(
  { config, url, serving, log }: Reached,
  options: { readonly system: System; readonly mayMakeCa: boolean },
  work: (signer: SignerClient) => Promise<T>,
): Promise<T> {
  if (serving) throw new CommandError("the service is running: stop it first");
  const { system, mayMakeCa } = options;
  makeSignerFolders(config);
  const settings = {
    ...signerSettings(config, {
      caConfig: loadCaConfig(CA_CONFIG, knownProfiles(config)),
      databaseUrl: url,
    }),
    mayMakeCa,
    // A ceremony makes the root's key here, and a command may have been called to take it away.
    mayKeepRoot: true,
  };
  const signer = await runOwnSigner({
    system,
    settings,
    log,
    onFatal: (error) => {
      throw error;
    },
  });
  try {
    return await work(signer);
  } finally {
    await signer.close();
  }
}

interface ListRow {
  readonly issuer_id: string;
  readonly number: string;
  readonly entries: number;
}

const CURRENT =
  "select issuer_id, number::text as number, entries from ca.list where current and scope = 'full' order by issuer_id";

/** Whether the VA of this machine gives out a list of this number, or a later one. */
async function isServed({ config }: Reached, { issuer_id, number }: ListRow): Promise<boolean> {
  const { host, port } = config.va;
  const named = host.includes(":") ? `[${host}]` : host;
  try {
    const response = await fetch(`http://${named}:${port}/crl/${issuer_id}.crl`, {
      signal: AbortSignal.timeout(5_000),
    });
    const served = readCrl(new Uint8Array(await response.arrayBuffer())).number ?? 0n;
    return served >= BigInt(number);
  } catch {
    return false;
  }
}

/** Asks the running service, and waits until the new lists are current and, where it is this machine's, can be fetched. */
export async function publishThere(
  reached: Reached,
  wanted?: readonly string[],
): Promise<readonly PublishedLists[]> {
  const database = reached.open("suido_worker");
  const before = new Map(
    (await database.query<ListRow>(CURRENT)).map((row) => [row.issuer_id, row.number]),
  );
  const issuerIds = wanted ?? (await onlineIssuers(database));
  for (const issuerId of issuerIds)
    await database.query("select pg_notify($1, $2)", [PUBLISH_CHANNEL, issuerId]);
  const published: PublishedLists[] = [];
  for (const issuerId of issuerIds) {
    let row: ListRow | undefined;
    const arrived = await until(async () => {
      row = (await database.query<ListRow>(CURRENT)).find(
        ({ issuer_id }) => issuer_id === issuerId,
      );
      if (row === undefined || row.number === before.get(issuerId)) return false;
      return !reached.serving || (await isServed(reached, row));
    });
    if (!arrived || row === undefined) {
      throw new CommandError(
        "the service has not published the lists within a minute: its log says why",
      );
    }
    published.push({ issuerId, number: BigInt(row.number), entries: row.entries });
  }
  return published;
}

/** The CAs whose keys are online, and whose lists can be made at any time. */
async function onlineIssuers(database: Database): Promise<readonly string[]> {
  const issuers = await database.query<{ id: string }>(
    "select id from ca.issuer where kind = 'issuing' and state <> 'ended' order by id",
  );
  return issuers.map(({ id }) => id);
}

/** Publishes the lists of these CAs, by default of all online ones, with a signer of our own. */
export async function publishHere(
  reached: Reached,
  { system, signer }: { readonly system: System; readonly signer: SignerClient },
  issuerIds?: readonly string[],
): Promise<readonly PublishedLists[]> {
  const database = reached.open("suido_worker");
  const published: PublishedLists[] = [];
  for (const id of issuerIds ?? (await onlineIssuers(database)))
    published.push(await publishLists(id, { ...system, signer, database }));
  return published;
}

/**
 * Publishes the lists of these CAs, by default of all online ones, now: through the running service or, where none runs,
 * with a signer of our own.
 */
export async function publishNow(
  reached: Reached,
  system: System,
  issuerIds?: readonly string[],
): Promise<readonly PublishedLists[]> {
  if (reached.serving) return publishThere(reached, issuerIds);
  return withSigner(reached, { system, mayMakeCa: false }, (signer) =>
    publishHere(reached, { system, signer }, issuerIds),
  );
}

/** Orders something of the signer, the running service's or one of our own, and waits for what has become of it. */
export async function orderOfSigner(
  reached: Reached,
  wanted: WantedOrder,
  system: System,
): Promise<OrderOutcome> {
  const database = reached.open("suido_signer");
  const order = { ...wanted, id: system.newId(), actor: operatorAtTheMachine().actor };
  await placeOrder(database, order, system.clock());
  let outcome: OrderOutcome | undefined;
  const wait = (): Promise<boolean> =>
    until(async () => {
      outcome = await outcomeOf(database, order.id);
      return outcome !== undefined;
    }, PATIENCE_MS);
  try {
    if (reached.serving) await wait();
    else await withSigner(reached, { system, mayMakeCa: false }, wait);
  } finally {
    // Nobody waits for it any more: it shall not be carried out when nobody expects it.
    const refused = "it was not carried out within a minute";
    await finishOrder(database, order, { refused, at: system.clock() });
  }
  return (
    outcome ?? { refused: "the signer has not carried it out within a minute: its log says why" }
  );
}
