import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { pino } from "pino";

import { algorithmIdentifier } from "../../src/pki/certificate.ts";
import { BACKDATE_MS } from "../../src/pki/clock.ts";
import { CrlEntries } from "../../src/pki/crl-entries.ts";
import { buildCrlTbs, type CrlTemplate } from "../../src/pki/crl.ts";
import { readOcspResponse } from "../../src/pki/ocsp-reader.ts";
import { newSerial, serialBytes, type Serial } from "../../src/pki/serial.ts";
import { assembleSigned } from "../../src/pki/signed.ts";
import { openDatabase, type Database } from "../../src/storage/database.ts";
import { listen } from "../../src/storage/listen.ts";
import type { IssuerRecord } from "../../src/va/issuer.ts";
import { octetsOf } from "../../src/va/responder.ts";
import { createVa, type Va, type VaDeps } from "../../src/va/va.ts";
import { verifySignature } from "./certificates.ts";
import { asAdmin, freshDatabase, openSuperuser, type FreshDatabase } from "./database.ts";
import { VaHierarchy } from "./va-hierarchy.ts";

const DAY_MS = 86_400_000;
const SHA256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

/** A database with two CAs, whose rows are written as the signer and the app would write them. */
export class VaDatabase {
  readonly ca: VaHierarchy;
  readonly folder = mkdtempSync(path.join(tmpdir(), "suido-va-"));
  readonly #fresh: FreshDatabase;
  #sql: Awaited<ReturnType<typeof openSuperuser>>;
  readonly #opened: Database[] = [];
  #number = 0;

  private constructor(
    ca: VaHierarchy,
    fresh: FreshDatabase,
    sql: Awaited<ReturnType<typeof openSuperuser>>,
  ) {
    this.ca = ca;
    this.#fresh = fresh;
    this.#sql = sql;
  }

  static async open(): Promise<VaDatabase> {
    const fresh = await freshDatabase();
    const database = new VaDatabase(new VaHierarchy(), fresh, await openSuperuser(fresh.url));
    await database.#insertIssuer(database.ca.rootRecord, "root-g1");
    await database.#insertIssuer(database.ca.issuingRecord, "root-g1");
    return database;
  }

