import path from "node:path";

import type { Registry } from "prom-client";
import type { Readiness } from "../http/routes-operations.ts";
import { createVaApp } from "../http/va-app.ts";
import { listen } from "../storage/listen.ts";
import { createVa, type Va } from "../va/va.ts";
import { listenOn } from "./door.ts";
import { type Opening, openPool } from "./opening.ts";

/** Connections of the VA: one statement at a time, and one more while it catches up. */
const VA_CONNECTIONS = 3;

async function openVa(opening: Opening, metrics: Registry): Promise<Va> {
  const { config, system, log, undoing, foundation } = opening;
  const va = await createVa({
    ...system,
    database: openPool(opening, { role: "suido_va", max: VA_CONNECTIONS }),
    subscribe: (subscription) =>
      listen({ url: foundation.databaseUrl, role: "suido_va", ...subscription }),
    requestDelegate: (issuerId, spki) => foundation.signer.delegate(issuerId, spki),
    folder: path.join(config.dataDir, "va"),
    maxStaleMs: config.maxStaleMs,
    log,
    registry: metrics,
  });
  undoing.add(() => va.close());
  return va;
}

export interface VaRoleDeps {
  readonly metrics: Registry;
  /** Where no app listener tells them: the readiness and the figures of this process. */
  readonly operations: { readonly readiness: () => Promise<Readiness> } | undefined;
}

/** The VA and its listener. */
export async function openVaRole(
  opening: Opening,
  { metrics, operations }: VaRoleDeps,
): Promise<Va> {
  const { config, system, log, undoing } = opening;
  const va = await openVa(opening, metrics);
  const app = await createVaApp({
    responder: va.responder,
    counts: va.counts,
    publication: (name) => va.repository.get(name),
    notReady: () => va.status().reasons,
    clock: system.clock,
    log,
    ...(operations !== undefined && { operations: { ...operations, metrics } }),
  });
  undoing.add(() => app.close());
  await listenOn(app, config.va, "SUIDO_VA_LISTEN");
  return va;
}
