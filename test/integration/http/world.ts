import { randomBytes, randomUUID } from "node:crypto";

import { Ajv2020 } from "ajv/dist/2020.js";
import { fastFormats } from "ajv-formats/dist/formats.js";
import type { FastifyInstance, InjectOptions } from "fastify";
import { pino } from "pino";
import { Registry } from "prom-client";
import { expect, inject } from "vitest";

import { plainSite } from "../../../src/config/site.ts";
import { createAcknowledge } from "../../../src/ca/acknowledgement.ts";
import { createBulkIssues } from "../../../src/ca/bulk-issue.ts";
import { createEnrolmentBatches } from "../../../src/lifecycle/enrolment-batches.ts";
import { createEnrolmentSheets } from "../../../src/lifecycle/enrolment-sheets.ts";
import { createPropagate } from "../../../src/ca/propagation.ts";
import { type AppServerOptions, createAppServer } from "../../../src/http/api-app.ts";
import { createHttpMetrics } from "../../../src/http/http-metrics.ts";
import { createAppleProfiles } from "../../../src/lifecycle/apple-profile.ts";
import { createChecks } from "../../../src/lifecycle/checks.ts";
import { createEnrolments } from "../../../src/lifecycle/enrolments.ts";
import { createMailLedger } from "../../../src/lifecycle/mail-ledger.ts";
import { createRenewalTimes } from "../../../src/lifecycle/renewal-times.ts";
import { createTakeReport } from "../../../src/lifecycle/returned-mails.ts";
import { createTasks } from "../../../src/lifecycle/tasks.ts";
import { uuidV7 } from "../../../src/pki/uuid.ts";
import { createAccounts } from "../../../src/registry/accounts.ts";
import { createCorporations } from "../../../src/registry/corporations.ts";
import { createDevices } from "../../../src/registry/devices.ts";
import { createMemberships } from "../../../src/registry/memberships.ts";
import { createPharmacies } from "../../../src/registry/pharmacies.ts";
import type { Principal, Role } from "../../../src/registry/principal.ts";
import { createRelyingParties } from "../../../src/registry/relying-parties.ts";
import { createStages } from "../../../src/registry/stages.ts";
import { type ApiKeys, createApiKeys } from "../../../src/staff/api-keys.ts";
import { createSystem, type System } from "../../../src/cli/system.ts";
import { openDatabase } from "../../../src/storage/database.ts";
import { openPrisma } from "../../../src/storage/prisma.ts";
import type { Authorizer } from "../../../src/va/authorizer.ts";
import { openAuthorizer } from "../../../src/va/open-authorizer.ts";
import { type AppSide, openAppSide } from "../ca/app-side.ts";
import { peoplesRooms } from "./world-people.ts";
import { TABLES } from "./world-tables.ts";
import { wayRooms } from "./way-rooms.ts";

const ROLES = ["admin", "operator", "support", "auditor", "product", "proxy"] as const;

interface Item {
  readonly id: string;
  readonly serialNumber: string;
  readonly current: boolean;
}

/** The members that tests read. Which of them an answer has, the document says, and it is checked. */
export interface Body extends Item {
  readonly certificate: string;
  readonly chain: readonly string[];
  readonly fingerprint: string;
  readonly createdAt: string;
  readonly pkcs12: { readonly data: string; readonly password: string };
  readonly items: readonly Item[];
  readonly nextCursor?: string;
  readonly errors?: readonly { readonly field: string }[];
}

/** The answer to a call, whose body was checked against the document. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>;
  readonly body: Body;
}

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface Call {
  readonly key?: string;
  readonly body?: unknown;
  readonly idempotencyKey?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A corporation with one of each, made over HTTP. */
export interface Tenant {
  readonly corporationId: string;
  readonly pharmacyId: string;
  readonly accountId: string;
  readonly membershipId: string;
  readonly deviceId: string;
  /** Of a key of role admin that is bound to the corporation. */
  readonly key: string;
}

/** The app listener over the real rooms and a real database. */
export interface HttpWorld {
  readonly app: FastifyInstance;
  readonly side: AppSide;
  readonly document: OpenApi;
  /** What answers proxies, over the same database. */
  readonly authorizer: Authorizer;
  /** What it counts. */
  readonly metrics: Registry;
  /** The database's address, for what stops it. */
  readonly url: string;
  /** A key of each role, bound to no corporation. */
  readonly keys: Readonly<Record<Role, string>>;
  newKey(
    role: Role,
    corporationId?: string,
  ): Promise<{ readonly id: string; readonly key: string }>;
  /** A proxy's key that speaks for the relying party of this name. */
  partyKey(relyingParty: string): Promise<{ readonly id: string; readonly key: string }>;
  /** Sends a request, as admin unless told otherwise, and checks the answer against the document. */
  call(method: Method, path: string, call?: Call): Promise<Answer>;
  tenant(name: string): Promise<Tenant>;
  /** How many rows each table has, but for what every call may write. */
  counts(): Promise<Readonly<Record<string, string>>>;
  close(): Promise<void>;
}

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, unknown>> }>
  >;
}