  async close(): Promise<void> {
    for (const database of this.#opened) await database.close();
    await this.#sql.close();
    await this.#fresh.drop();
    rmSync(this.folder, { recursive: true });
  }

  /** Lets nobody in any more and throws everybody out, as a server that stops does. */
  async stop(): Promise<void> {
    await this.#sql.close();
    const name = new URL(this.url).pathname.slice(1);
    await asAdmin(`alter database ${name} allow_connections false`);
    await asAdmin(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`,
    );
  }

  async start(): Promise<void> {
    await asAdmin(`alter database ${new URL(this.url).pathname.slice(1)} allow_connections true`);
    this.#sql = await openSuperuser(this.url);
  }

  get url(): string {
    return this.#fresh.url;
  }

  query(text: string, values: readonly unknown[] = []): Promise<object[]> {
    return this.#sql.query(text, values);
  }

  /** What the cli would compose; the pool is closed with this object. */
  deps(more: Partial<VaDeps> = {}): VaDeps {
    const database = openDatabase({
      url: this.url,
      role: "suido_va",
      max: 3,
      applicationName: "va-test",
    });
    this.#opened.push(database);
    return {
      database,
      subscribe: (subscription) => listen({ url: this.url, role: "suido_va", ...subscription }),
      requestDelegate: (issuerId, spki) =>
        Promise.resolve(this.ca.delegateCertificate(issuerId, spki)),
      folder: this.folder,
      maxStaleMs: DAY_MS,
      clock: () => new Date(),
      random: (octets) => randomBytes(octets),
      verify: verifySignature,
      log: pino({ level: "silent" }),
      ...more,
    };
  }

  openVa(more: Partial<VaDeps> = {}): Promise<Va> {
    return createVa(this.deps(more));
  }

  /** Certificates that the signer has committed, all in one transaction, as it does with a batch. */
  async issue(count = 1, issuerId = "issuing-g1"): Promise<Serial[]> {
    const serials = Array.from({ length: count }, () => newSerial(randomBytes));
    await this.reserve(serials, issuerId);
    await this.#sql.query(
      `update ca.issued set state = 'good', der = serial, der_sha256 = sha256(serial), issued_at = now(), good_xid = pg_current_xact_id()
       where serial = any($1::bytea[])`,
      [serials.map((serial) => Buffer.from(serialBytes(serial)))],
    );
    return serials;
  }

  /** Serials that were promised and not signed yet. */
  async reserve(serials: readonly Serial[], issuerId = "issuing-g1"): Promise<void> {
    await this.#sql.query(
      `insert into ca.issued (serial, issuer_id, profile, profile_hash, shard, state, common_name, spki, spki_sha256, not_before, not_after, key_origin, reserved_at)
       select s, $2, 'device-client', sha256('p'), 0, 'reserved', 'till 1', s, sha256(s), now(), now() + interval '1 year', 'subject', now()
       from unnest($1::bytea[]) s`,
      [serials.map((serial) => Buffer.from(serialBytes(serial))), issuerId],
    );
  }

  async setState(
    serial: Serial,
    state: "good" | "hold" | "revoked",
    reason?: number,
  ): Promise<void> {
    await this.#sql.query(
      `update ca.issued set state = $2, reason = $3, revoked_at = $4 where serial = $1`,
      [
        Buffer.from(serialBytes(serial)),
        state,
        reason ?? null,
        state === "good" ? null : new Date(),
      ],
    );
  }

  /** The number of the last change. */
  async lastChange(): Promise<bigint> {
    const [row] = await this.#sql.query<{ seq: string }>(
      "select coalesce(max(seq), 0) as seq from ca.change",
    );
    return BigInt(row?.seq ?? 0);
  }

  /** Turns the status back to what it was after this change, with its numbers, as a restored database has it. */
  async restoreTo(seq: bigint): Promise<void> {
    await this.#sql.query("set session_replication_role = replica");
    await this.#sql.query(
      `update ca.issued set state = 'good', reason = null, revoked_at = null
       where serial in (select serial from ca.change where seq > $1)`,
      [seq],
    );
    await this.#sql.query("delete from ca.change where seq > $1", [seq]);
    await this.#sql.query("select setval('ca.change_seq', greatest($1::bigint, 1), $1 > 0)", [seq]);
    await this.#sql.query("set session_replication_role = origin");
  }

  /** A list as the signer publishes it: the one before is not current any more. */
  async publishList(
    issuerId: string,
    scope = "full",
    change: Partial<CrlTemplate> = {},
  ): Promise<Uint8Array> {
    const der = this.list(issuerId, scope, change);
    await this.insertList(issuerId, scope, der);
    return der;
  }

  list(issuerId: string, scope = "full", change: Partial<CrlTemplate> = {}): Uint8Array {
    const issuer = issuerId === "root-g1" ? this.ca.rootRecord : this.ca.issuingRecord;
    const signatureAlgorithm = algorithmIdentifier("ecdsa-with-SHA256");
    const tbs = buildCrlTbs({
      issuerName: issuer.subject,
      issuerKeyIdentifier: issuer.keyIdentifier,
      signatureAlgorithm,
      number: BigInt(++this.#number),
      thisUpdate: new Date(Date.now() - BACKDATE_MS),
      nextUpdate: new Date(Date.now() + 7 * DAY_MS),
      entries: CrlEntries.of(),
      ...(scope === "full"
        ? {}
        : { distributionPoint: `${issuer.vaUrl}/crl/${issuerId}-${scope}.crl` }),
      ...change,
    });
    return assembleSigned(tbs, signatureAlgorithm, this.ca.signTbs(issuerId, tbs));
  }

  async insertList(issuerId: string, scope: string, der: Uint8Array): Promise<void> {
    this.#number++;
    await this.#sql.query("begin");
    await this.#sql.query(
      "update ca.list set current = false where issuer_id = $1 and scope = $2 and current",
      [issuerId, scope],
    );
    await this.#sql.query(
      `insert into ca.list (issuer_id, scope, number, watermark, this_update, next_update, entries, sha256, der, current, signed_at)
       values ($1, $2, $3, 0, now(), now() + interval '7 days', 0, $4, $5, true, now())`,
      [issuerId, scope, this.#number, SHA256(der), Buffer.from(der)],
    );
    await this.#sql.query("commit");
  }

  async #insertIssuer(record: IssuerRecord, parent: string): Promise<void> {
    const { certificate, id, keyIdentifier, kind, serial, subject, vaUrl } = record;
    const octets = [serial, certificate, subject, keyIdentifier].map((part) => Buffer.from(part));
    await this.#sql.query(
      `insert into ca.issuer (id, kind, generation, state, parent_id, serial, certificate, subject, key_identifier, va_url, not_after, created_at)
       values ($1, $2, 1, 'active', $3, $4, $5, $6, $7, $8, now() + interval '5 years', now())`,
      [id, kind, parent, ...octets, vaUrl],
    );
  }
}

/** What the VA says of a certificate: its status, or why it says nothing. */
export async function askVa(va: Va, ca: VaHierarchy, serial: Serial): Promise<string> {
  const answer = await va.responder.answer(ca.request(serial));
  const { basic, status } = readOcspResponse(octetsOf(answer));
  return basic?.responses[0]?.status ?? status;
}
