import { execFileSync } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pino } from "pino";
import { workOnBulkIssues } from "../../../src/ca/bulk-issue-work.ts";
import { createBundler } from "../../../src/ca/bundle.ts";
import { performCeremony } from "../../../src/ca/ceremony.ts";
import { type Certificates, createCertificates } from "../../../src/ca/certificates.ts";
import { createDeviceStatus, type DeviceStatus } from "../../../src/ca/device-status.ts";
import { SignerUnavailableError } from "../../../src/ca/errors.ts";
import { openFileKeyStore } from "../../../src/ca/file-key-store.ts";
import { createIdentify, type Identify } from "../../../src/ca/identification.ts";
import { createIssuance, type Issuance } from "../../../src/ca/issuance.ts";
import { createChainOf } from "../../../src/ca/issuer-chain.ts";
import { IssuerKeys } from "../../../src/ca/issuer-keys.ts";
import { makeKek } from "../../../src/ca/kek.ts";
import { openLedger } from "../../../src/ca/ledger-open.ts";
import { type PublishedLists, publishLists } from "../../../src/ca/list-publishing.ts";
import { monthFormat } from "../../../src/ca/reservation-rules.ts";
import { createRevocation, type Revocation } from "../../../src/ca/revocation.ts";
import type { SignerClient } from "../../../src/ca/signer-client.ts";
import { Signer } from "../../../src/ca/signer.ts";
import { createSuccessorOf, type SuccessorOf } from "../../../src/ca/successor.ts";
import { createSystem } from "../../../src/cli/system.ts";
import { loadCaConfig } from "../../../src/config/ca-config.ts";
import { createProfile, type Profile } from "../../../src/pki/profile.ts";
import type { Principal } from "../../../src/registry/principal.ts";
import { type Database, openDatabase, type Role } from "../../../src/storage/database.ts";
import { PROFILE_FIELDS } from "../../support/certificates.ts";
import { freshDatabase, openSuperuser } from "../../support/database.ts";
import type { Tenant } from "../../support/rows.ts";

/** The app's side of the ca room over a real database, with the real signer in this process instead of a forked one. */
export interface AppSide {
  readonly admin: Awaited<ReturnType<typeof openSuperuser>>;
  readonly database: Database;
  readonly issuance: Issuance;
  readonly certificates: Certificates;
  readonly revocation: Revocation;
  readonly deviceStatus: DeviceStatus;
  readonly successorOf: SuccessorOf;
  readonly identify: Identify;
  readonly signer: TestSigner;
  readonly time: Time;
  readonly journalFolder: string;
  readonly profiles: ReadonlyMap<string, Profile>;
  /** A turn of the job that works on bulk issues. */
  workOnBulkIssues(): Promise<void>;
  /** Makes, checks and publishes the issuing CA's lists. */
  publish(): Promise<PublishedLists>;
  close(): Promise<void>;
}

/** The signer's clock is one of its own: it does not work with one that was set back. */
export interface Time {
  now: Date;
  signer: Date;
}

/** The signer, which can be away for a while. */
export interface TestSigner extends Pick<SignerClient, "issue" | "journal"> {
  isAway: boolean;
  /** Takes what it is asked for, and never answers. */
  isSilent: boolean;
  /** Serials that were asked for, in order. */
  readonly asked: string[];
}

export const NOW = new Date("2026-11-21T03:00:00Z");

const system = createSystem();
const TIME_ZONE = "Asia/Tokyo";
const TRUST_DOMAIN = "suido.example.jp";

/** As configured, and beside it a profile that app and signer do not agree about. */
function profilesWith(policies: readonly string[]): ReadonlyMap<string, Profile> {
  const other = createProfile({ ...PROFILE_FIELDS.device, name: "device-other", policies });
  return new Map([...loadCaConfig("ca-config").profiles, [other.name, other]]);
}

interface SignerSide {
  readonly folder: string;
  readonly database: Database;
  readonly time: Time;
}

async function startSigner({ folder, database, time }: SignerSide): Promise<Signer> {
  const clock = (): Date => time.signer;
  const journalFolder = path.join(folder, "journal");
  const opened = await openLedger({
    ...system,
    clock,
    database,
    journalFolder,
    onFatal: (error) => {
      throw error;
    },
  });
  if (opened.state !== "ready") throw new Error(opened.reason);
  const { ledger } = opened;
  const keks = [makeKek(path.join(folder, "kek"), system.random)];
  const keyStore = openFileKeyStore({
    folder: path.join(folder, "keys"),
    keks,
    random: system.random,
  });
  const deps = {
    ...system,
    clock,
    database,
    ledger,
    timeZone: TIME_ZONE,
    trustDomain: TRUST_DOMAIN,
    checkpoint: () => undefined,
  };
  const place = { caConfig: loadCaConfig("ca-config"), keyStore, vaUrl: "http://va.example.jp" };
  await performCeremony({
    ...deps,
    ...place,
    storeRootDelegate: () => Promise.resolve(),
    hasRootDelegate: () => Promise.resolve(false),
  });
  const keys = await IssuerKeys.open(database, keyStore);
  const log = pino({ level: "silent" });
  return Signer.start({ ...deps, ...place, keys, profiles: profilesWith([]), log });
}