export interface OpenApi {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, unknown>> };
}

/** Steps of a JSON pointer (RFC 6901 §3), as a URI fragment. */
const pointer = (steps: readonly string[]): string =>
  steps
    .map((step) => `/${encodeURIComponent(step.replaceAll("~", "~0").replaceAll("/", "~1"))}`)
    .join("");

/** Fails the test for an answer that the document does not describe. */
function documentChecker(
  document: OpenApi,
): (method: string, path: string, answer: Answer) => void {
  const ajv = new Ajv2020({ strict: false, allErrors: true, formats: { ...fastFormats } });
  ajv.addSchema({ $id: "https://suido.test/openapi.json", ...document });
  const templates = Object.keys(document.paths).map((template) => ({
    template,
    pattern: new RegExp(`^${template.replaceAll(/\{[^}]+\}/g, "[^/]+")}$`),
  }));
  return (method, path, { status, headers, body }) => {
    const template = templates.find(({ pattern }) =>
      pattern.test(path.split("?")[0] ?? ""),
    )?.template;
    const operation =
      template === undefined ? undefined : document.paths[template]?.[method.toLowerCase()];
    if (template === undefined || operation === undefined) return;
    expect(
      Object.keys(operation.responses),
      `${method} ${template} may answer ${status}`,
    ).toContain(String(status));
    const content = operation.responses[status]?.content ?? {};
    const type = String(headers["content-type"]).split(";")[0] ?? "";
    if (status === 204) return;
    expect(Object.keys(content), `${method} ${template} ${status}`).toContain(type);
    const steps = [
      "paths",
      template,
      method.toLowerCase(),
      "responses",
      String(status),
      "content",
      type,
      "schema",
    ];
    const validate = ajv.compile({ $ref: `https://suido.test/openapi.json#${pointer(steps)}` });
    expect(validate(body) ? [] : validate.errors, `${method} ${path} ${status}`).toEqual([]);
  };
}

async function keysOfRoles(apiKeys: ApiKeys, root: Principal): Promise<Record<Role, string>> {
  const made = await Promise.all(
    ROLES.map(async (role) => [role, (await apiKeys.create(root, { role })).key]),
  );
  return Object.fromEntries(made) as Record<Role, string>;
}

/** What else a world's app has, made of what its rooms are made of. */
export type Beside = (
  own: System & Pick<AppSide, "database" | "revocation">,
) => Partial<AppServerOptions>;

interface Parts {
  readonly beside: Beside;
  readonly side: AppSide;
  readonly apiKeys: ApiKeys;
  readonly store: ReturnType<typeof openPrisma>;
  readonly authorizer: Authorizer;
}

/** Below its host each check has one of its own. */
export const CHECK_URL = "https://check.localhost:8443";

async function startApp({
  beside,
  side,
  apiKeys,
  store,
  authorizer,
}: Parts): Promise<FastifyInstance> {
  const clock = (): Date => side.time.now;
  const newId = uuidV7(clock, (octets) => randomBytes(octets));
  const deps = { store, clock, newId };
  const registry = new Registry();
  const own = { ...createSystem(), database: side.database, clock, newId };
  const checks = createChecks({ ...own, checkUrl: CHECK_URL });
  const { issuance, revocation } = side;
  return createAppServer({
    ...beside({ ...own, revocation }),
    ...side,
    checkUrl: CHECK_URL,
    corporations: createCorporations(deps),
    pharmacies: createPharmacies(deps),
    accounts: createAccounts(deps),
    memberships: createMemberships(deps),
    devices: createDevices(deps),
    apiKeys,
    relyingParties: createRelyingParties({ database: side.database, clock, newId }),
    acknowledge: createAcknowledge({ database: side.database, clock, newId }),
    propagate: createPropagate({ database: side.database, clock }),
    authorizer,
    stages: createStages(deps),
    checks,
    ...peoplesRooms(own),
    renewalTimes: createRenewalTimes({ ...own, timeZone: "Asia/Tokyo" }),
    mailLedger: createMailLedger(own),
    takeReport: createTakeReport(own),
    tasks: createTasks(own),
    ...wayRooms({ ...own, issuance, revocation, checks }),
    appleProfiles: createAppleProfiles({
      ...own,
      trustDomain: "suido.localhost",
      siteName: { ja: "Suido", en: "Suido" },
      timeZone: "Asia/Tokyo",
      signer: () => Promise.resolve(undefined),
    }),
    enrolments: createEnrolments({
      ...createSystem(),
      ...deps,
      appUrl: "http://localhost:8000",
      placesPerDevice: 3,
    }),
    batchLines: 5_000,
    enrolmentSheets: createEnrolmentSheets({ ...own, appUrl: "http://localhost:8000" }),
    enrolmentBatches: createEnrolmentBatches({
      ...createSystem(),
      ...side,
      ...deps,
      placesPerDevice: 3,
    }),
    bulkIssues: createBulkIssues({ ...createSystem(), ...side, ...deps }),
    authenticate: (presented) => apiKeys.authenticate(presented),
    log: pino({ level: "silent" }),
    newId,
    clock,
    timeZone: "Asia/Tokyo",
    site: plainSite(),
    version: "0.0.0",
    urls: {
      app: "http://localhost:8000",
      va: "http://va.example.jp",
      mtls: "https://localhost:8443",
    },
    readiness: () => Promise.resolve({ ready: true, roles: { app: { ready: true } } }),
    authorities: () => Promise.resolve([]),
    metrics: registry,
    counters: createHttpMetrics(registry),
  });
}

