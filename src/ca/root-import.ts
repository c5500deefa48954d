import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { CeremonyError } from "./errors.ts";
import type { JournalEntry } from "./journal-record.ts";
import type { Journal } from "./journal.ts";
import type { Checkpoint, Ledger } from "./ledger.ts";
import {
  type Answer,
  type AnswerDeps,
  type AnsweredRequest,
  commitAnswer,
  findingsWithin,
  listEntryOf,
  readAnswer,
  stillReserved,
  takeDates,
} from "./root-answer.ts";

/** Ends a transaction whose work was only tried. */
class Rehearsed extends Error {
  readonly findings: readonly string[];
  constructor(findings: readonly string[]) {
    super("rehearsed");
    this.findings = findings;
  }
}

/** Does everything that the commit will do, in a transaction that is rolled back. Returns what keeps it from being done. */
async function rehearse(
  database: Database,
  answer: Answer,
  deps: AnswerDeps,
): Promise<readonly string[]> {
  try {
    return await database.transaction(async (sql): Promise<never> => {
      const onRevoked = async (watermark: bigint): Promise<void> => {
        const findings = await findingsWithin(sql, answer, { deps, watermark });
        if (findings.length > 0) throw new Rehearsed(findings);
      };
      await commitAnswer(sql, answer, { deps, onRevoked });
      throw new Rehearsed([]);
    });
  } catch (error) {
    if (error instanceof Rehearsed) return error.findings;
    if (error instanceof CeremonyError) return [error.message];
    throw error;
  }
}

/**
 * What keeps an answer from being taken: by its request, by the root's certificate, and by what the database knows today.
 * It changes nothing.
 */
export async function answerFindings(
  database: Database,
  row: AnsweredRequest,
  deps: AnswerDeps,
): Promise<readonly string[]> {
  const answer = await readAnswer(database, row, deps);
  return "findings" in answer ? answer.findings : rehearse(database, answer, deps);
}

export interface RootImportDeps extends AnswerDeps {
  /** As suido_signer. */
  readonly database: Database;
  readonly ledger: Ledger;
  readonly checkpoint: Checkpoint;
}

/** Whether the journal has this very list already: a crash came between it and the commit. */
function isJournaled(journal: Journal, { row, number, listSha256 }: Answer): boolean {
  for (const record of journal.history()) {
    const isList = record.kind === "list" && record.issuerId === row.root_id;
    if (isList && record.number === String(number)) return record.sha256 === listSha256;
  }
  return false;
}

async function refuse(
  database: Database,
  { id }: AnsweredRequest,
  findings: readonly string[],
): Promise<void> {
  await database.query(
    "update ca.root_request set state = 'open', response = null, answered_by = null, findings = $2 where id = $1",
    [id, findings],
  );
}

/** Journal first, then the database: as for everything that is signed. */
async function take(answer: Answer, deps: RootImportDeps): Promise<void> {
  const { database, ledger, checkpoint } = deps;
  const { journal } = ledger;
  const { row, number } = answer;
  const last = journal.listNumber(row.root_id);
  const isThere = last === number && isJournaled(journal, answer);
  const findings =
    last >= number && !isThere
      ? [`the list's number ${number} does not rise above ${last}, which the journal has`]
      : await rehearse(database, answer, deps);
  if (findings.length > 0) return refuse(database, row, findings);
  const issued = await stillReserved(database, answer);
  await database.transaction((sql) => takeDates(sql, issued));
  checkpoint("root-checked");
  const commit = (sql: Sql): Promise<void> => commitAnswer(sql, answer, { deps });
  const entries: JournalEntry[] = [...issued];
  if (!isThere) entries.push(listEntryOf(answer, ledger.changeSeq));
  if (entries.length > 0) await ledger.write(entries, commit);
  else await database.transaction(commit);
}

/**
 * Takes in the answers that commands have left in the database: checks each like a stranger's, whoever has checked it
 * before, then journals and commits it. One that fails is refused, and the request is open again.
 */
export async function takeAnswers(deps: RootImportDeps): Promise<void> {
  const { database, ledger } = deps;
  const rows = await database.query<AnsweredRequest>(
    "select id, root_id, request, response, answered_by from ca.root_request where state = 'answered' order by requested_at",
    [],
    "root-answers",
  );
  for (const row of rows) {
    await ledger.turn(async () => {
      ledger.journal.checkClock();
      const answer = await readAnswer(database, row, deps);
      if ("findings" in answer) await refuse(database, row, answer.findings);
      else await take(answer, deps);
    });
  }
}
