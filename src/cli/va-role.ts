import path from "node:path";

import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { Readiness, RoleState } from "../http/routes-operations.ts";
import { createVaApp } from "../http/va-app.ts";
import { listen } from "../storage/listen.ts";
import { registerVaMetrics } from "../va/metrics.ts";
import type { VaQuestion } from "../va/process-message.ts";
import { startVaProcesses, type VaProcesses } from "../va/processes.ts";
import { createVa, type Va } from "../va/va.ts";
import { combineStatus, type VaStatus } from "../va/va-status.ts";
import { listenOn } from "./door.ts";
import { createListWorkApart } from "./list-work.ts";
import { type Opening, openPool } from "./opening.ts";
import { VA_CONNECTIONS } from "./va-connections.ts";

/** The VA of this process, and what it knows of those that answer on the same port. */
export interface VaRole {
  readonly va: Va;
  /** Of all processes together. */
  status(): VaStatus;
  state(): RoleState;
}

export interface VaRoleDeps {
  readonly metrics: Registry;
  /** Where no app listener tells them: the readiness and the figures of this process. */
  readonly operations: { readonly readiness: () => Promise<Readiness> } | undefined;
}

const folderOf = ({ config }: Opening): string => path.join(config.dataDir, "va");

async function openVa(opening: Opening): Promise<Va> {
  const { config, system, log, undoing, foundation } = opening;
  const va = await createVa({
    ...system,
    database: openPool(opening, { role: "suido_va", max: VA_CONNECTIONS }),
    subscribe: (subscription) =>
      listen({ url: foundation.databaseUrl, role: "suido_va", ...subscription }),
    requestDelegate: (issuerId, spki) => foundation.signer.delegate(issuerId, spki),
    folder: folderOf(opening),
    maxStaleMs: config.maxStaleMs,
    log,
    apart: createListWorkApart(foundation.databaseUrl),
  });
  undoing.add(() => va.close());
  return va;
}

function stateOf({ reasons }: VaStatus): RoleState {
  return reasons.length === 0 ? { ready: true } : { ready: false, detail: reasons.join(", ") };
}

interface ProcessesDeps {
  readonly va: Va;
  readonly readiness: () => Promise<Readiness>;
  readonly metrics: Registry;
  readonly showsMetrics: boolean;
  readonly log: Logger;
}

/** The processes beside this one, each with everything that it needs to answer alone. */
function startOthers(opening: Opening, deps: ProcessesDeps): Promise<VaProcesses> {
  const { config, foundation, log } = opening;
  const { metrics, readiness, showsMetrics, va } = deps;
  const answer = (question: VaQuestion): Promise<unknown> => {
    switch (question.about) {
      case "delegate":
        return foundation.signer.delegate(question.issuerId, question.spki);
      case "readiness":
        return readiness();
      case "metrics":
        return metrics.metrics();
    }
  };
  const { host, port } = config.va;
  return startVaProcesses({
    entry: new URL("./va-process.ts", import.meta.url),
    settings: Array.from({ length: config.vaProcesses - 1 }, (_, i) => ({
      number: i + 2,
      databaseUrl: foundation.databaseUrl,
      folder: folderOf(opening),
      host,
      port,
      maxStaleMs: config.maxStaleMs,
      showsMetrics,
    })),
    answer,
    beforeRestart: () => va.save(),
    log,
  });
}

/** The VA and its listener, in as many processes as the configuration says: this one and others beside it. */
export async function openVaRole(
  opening: Opening,
  { metrics, operations }: VaRoleDeps,
): Promise<VaRole> {
  const { config, system, log, undoing } = opening;
  const va = await openVa(opening);
  let others: VaProcesses | undefined;
  const status = (): VaStatus => combineStatus(va.status(), others?.states() ?? []);
  const state = (): RoleState => stateOf(status());
  registerVaMetrics(metrics, { status, clock: system.clock });
  const readiness =
    operations?.readiness ??
    (async (): Promise<Readiness> => ({ ready: state().ready, roles: { va: state() } }));
  const showsMetrics = operations !== undefined;
  const app = await createVaApp({
    responder: va.responder,
    counts: va.counts,
    publication: (name) => va.repository.get(name),
    readiness,
    clock: system.clock,
    log,
    ...(showsMetrics && { metrics }),
  });
  // All of them at once: connections take their time to end.
  undoing.add(() => Promise.all([app.close(), others?.close()]));
  const isShared = config.vaProcesses > 1;
  await listenOn(app, { ...config.va, isShared }, "SUIDO_VA_LISTEN");
  if (isShared) others = await startOthers(opening, { va, readiness, metrics, showsMetrics, log });
  return { va, status, state };
}