function withAbsences(signer: Signer): TestSigner {
  const client: TestSigner = {
    isAway: false,
    isSilent: false,
    asked: [],
    async issue(serials) {
      client.asked.push(...serials);
      if (client.isAway) throw new SignerUnavailableError("the signer is away");
      return signer.issue(serials);
    },
    async journal(seq) {
      if (client.isAway) throw new SignerUnavailableError("the signer is away");
      if (client.isSilent) return new Promise<void>(() => undefined);
      return signer.journal(seq);
    },
  };
  return client;
}

export async function openAppSide(
  watch: (database: Database) => Database = (database) => database,
): Promise<AppSide> {
  const folder = mkdtempSync(path.join(tmpdir(), "suido-app-side-"));
  const fresh = await freshDatabase();
  const admin = await openSuperuser(fresh.url);
  const open = (role: Role, max: number): Database =>
    openDatabase({ url: fresh.url, role, max, applicationName: "test" });
  const database = watch(open("suido_app", 8));
  const signerDatabase = open("suido_signer", 3);
  const worker = open("suido_worker", 2);
  const time: Time = { now: NOW, signer: NOW };
  const running = await startSigner({ folder, database: signerDatabase, time });
  const signer = withAbsences(running);
  const bundler = createBundler();
  const deps = { ...system, database, signer, clock: () => time.now, newId: randomUUID };
  const chainOf = createChainOf(database);
  const certificates = createCertificates({ ...deps, chainOf });
  const profiles = profilesWith(["1.2.3.4"]);
  const issuing = { ...deps, profiles, trustDomain: TRUST_DOMAIN, timeZone: TIME_ZONE };
  const log = pino({ level: "silent" });
  return {
    admin,
    profiles,
    database,
    certificates,
    signer,
    time,
    journalFolder: path.join(folder, "journal"),
    issuance: createIssuance({ ...issuing, chainOf, certificates, bundler }),
    workOnBulkIssues: () =>
      workOnBulkIssues(
        { ...issuing, worker, months: monthFormat(TIME_ZONE), log },
        new AbortController().signal,
      ),
    revocation: createRevocation({ ...deps, certificates, patienceMs: 500 }),
    deviceStatus: createDeviceStatus({ ...deps, chainOf }),
    successorOf: createSuccessorOf(deps),
    identify: createIdentify(deps),
    publish: () =>
      publishLists("issuing-g1", {
        ...system,
        clock: () => time.signer,
        signer: running,
        database: worker,
      }),
    async close() {
      await bundler.close();
      await running.close();
      await Promise.all([database, signerDatabase, worker, admin].map((one) => one.close()));
      await fresh.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Staff, bound to no corporation. */
export async function addStaff({ admin }: AppSide): Promise<Principal> {
  const id = randomUUID();
  await admin.query(
    "insert into app.api_key (id, role, secret_sha256, created_at) values ($1, 'admin', $2, $3)",
    [id, randomBytes(32), NOW],
  );
  return { id, actor: `api-key:${id}`, role: "admin" };
}

/** A second member of the tenant's pharmacy. */
export async function addColleague({ admin }: AppSide, tenant: Tenant): Promise<string> {
  const id = randomUUID();
  await admin.query(
    "insert into app.account (id, corporation_id, name, created_at, updated_at) values ($1, $2, 'colleague', $3, $3)",
    [id, tenant.corporationId, NOW],
  );
  await admin.query(
    `insert into app.membership (id, corporation_id, account_id, pharmacy_id, role, valid_from, created_at, updated_at)
     values ($1, $2, $3, $4, 'pharmacist', $5, $5, $5)`,
    [randomUUID(), tenant.corporationId, id, tenant.pharmacyId, NOW],
  );
  return id;
}

/** A principal who sees one corporation only. */
export const boundTo = (corporationId: string): Principal => ({
  id: randomUUID(),
  actor: "api-key:bound",
  role: "product",
  corporationId,
});

/** A fresh private key in PEM, made by OpenSSL. */
export function newKey(
  kind: readonly string[] = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
): string {
  return execFileSync("openssl", ["genpkey", ...kind], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

/** A certification request, made by OpenSSL. */
export function newCsr(key = newKey()): string {
  const folder = mkdtempSync(path.join(tmpdir(), "suido-csr-"));
  try {
    const file = path.join(folder, "key.pem");
    writeFileSync(file, key, { mode: 0o600 });
    return execFileSync("openssl", ["req", "-new", "-key", file, "-subj", "/CN=ignored"], {
      encoding: "utf8",
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
