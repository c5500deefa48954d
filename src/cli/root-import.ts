import path from "node:path";

import { CeremonyError } from "../ca/errors.ts";
import { openFileKeyStore } from "../ca/file-key-store.ts";
import { readIssuer } from "../ca/issuer.ts";
import { readKeks } from "../ca/kek.ts";
import { answerFindings } from "../ca/root-import.ts";
import { readRequest } from "../ca/root-request.ts";
import { readResponse, type RootResponse } from "../ca/root-response.ts";
import { loadCaConfig } from "../config/ca-config.ts";
import { toHex } from "../pki/bytes.ts";
import { readCrl } from "../pki/crl-reader.ts";
import type { Database } from "../storage/database.ts";
import { takePendingDelegate } from "../va/delegate-file.ts";
import { CommandError, type Surroundings } from "./command.ts";
import { CA_CONFIG } from "./foundation.ts";
import { operatorAtTheMachine } from "./operator.ts";
import type { Reached } from "./reach.ts";
import { until, withSigner } from "./signing.ts";

/** What an import has put in force. */
export interface ImportedSession {
  readonly requestId: string;
  readonly listNumber: bigint;
  /** The new issuing CA, if the session made one. */
  readonly issuing?: string;
  /** Whether the delegate's key was here, for this machine's VA to go on with. */
  readonly delegate: "taken" | "elsewhere";
}

interface RequestRow {
  readonly root_id: string;
  readonly state: "open" | "answered" | "imported" | "withdrawn";
  readonly request: string;
  readonly response: string | null;
  readonly findings: readonly string[] | null;
  readonly closed_at: Date | null;
}

async function readRow(database: Database, { requestId }: RootResponse): Promise<RequestRow> {
  const [row] = await database.query<RequestRow>(
    "select root_id, state, request, response, findings, closed_at from ca.root_request where id = $1",
    [requestId],
  );
  if (row === undefined)
    throw new CommandError(`this database has never asked for ${requestId}: make a new request`);
  return row;
}

function refusal(findings: readonly string[]): CeremonyError {
  return new CeremonyError(`the response is refused: ${findings.join("; ")}`);
}

interface Import {
  readonly content: string;
  readonly response: RootResponse;
  readonly database: Database;
  readonly reached: Reached;
  readonly system: Surroundings["system"];
}

/** A CA that is announced without its key would keep the signer from starting. */
async function checkKeyIsHere(
  row: RequestRow,
  { reached: { config }, system }: Import,
): Promise<void> {
  const { issuing } = readRequest(row.request);
  if (issuing === undefined) return;
  const keyStore = openFileKeyStore({
    folder: config.keyStoreDir,
    keks: readKeks(config.kekFile),
    random: system.random,
  });
  const key = await keyStore.open(issuing.id, "issuing");
  if (toHex(key.spki) !== toHex(issuing.spki))
    throw refusal([`the key "${issuing.id}" of this key store is another than the request's`]);
}

/** Checks the response here, as a stranger's, and leaves it for the signer, which does so again. */
async function leaveForSigner(row: RequestRow, work: Import): Promise<void> {
  const { content, response, database, system } = work;
  const answer = {
    id: response.requestId,
    root_id: row.root_id,
    request: row.request,
    response: content,
    answered_by: operatorAtTheMachine().actor,
  };
  const { profiles } = loadCaConfig(CA_CONFIG);
  const findings = await answerFindings(database, answer, { ...system, profiles });
  if (findings.length > 0) throw refusal(findings);
  await checkKeyIsHere(row, work);
  const left = await database.query(
    `update ca.root_request set state = 'answered', response = $2, answered_by = $3, findings = null
     where id = $1 and state = 'open' returning id`,
    [answer.id, content, answer.answered_by],
  );
  if (left.length === 0) throw new CommandError("somebody else is importing it: look again");
}

/** Waits until the signer has taken the answer: the running service's, or one of our own where none runs. */
async function waitForSigner({ database, response, reached, system }: Import): Promise<void> {
  const isDone = async (): Promise<boolean> =>
    (await readRow(database, response)).state !== "answered";
  const isTaken = reached.serving
    ? await until(isDone)
    : await withSigner(reached, { system, mayMakeCa: false }, () => until(isDone));
  if (!isTaken)
    throw new CommandError(
      "the signer has not taken it within a minute: its log says why. It will go on by itself; this command can be called again",
    );
  const { state, findings } = await readRow(database, response);
  if (state !== "imported") throw refusal(findings ?? ["it was withdrawn"]);
}

async function takeDelegate(row: RequestRow, work: Import): Promise<boolean> {
  const { database, response, reached, system } = work;
  const root = await readIssuer(database, row.root_id);
  if (root === undefined) throw new CommandError(`there is no root ${row.root_id}`);
  const { requestId, delegate: certificate } = response;
  return takePendingDelegate(
    path.join(reached.config.dataDir, "va"),
    { requestId, certificate, rootCertificate: root.certificate, now: system.clock() },
    system.random,
  );
}

/**
 * Puts in force what a root session has signed: certificates and list by the signer, in the order of everything that is
 * signed, then the delegate in the VA's folder. What was interrupted is finished by calling it again. Throws CommandError
 * and CeremonyError.
 */
export async function importResponse(
  content: string,
  reached: Reached,
  { system }: Surroundings,
): Promise<ImportedSession> {
  const response = readResponse(content);
  const database = reached.open("suido_signer");
  const work = { content, response, database, reached, system };
  const row = await readRow(database, response);
  if (row.state === "withdrawn")
    throw new CommandError(
      `the request ${response.requestId} was withdrawn: destroy this response`,
    );
  if (row.state !== "open" && row.response !== content)
    throw new CommandError(`the request ${response.requestId} has another response already`);
  if (row.state === "open") await leaveForSigner(row, work);
  if (row.state !== "imported") await waitForSigner(work);
  const isTaken = await takeDelegate(row, work);
  if (row.state === "imported" && !isTaken)
    throw new CommandError(
      `the request ${response.requestId} was answered and imported on ${row.closed_at?.toISOString()} already`,
    );
  const { issuing } = readRequest(row.request);
  return {
    requestId: response.requestId,
    listNumber: readCrl(response.list).number ?? 0n,
    ...(issuing !== undefined && { issuing: issuing.id }),
    delegate: isTaken ? "taken" : "elsewhere",
  };
}
