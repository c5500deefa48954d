import { Writable } from "node:stream";

import type { FastifyInstance, InjectOptions } from "fastify";
import { pino } from "pino";
import { Registry } from "prom-client";

import { plainSite } from "../../../src/config/site.ts";
import { type AppServerOptions, createAppServer } from "../../../src/http/api-app.ts";
import { createHttpMetrics } from "../../../src/http/http-metrics.ts";
import type { Principal, Role } from "../../../src/registry/principal.ts";
import { UnauthorizedError } from "../../../src/staff/errors.ts";

/** A room's function that this test does not expect to be called. */
const unexpected = (): Promise<never> =>
  Promise.reject(new Error("SECRET-INTERNAL-TEXT at /srv/suido/src/room.ts"));

/** A part of the registry of which nothing is expected. */
export const unexpectedCollection = {
  create: unexpected,
  get: unexpected,
  list: unexpected,
  update: unexpected,
  remove: unexpected,
};

/** A principal for each role, whose key is the role's name. */
export const authenticate = (presented: string): Promise<Principal> => {
  const roles: readonly string[] = ["admin", "operator", "support", "auditor", "product", "proxy"];
  if (!roles.includes(presented)) return Promise.reject(new UnauthorizedError());
  const id = "019aa5f0-3c5e-7b1a-9d52-6f0d6c1f7a10";
  return Promise.resolve({ id, actor: `api-key:${id}`, role: presented as Role });
};

export interface TestApp {
  readonly app: FastifyInstance;
  /** Every line that was logged. */
  readonly lines: string[];
}

/** The app listener over functions that a test passes; those it does not pass fail. */
export async function appWith(overrides: Partial<AppServerOptions> = {}): Promise<TestApp> {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const registry = new Registry();
  let count = 0;
  const app = await createAppServer({
    log: pino({ level: "trace" }, stream),
    newId: () => `00000000-0000-7000-8000-${String((count += 1)).padStart(12, "0")}`,
    clock: () => new Date("2026-11-21T09:00:00Z"),
    timeZone: "Asia/Tokyo",
    site: plainSite(),
    version: "0.0.0",
    urls: {
      app: "http://localhost:8000",
      va: "http://127.0.0.1:8080",
      mtls: "https://localhost:8443",
    },
    corporations: unexpectedCollection,
    pharmacies: unexpectedCollection,
    accounts: unexpectedCollection,
    memberships: unexpectedCollection,
    devices: unexpectedCollection,
    issuance: { issue: unexpected, renew: unexpected, reissue: unexpected },
    certificates: { one: unexpected, search: unexpected },
    revocation: { revoke: unexpected, unhold: unexpected },
    renewalTimes: { of: unexpected, orderNow: unexpected },
    mailLedger: { ofEnrolment: unexpected, ofCertificate: unexpected },
    takeReport: unexpected,
    tasks: { list: unexpected, close: unexpected },
    checks: { create: unexpected },
    checkUrl: "https://check.localhost:8443",
    renewalStart: { goOn: unexpected },
    scriptSecrets: { give: unexpected },
    certifyScript: unexpected,
    appleProfiles: { build: unexpected },
    ways: {
      look: unexpected,
      issue: unexpected,
      check: unexpected,
      mailCode: unexpected,
      enterCode: unexpected,
    },
    enrolments: {
      create: unexpected,
      request: unexpected,
      get: unexpected,
      list: unexpected,
      withdraw: unexpected,
      confirm: unexpected,
    },
    secondFactors: { list: unexpected, remove: unexpected, invite: unexpected },
    emergencies: {
      begin: unexpected,
      beginSignedIn: unexpected,
      look: unexpected,
      enterCode: unexpected,
      enterAppCode: unexpected,
      passkeyOptions: unexpected,
      showPasskey: unexpected,
      standIn: unexpected,
    },
    factorVisits: {
      isOpen: unexpected,
      begin: unexpected,
      look: unexpected,
      newAuthenticator: unexpected,
      confirmAuthenticator: unexpected,
      passkeyOptions: unexpected,
      addPasskey: unexpected,
      remove: unexpected,
    },
    countEnrolments: unexpected,
    noteStep: unexpected,
    enrolmentVisits: { open: unexpected, start: unexpected, renew: unexpected },
    newMachines: {
      names: unexpected,
      name: unexpected,
      device: unexpected,
      choosePlace: unexpected,
      another: unexpected,
    },
    deviceStatus: { status: unexpected, lineage: unexpected },
    successorOf: unexpected,
    apiKeys: { list: unexpected, revoke: unexpected },
    relyingParties: unexpectedCollection,
    acknowledge: unexpected,
    propagate: unexpected,
    batchLines: 5_000,
    enrolmentBatches: {
      preview: unexpected,
      create: unexpected,
      get: unexpected,
      list: unexpected,
      report: unexpected,
    },
    enrolmentSheets: { ofBatch: unexpected, ofEnrolment: unexpected },
    bulkIssues: {
      create: unexpected,
      get: unexpected,
      list: unexpected,
      report: unexpected,
      collect: unexpected,
    },
    stages: { put: unexpected, confirm: unexpected, get: unexpected, list: unexpected },
    authenticate,
    authorizer: {
      partyOfKey: () => Promise.resolve(undefined),
      partyOfCertificate: () => undefined,
      authorize: unexpected,
      known: () => undefined,
      close: () => Promise.resolve(),
    },
    readiness: () => Promise.resolve({ ready: true, roles: { app: { ready: true } } }),
    authorities: () => Promise.resolve([]),
    metrics: registry,
    counters: createHttpMetrics(registry),
    ...overrides,
  });
  return { app, lines };
}

export const ADMIN = { authorization: "Bearer admin" };

/** An admin's, with a body of JSON. */
export const JSON_TYPE = { ...ADMIN, "content-type": "application/json" };

/** A POST with a body as it stands. */
export function post(
  url: string,
  payload: string,
  headers: Readonly<Record<string, string>> = JSON_TYPE,
): InjectOptions {
  return { method: "POST", url, payload, headers };
}