function optionsOf(
  method: Method,
  path: string,
  { key, body, idempotencyKey, headers }: Call,
): InjectOptions {
  return {
    method,
    url: path,
    headers: {
      ...headers,
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(idempotencyKey !== undefined && { "idempotency-key": idempotencyKey }),
    },
    ...(body !== undefined && { payload: body as object }),
  };
}

/** The address of the test's own database. */
export async function urlOf({ admin }: Pick<AppSide, "admin">): Promise<string> {
  const [row] = await admin.query<{ name: string }>("select current_database() as name");
  const url = new URL(inject("adminUrl"));
  url.pathname = `/${row?.name ?? ""}`;
  return url.href;
}

/** A day, as by default. */
export const MAX_STALE_MS = 86_400_000;

const random = (octets: number): Uint8Array => new Uint8Array(randomBytes(octets));

export async function openHttpWorld(beside: Beside = () => ({})): Promise<HttpWorld> {
  const side = await openAppSide();
  const clock = (): Date => side.time.now;
  const url = await urlOf(side);
  const store = openPrisma({ url, max: 8 });
  const vaDatabase = openDatabase({ url, role: "suido_va", max: 3, applicationName: "test" });
  const metrics = new Registry();
  const authorizer = await openAuthorizer({
    database: vaDatabase,
    status: undefined,
    maxStaleMs: MAX_STALE_MS,
    clock,
    verify: createSystem().verify,
    log: pino({ level: "silent" }),
    registry: metrics,
  });
  const apiKeys = createApiKeys({
    database: side.database,
    clock,
    random,
    newId: () => randomUUID(),
  });
  const root: Principal = { id: randomUUID(), actor: "cli:root", role: "admin" };
  const keys = await keysOfRoles(apiKeys, root);
  const app = await startApp({ beside, side, apiKeys, store, authorizer });
  const document = (await app.inject("/openapi.json")).json<OpenApi>();
  const check = documentChecker(document);

  const call: HttpWorld["call"] = async (method, path, { key = keys.admin, ...rest } = {}) => {
    const response = await app.inject(optionsOf(method, path, { key, ...rest }));
    const body = (response.body === "" ? undefined : response.json()) as Body;
    const answer: Answer = { status: response.statusCode, headers: response.headers, body };
    check(method, path, answer);
    return answer;
  };
  const make = async (path: string, body: object): Promise<string> => {
    const answer = await call("POST", `/v1/${path}`, { body });
    expect(answer).toMatchObject({ status: 201 });
    return answer.body.id;
  };
  return {
    app,
    side,
    document,
    authorizer,
    metrics,
    url,
    keys,
    newKey: (role, corporationId) =>
      apiKeys.create(root, { role, ...(corporationId !== undefined && { corporationId }) }),
    partyKey: (relyingParty) => apiKeys.create(root, { role: "proxy", relyingParty }),
    call,
    async tenant(name) {
      const corporationId = await make("corporations", { name });
      const pharmacyId = await make("pharmacies", { corporationId, name, code: "001" });
      const accountId = await make("accounts", {
        corporationId,
        name,
        email: `${randomUUID()}@example.jp`,
      });
      const membershipId = await make("memberships", { accountId, pharmacyId, role: "manager" });
      const deviceId = await make("devices", {
        pharmacyId,
        name: "受付1号機",
        platform: "windows",
      });
      const { key } = await apiKeys.create(root, { role: "admin", corporationId });
      return { corporationId, pharmacyId, accountId, membershipId, deviceId, key };
    },
    async counts() {
      const text = TABLES.map((table) => `select '${table}' as name, count(*) from ${table}`).join(
        " union all ",
      );
      const rows = await side.admin.query<{ name: string; count: string }>(text);
      return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
    },
    async close() {
      await app.close();
      await authorizer.close();
      await vaDatabase.close();
      await store.close();
      await side.close();
    },
  };
}
