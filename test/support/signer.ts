import { generateKeyPairSync, randomBytes, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pino } from "pino";
import { type CeremonyResult, performCeremony, type RootDelegate } from "../../src/ca/ceremony.ts";
import { openFileKeyStore } from "../../src/ca/file-key-store.ts";
import { IssuerKeys } from "../../src/ca/issuer-keys.ts";
import { makeKek, readKeks } from "../../src/ca/kek.ts";
import type { KeyStore } from "../../src/ca/key-store.ts";
import { type OpenedLedger, openLedger } from "../../src/ca/ledger-open.ts";
import type { Checkpoint } from "../../src/ca/ledger.ts";
import { Signer } from "../../src/ca/signer.ts";
import { createSystem } from "../../src/cli/system.ts";
import { loadCaConfig } from "../../src/config/ca-config.ts";
import { spkiSha256 } from "../../src/pki/key.ts";
import { profileHash } from "../../src/pki/profile.ts";
import { newSerial, type Serial, serialBytes, shardOf } from "../../src/pki/serial.ts";
import { validityOf } from "../../src/pki/validity.ts";
import { openDatabase, type Database } from "../../src/storage/database.ts";
import { type FreshDatabase, freshDatabase, openSuperuser } from "./database.ts";
import { insertTenant, type Tenant } from "./rows.ts";

export const caConfig = loadCaConfig("ca-config");
export const system = createSystem();
export const VA_URL = "http://va.suido.test";
export const TIME_ZONE = "Asia/Tokyo";

/** Thrown by a checkpoint in place of the process's end. What was under way is left as it was. */
export class Crash extends Error {}

/** Where a process is to end, if anywhere, and whether it has: from then on it reaches neither the database nor another step. */
export class Fate {
  crashAt: string | undefined;
  #isOver = false;

  readonly checkpoint: Checkpoint = (step) => {
    if (step === this.crashAt) this.#isOver = true;
    this.#assertAlive(step);
  };

  /** A database that a dead process does not reach. */
  database(database: Database): Database {
    return {
      query: async (...args) => {
        this.#assertAlive("query");
        return database.query(...args);
      },
      transaction: async (...args) => {
        this.#assertAlive("transaction");
        return database.transaction(...args);
      },
      tenant: async (...args) => {
        this.#assertAlive("tenant");
        return database.tenant(...args);
      },
      together: async (...args) => {
        this.#assertAlive("together");
        return database.together(...args);
      },
      close: () => database.close(),
    };
  }

  #assertAlive(step: string): void {
    if (this.#isOver) throw new Crash(step);
  }
}

/** A folder of its own. */
export const tempFolder = (): string => mkdtempSync(path.join(tmpdir(), "suido-signer-"));

type Superuser = Awaited<ReturnType<typeof openSuperuser>>;

/** Its statements one after the other, whoever asks: it is a single connection. */
async function openQueue(url: string): Promise<Superuser> {
  const superuser = await openSuperuser(url);
  let last: Promise<unknown> = Promise.resolve();
  return {
    query: <Row extends object>(text: string, values: readonly unknown[] = []) => {
      const mine = last.then(() => superuser.query<Row>(text, values));
      last = mine.catch(() => undefined);
      return mine;
    },
    close: () => superuser.close(),
  };
}

/** One CA on a real database: everything that a signer's process has, and how to start it again. */
export class TestCa {
  readonly folder = tempFolder();
  readonly journalFolder = path.join(this.folder, "journal");
  readonly keyStore: KeyStore;
  readonly fatal: Error[] = [];
  readonly delegates: RootDelegate[] = [];
  /** Another measure of lists that are written while they are checked. */
  longOctets: number | undefined;
  /** Milliseconds that the clock is ahead of the machine's. */
  offset = 0;
  readonly clock = (): Date => new Date(Date.now() + this.offset);
  fresh: FreshDatabase;
  database: Database;
  superuser: Superuser;
  tenant: Tenant;

  private constructor(fresh: FreshDatabase, superuser: Superuser, tenant: Tenant) {
    this.fresh = fresh;
    this.superuser = superuser;
    this.tenant = tenant;
    this.database = this.connect("suido_signer");
    const kekFile = path.join(this.folder, "kek");
    makeKek(kekFile, system.random);
    this.keyStore = openFileKeyStore({
      folder: path.join(this.folder, "keys"),
      keks: readKeks(kekFile),
      random: system.random,
    });
  }

  static async create(): Promise<TestCa> {
    const fresh = await freshDatabase();
    const superuser = await openQueue(fresh.url);
    return new TestCa(fresh, superuser, await insertTenant(superuser, "a"));
  }

  connect(role: "suido_signer" | "suido_app" | "suido_worker" | "suido_va"): Database {
    return openDatabase({ url: this.fresh.url, role, max: 3, applicationName: "test" });
  }

  /** The ledger alone, as a start opens it. */
  open(
    fate = new Fate(),
    publishedLists: () => Promise<readonly Uint8Array[]> = async () => [],
  ): Promise<OpenedLedger> {
    return openLedger({
      ...system,
      clock: this.clock,
      database: fate.database(this.database),
      journalFolder: this.journalFolder,
      checkpoint: fate.checkpoint,
      publishedLists,
      onFatal: (error) => this.fatal.push(error),
    });
  }

