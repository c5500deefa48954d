import { createSequencer } from "../../audit/sequencer.ts";
import { verifyAudit } from "../../audit/verify.ts";
import { checkInvariants } from "../../ca/invariants.ts";
import { type Command, show } from "../command.ts";
import { reachDatabase } from "../reach.ts";

const verify: Command = {
  words: ["audit", "verify"],
  summary: "recompute the whole audit log and its Merkle root",
  run: async (given, surroundings) => {
    const report = await reachDatabase(surroundings, async ({ open }) => {
      const database = open("suido_worker");
      // Rows of the last seconds have no place in the log yet: they get it now, so that all that is committed is checked.
      await createSequencer({ database }).run();
      return verifyAudit(database);
    });
    const { ok, entries, root, faults } = report;
    show(given, surroundings, {
      json: { ok, entries, root: root, faults },
      lines: [
        `${ok ? "ok" : "NOT OK"}: ${entries} entries, root ${root}`,
        ...faults.map((fault) => JSON.stringify(fault)),
      ],
    });
    return ok ? 0 : 1;
  },
};

const invariants: Command = {
  words: ["audit", "invariants"],
  options: { http: { type: "boolean", help: "also read the lists through SUIDO_VA_URL" } },
  summary: "check database, journal and published lists against each other",
  run: async (given, surroundings) => {
    const { clock, digest, verify: verifySignature } = surroundings.system;
    const report = await reachDatabase(surroundings, ({ config, open }) =>
      checkInvariants({
        database: open("suido_worker"),
        journalFolder: config.journalDir,
        now: clock(),
        digest,
        scope: { verify: verifySignature, ...(given.options["http"] === true && { fetchList }) },
      }),
    );
    const { ok, checked, faults } = report;
    const counts = Object.entries(checked).map(([what, count]) => `${count} ${what}`);
    show(given, surroundings, {
      json: { ok, entries: checked.records, checked, faults },
      lines: [`${ok ? "ok" : "NOT OK"}: ${counts.join(", ")}`, ...faults],
    });
    return ok ? 0 : 1;
  },
};

async function fetchList(url: string): Promise<Uint8Array> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

export const auditCommands: readonly Command[] = [verify, invariants];
