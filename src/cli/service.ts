import type { Logger } from "pino";
import { collectDefaultMetrics, Registry } from "prom-client";
import type { Config } from "../config/environment.ts";
import { plainSite, type Site } from "../config/site.ts";
import type { Readiness, RoleState } from "../http/routes-operations.ts";
import type { Jobs } from "../jobs/jobs.ts";
import type { Database } from "../storage/database.ts";
import type { Authorizer } from "../va/authorizer.ts";
import type { Va } from "../va/va.ts";
import { layFoundation, Undoing } from "./foundation.ts";
import type { MtlsRole } from "./mtls-role.ts";
import { type Opening, openPool } from "./opening.ts";
import type { Role, Roles } from "./roles.ts";
import type { System } from "./system.ts";
import type { VaRole } from "./va-role.ts";

/** Roles at work in this process; the signer's beside it, where it has others too. */
export interface Service {
  readonly config: Config;
  /** Takes no more requests, finishes those under way, and closes everything. */
  close(): Promise<void>;
}

export interface ServiceOptions {
  readonly config: Config;
  readonly roles: Roles;
  readonly system: System;
  readonly log: Logger;
  /** Something below is gone for good: the process should end, and be started anew. */
  readonly onFatal: (error: Error) => void;
}

/** Connections of the app's own statements. */
const APP_CONNECTIONS = 10;

/** How often an mTLS listener looks after its certificate where no worker of this process does. */
const RENEWAL_MS = 10 * 60_000;

/** The roles that are open so far. */
interface Opened {
  va?: VaRole;
  isAppOpen?: true;
  mtls?: MtlsRole;
  jobs?: Jobs;
}

const STARTING: RoleState = { ready: false, detail: "it is starting" };

async function signerState({ foundation }: Opening): Promise<RoleState> {
  try {
    const { state, reason, detail = reason } = await foundation.signer.status();
    return { ready: state === "ready", ...(detail !== undefined && { detail }) };
  } catch {
    return { ready: false, detail: "the signer does not answer" };
  }
}

async function workerState(jobs: Jobs | undefined): Promise<RoleState> {
  if (jobs === undefined) return STARTING;
  const { ready, detail } = await jobs.health();
  return { ready, ...(detail !== undefined && { detail }) };
}

/** What each role of this process says of itself, for `/health/ready` and the console. */
function readinessOf(opening: Opening, roles: Roles, opened: Opened): () => Promise<Readiness> {
  const stateOf: Readonly<Record<Role, () => Promise<RoleState>>> = {
    va: async () => opened.va?.state() ?? STARTING,
    app: async () => (opened.isAppOpen === true ? { ready: true } : STARTING),
    mtls: async () => (opened.mtls === undefined ? STARTING : { ready: true }),
    worker: () => workerState(opened.jobs),
    signer: () => signerState(opening),
  };
  return async () => {
    const states = await Promise.all(
      [...roles].map(async (role) => [role, await stateOf[role]()] as const),
    );
    return { ready: states.every(([, { ready }]) => ready), roles: Object.fromEntries(states) };
  };
}

/** Without a worker, whose job it is, the listener looks after its own certificate. */
function renewByItself({ log, undoing }: Opening, mtls: MtlsRole): void {
  const renew = (): void =>
    void mtls
      .renewIfDue()
      .catch((error: unknown) => log.warn({ err: error }, "the mTLS certificate is not renewed"));
  const timer = setInterval(renew, RENEWAL_MS);
  undoing.add(async () => clearInterval(timer));
}

/** What answers proxies, on the app listener and on the mTLS listener. */
async function openSharedAuthorizer(
  opening: Opening,
  deps: { readonly va: Va | undefined; readonly metrics: Registry },
): Promise<Authorizer> {
  const { openProcessAuthorizer } = await import("./authorizer.ts");
  return openProcessAuthorizer(opening, deps);
}

// A role's modules are loaded by the processes that have it: what the others do not use takes no memory there.
async function openRoles(opening: Opening, roles: Roles): Promise<void> {
  const metrics = new Registry();
  collectDefaultMetrics({ register: metrics });
  const opened: Opened = {};
  const readiness = readinessOf(opening, roles, opened);
  if (roles.has("va")) {
    const { openVaRole } = await import("./va-role.ts");
    const operations = roles.has("app") ? undefined : { readiness };
    opened.va = await openVaRole(opening, { metrics, operations });
  }
  const { va } = opened;
  let authorizer: Promise<Authorizer> | undefined;
  const sharedAuthorizer = (): Promise<Authorizer> =>
    (authorizer ??= openSharedAuthorizer(opening, { va: va?.va, metrics }));
  let database: Database | undefined;
  const appPool = (): Database =>
    (database ??= openPool(opening, { role: "suido_app", max: APP_CONNECTIONS }));
  if (roles.has("mtls")) {
    const { openMtlsRole } = await import("./mtls-role.ts");
    opened.mtls = await openMtlsRole(opening, {
      database: appPool(),
      va: va?.va,
      authorizer: await sharedAuthorizer(),
    });
    if (!roles.has("worker")) renewByItself(opening, opened.mtls);
  }
  if (roles.has("worker")) {
    const { takeUpDuties } = await import("./duties.ts");
    opened.jobs = await takeUpDuties(opening, { va, mtls: opened.mtls, metrics });
  }
  if (roles.has("app")) {
    const { openAppRole } = await import("./app-role.ts");
    await openAppRole(opening, {
      database: appPool(),
      va: va?.va,
      authorizer: await sharedAuthorizer(),
      metrics,
      readiness,
    });
    opened.isAppOpen = true;
  }
}

/** What people see of the site, read only by roles that show it: the parsers that check it take memory. */
async function siteOf({ siteFile: file, support }: Config, roles: Roles): Promise<Site> {
  const isShown = (["app", "mtls", "worker"] as const).some((role) => roles.has(role));
  if (!isShown || file === undefined) return plainSite(support);
  const { loadSite } = await import("../config/site-file.ts");
  return loadSite({ file, support });
}

/** Starts the roles, from the ground up. What was started is stopped again when a later part fails. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const { config, roles, system, log } = options;
  const site = await siteOf(config, roles);
  const undoing = new Undoing();
  try {
    const foundation = await layFoundation({ ...options, undoing });
    await openRoles({ config, site, system, log, undoing, foundation }, roles);
    return { config, close: () => undoing.all(log) };
  } catch (error) {
    await undoing.all(log);
    throw error;
  }
}