  /** A signer at work, after a ceremony if there was none. */
  async start(fate = new Fate()): Promise<Signer> {
    const opened = await this.open(fate);
    if (opened.state !== "ready") throw new Error(opened.reason);
    const { ledger } = opened;
    const { checkpoint } = fate;
    const database = fate.database(this.database);
    const deps = {
      ...system,
      clock: this.clock,
      database,
      ledger,
      timeZone: TIME_ZONE,
      trustDomain: "suido.test",
      checkpoint,
    };
    await this.perform(deps);
    const keys = await IssuerKeys.open(database, this.keyStore);
    return Signer.start({
      ...deps,
      keys,
      keyStore: this.keyStore,
      caConfig,
      vaUrl: VA_URL,
      profiles: caConfig.profiles,
      log: pino({ level: "silent" }),
      ...(this.longOctets !== undefined && { longOctets: this.longOctets }),
    });
  }

  perform(
    deps: Omit<
      Parameters<typeof performCeremony>[0],
      "caConfig" | "keyStore" | "verify" | "vaUrl" | "storeRootDelegate" | "hasRootDelegate"
    >,
  ): Promise<CeremonyResult> {
    return performCeremony({
      ...deps,
      caConfig,
      keyStore: this.keyStore,
      verify: system.verify,
      vaUrl: VA_URL,
      storeRootDelegate: async (delegate) => void this.delegates.push(delegate),
      hasRootDelegate: async () => this.delegates.length > 0,
    });
  }

  /** What the app commits before it asks the signer. Columns given replace those of a good request. */
  async reserve(columns: Record<string, unknown> = {}): Promise<Serial> {
    const { superuser, tenant } = this;
    const profile = caConfig.profiles.get("device-client");
    if (profile === undefined) throw new Error("no profile");
    const serial = newSerial(randomBytes);
    const spki = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({
      format: "der",
      type: "spki",
    });
    const now = this.clock();
    const row: Record<string, unknown> = {
      serial: Buffer.from(serialBytes(serial)),
      issuer_id: "issuing-g1",
      profile: profile.name,
      profile_hash: Buffer.from(profileHash(profile, system.digest), "hex"),
      shard: shardOf(serial),
      state: "reserved",
      common_name: "受付1号機 2027-12",
      device_uri: `spiffe://suido.test/device/${tenant.deviceId}`,
      spki,
      spki_sha256: Buffer.from(spkiSha256(spki, system.digest), "hex"),
      ...datesOf(validityOf(profile, { now, timeZone: TIME_ZONE })),
      key_origin: "subject",
      reserved_at: now,
      ...columns,
    };
    const names = Object.keys(row);
    await superuser.query(
      `insert into ca.issued (${names.join(", ")}) values (${names.map((_, i) => `$${i + 1}`).join(", ")})`,
      Object.values(row),
    );
    await superuser.query(
      `insert into app.binding (id, serial, corporation_id, pharmacy_id, device_id, account_id, bound_from) values ($1, $2, $3, $4, $5, $6, $7)`,
      [
        randomUUID(),
        row["serial"],
        tenant.corporationId,
        tenant.pharmacyId,
        tenant.deviceId,
        tenant.accountId,
        now,
      ],
    );
    return serial;
  }

  /** Several reservations. */
  async reserveMany(count: number): Promise<Serial[]> {
    const serials: Serial[] = [];
    for (let i = 0; i < count; i++) serials.push(await this.reserve());
    return serials;
  }

  /** What the app does to revoke or hold. Returns the change's number. */
  async stop(serial: Serial, reason: number): Promise<bigint> {
    const [row] = await this.superuser.query<{ seq: string }>(
      `with stopped as (update ca.issued set state = $2, reason = $3, revoked_at = case when state = 'revoked' then revoked_at else $4 end where serial = $1 returning serial) select 0 as seq from stopped`,
      [Buffer.from(serialBytes(serial)), reason === 6 ? "hold" : "revoked", reason, this.clock()],
    );
    if (row === undefined) throw new Error(`no row ${serial}`);
    return this.lastChange();
  }

  async release(serial: Serial): Promise<bigint> {
    await this.superuser.query(
      "update ca.issued set state = 'good', reason = null, revoked_at = null where serial = $1",
      [Buffer.from(serialBytes(serial))],
    );
    return this.lastChange();
  }

  async lastChange(): Promise<bigint> {
    const [row] = await this.superuser.query<{ seq: string }>(
      "select max(seq) as seq from ca.change",
    );
    return BigInt(row?.seq ?? 0);
  }

  async row(serial: Serial): Promise<{
    state: string;
    reason: number | null;
    der: Buffer;
    findings: string[] | null;
    issued_at: Date;
    revoked_at: Date;
    identified_how: string | null;
    key_claim: string | null;
  }> {
    const [row] = await this.superuser.query<{
      state: string;
      reason: number | null;
      der: Buffer;
      findings: string[];
      issued_at: Date;
      revoked_at: Date;
      identified_how: string | null;
      key_claim: string | null;
    }>(
      "select state, reason, der, findings, issued_at, revoked_at, identified_how, key_claim from ca.issued where serial = $1",
      [Buffer.from(serialBytes(serial))],
    );
    if (row === undefined) throw new Error(`no row ${serial}`);
    return row;
  }

  /** How many lists of an issuer are current. */
  async currentLists(issuerId: string): Promise<number> {
    const rows = await this.superuser.query(
      "select 1 from ca.list where issuer_id = $1 and current",
      [issuerId],
    );
    return rows.length;
  }

  /** Works on with another database, as after a restore. */
  async moveTo(fresh: FreshDatabase): Promise<void> {
    await this.database.close();
    await this.superuser.close();
    this.fresh = fresh;
    this.database = this.connect("suido_signer");
    this.superuser = await openQueue(fresh.url);
  }

  async drop(): Promise<void> {
    await this.database.close();
    await this.superuser.close();
    await this.fresh.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const datesOf = ({ notBefore, notAfter }: { notBefore: Date; notAfter: Date }) => ({
  not_before: notBefore,
  not_after: notAfter,
});
