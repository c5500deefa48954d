import path from "node:path";

import type { Logger } from "pino";
import { collectDefaultMetrics, Registry } from "prom-client";
import type { Config } from "../config/environment.ts";
import type { Readiness } from "../http/routes-operations.ts";
import { listen } from "../storage/listen.ts";
import { createVa, type Va } from "../va/va.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { takeUpDuties } from "./duties.ts";
import { layFoundation, Undoing } from "./foundation.ts";
import { openAppListener, openMtlsListener, openVaListener } from "./listeners.ts";
import { type Opening, openPool, openRooms } from "./rooms.ts";
import type { System } from "./system.ts";

/** All roles in this process and the signer's beside it. */
export interface Service {
  readonly config: Config;
  /** Takes no more requests, finishes those under way, and closes everything. */
  close(): Promise<void>;
}

export interface ServiceOptions {
  readonly config: Config;
  readonly system: System;
  readonly log: Logger;
  /** Something below is gone for good: the process should end, and be started anew. */
  readonly onFatal: (error: Error) => void;
}

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

/** What each role says of itself, for `/health/ready` and the console. */
function readinessOf(
  { foundation }: Opening,
  { va, jobs }: { readonly va: Va; readonly jobs: Jobs },
): () => Promise<Readiness> {
  return async () => {
    const { reasons } = va.status();
    const signer = await foundation.signer.status().then(
      ({ state, reason }) => ({
        ready: state === "ready",
        ...(reason === undefined ? {} : { detail: reason }),
      }),
      () => ({ ready: false, detail: "the signer does not answer" }),
    );
    const worker = await jobs.health();
    const roles = {
      va: reasons.length === 0 ? { ready: true } : { ready: false, detail: reasons.join(", ") },
      app: { ready: true },
      mtls: { ready: true },
      worker: {
        ready: worker.ready,
        ...(worker.detail === undefined ? {} : { detail: worker.detail }),
      },
      signer,
    };
    return { ready: Object.values(roles).every(({ ready }) => ready), roles };
  };
}

/** Starts everything, from the ground up. What was started is stopped again when a later part fails. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { config, system, log, onFatal } = options;
  const undoing = new Undoing();
  try {
    const foundation = await layFoundation({ config, log, undoing, onDatabaseExit: onFatal });
    const opening: Opening = { config, system, log, undoing, foundation };
    const metrics = new Registry();
    collectDefaultMetrics({ register: metrics });
    const va = await openVa(opening, metrics);
    await openVaListener(opening, va);
    const rooms = openRooms(opening);
    const mtls = await openMtlsListener(opening, { rooms, va });
    const jobs = await takeUpDuties(opening, { va, mtls, metrics });
    const readiness = readinessOf(opening, { va, jobs });
    await openAppListener(opening, { rooms, va, metrics, readiness });
    return { config, close: () => undoing.all(log) };
  } catch (error) {
    await undoing.all(log);
    throw error;
  }
}
