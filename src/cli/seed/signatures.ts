import { setTimeout as sleep } from "node:timers/promises";

import { RESERVED_CHANNEL } from "../../ca/signer.ts";
import type { SignerClient } from "../../ca/signer-client.ts";
import { type Serial, serialBytes } from "../../pki/serial.ts";
import type { Database } from "../../storage/database.ts";
import { CommandError } from "../command.ts";

/** Has reserved serials signed. Throws CommandError where one is refused. */
export type Sign = (serials: readonly Serial[]) => Promise<void>;

/** How often the database is asked whether the running service has signed. */
const POLL_MS = 100;

/** After so long without a signature something is wrong there. */
const PATIENCE_MS = 60_000;

const refusal = (findings: readonly string[]): CommandError =>
  new CommandError(`a certificate was refused: ${findings.join("; ")}`);

/** By a signer of our own. */
export function signHere({ issue }: Pick<SignerClient, "issue">): Sign {
  return async (serials) => {
    for (const outcome of await issue(serials))
      if (outcome.outcome === "refused") throw refusal(outcome.findings);
  };
}

interface Standing {
  readonly waiting: number;
  readonly refused: number;
  readonly findings: readonly string[] | null;
}

const STANDING = `select count(*) filter (where state = 'reserved')::integer as waiting,
    count(*) filter (where state in ('refused', 'abandoned'))::integer as refused,
    (array_agg(findings[1]) filter (where state = 'refused'))[1:1] as findings
  from ca.issued where serial = any($1::bytea[])`;

/** By the signer of the running service, which looks for what is reserved when it is told. */
export function signThere(database: Database): Sign {
  return async (serials) => {
    const keys = serials.map((serial) => Buffer.from(serialBytes(serial)));
    await database.query("select pg_notify($1, '')", [RESERVED_CHANNEL]);
    let waiting = serials.length;
    for (let movedAt = performance.now(); waiting > 0; await sleep(POLL_MS)) {
      const [standing] = await database.query<Standing>(STANDING, [keys], "seed-standing");
      if (standing === undefined) throw new Error("counting gives a row");
      if (standing.refused > 0) throw refusal(standing.findings ?? ["it was given up"]);
      if (standing.waiting < waiting) movedAt = performance.now();
      ({ waiting } = standing);
      if (performance.now() - movedAt > PATIENCE_MS)
        throw new CommandError("the service has signed nothing for a minute: its log says why");
    }
  };
}
