import { ADVISORY_LOCK, ADVISORY_LOCK_CLASS } from "../storage/advisory-locks.ts";
import type { Database } from "../storage/database.ts";
import { isUnavailable } from "../storage/errors.ts";

const LOCK = [ADVISORY_LOCK_CLASS, ADVISORY_LOCK.signer] as const;

/** How often the lock is looked after: well within the time after which an idle connection is closed. */
const WATCH_MS = 2_000;

export interface SignerLock {
  /** Stops looking after it. The lock goes with the session. */
  release(): void;
}

async function take(session: Database): Promise<boolean> {
  // Asked first, because taking it a second time would have to be given back a second time.
  const [row] = await session.query<{ held: boolean }>(
    `select exists (select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and classid::bigint = $1::integer and objid::bigint = $2::integer and granted)
       or pg_try_advisory_lock($1::integer, $2::integer) as held`,
    [...LOCK],
  );
  return row?.held === true;
}

/**
 * One signer a database: a lock of a session of its own (`max: 1`), taken again when the connection was lost. Undefined
 * while another signer holds it. It keeps a standby waiting; what makes sure is the fencing epoch in every commit.
 */
export async function takeSignerLock(
  session: Database,
  onLost: (error: Error) => void,
): Promise<SignerLock | undefined> {
  if (!(await take(session))) return undefined;
  let isBusy = false;
  const watch = async (): Promise<void> => {
    if (isBusy) return;
    isBusy = true;
    try {
      if (!(await take(session))) onLost(new Error("another signer has taken over"));
    } catch (error) {
      // While the database is away nobody can take over.
      if (!isUnavailable(error)) onLost(error as Error);
    } finally {
      isBusy = false;
    }
  };
  const timer = setInterval(() => void watch(), WATCH_MS);
  return {
    release: () => clearInterval(timer),
  };
}

/** Whether a signer works with this database now, wherever it runs. */
export async function isSignerAtWork(database: Database): Promise<boolean> {
  const [row] = await database.query<{ held: boolean }>(
    `select exists (select from pg_locks l join pg_database d on d.oid = l.database
       where d.datname = current_database() and l.locktype = 'advisory' and l.classid::bigint = $1::integer and l.objid::bigint = $2::integer and l.granted) as held`,
    [...LOCK],
  );
  return row?.held === true;
}
