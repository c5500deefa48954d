import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { Clock } from "../../../src/pki/clock.ts";
import { type Database, openDatabase } from "../../../src/storage/database.ts";
import type { Sql } from "../../../src/storage/sql.ts";
import { freshDatabase, openSuperuser } from "../../support/database.ts";
import { insertIssuer } from "../../support/rows.ts";

const LONG_AGO = new Date("2026-01-01T00:00:00Z");

export interface Person {
  readonly accountId: string;
  readonly address: string | null;
}

export interface PersonOptions {
  readonly role?: "manager" | "headOffice" | "pharmacist";
  readonly name?: string;
  readonly address?: string | null;
  readonly shared?: boolean;
  readonly locale?: "ja" | "en";
  readonly disabled?: boolean;
  readonly until?: Date;
}

export interface Place {
  readonly corporationId: string;
  readonly pharmacyId: string;
}

export interface CertificateOptions {
  readonly notAfter: Date;
  readonly issuedAt?: Date;
  readonly use?: "shared" | "personal";
  readonly responsible?: Person;
  readonly deviceId?: string;
  readonly replaces?: Buffer;
  readonly state?: "good" | "revoked";
  /** A device has shown it. */
  readonly proven?: boolean;
}

/** A certificate with the device that it is on. */
export interface Held {
  readonly serial: Buffer;
  readonly hex: string;
  readonly deviceId: string;
}

/** A database with a clock that tests put forward, and pharmacies in it as rows. */
export interface Pharmacies {
  readonly url: string;
  readonly time: { now: Date };
  readonly clock: Clock;
  readonly admin: Sql;
  readonly worker: Database;
  readonly app: Database;
  /** Of a corporation of its own, unless told otherwise. */
  place(name: string, corporationId?: string): Promise<Place>;
  person(place: Place, options?: PersonOptions): Promise<Person>;
  certificate(place: Place, options: CertificateOptions): Promise<Held>;
  revoke(held: Held): Promise<void>;
  /** All mail rows by key. */
  mails(): Promise<MailRow[]>;
  /** What each mail is about that was not in vain, in the order of the days: `stage audience recipient`. */
  toldOf(held: Held): Promise<string[]>;
  close(): Promise<void>;
}

export interface MailRow {
  readonly id: string;
  readonly key: string;
  readonly kind: string;
  readonly stage: number | null;
  readonly recipient: string | null;
  readonly locale: string;
  readonly facts: Record<string, unknown>;
  readonly state: string;
  readonly attempts: number;
  readonly due_at: Date;
  readonly next_attempt_at: Date;
  readonly sent_at: Date | null;
  readonly last_error: string | null;
}

export async function openPharmacies(now: string): Promise<Pharmacies> {
  const fresh = await freshDatabase();
  const admin = await openSuperuser(fresh.url);
  const open = (role: "suido_app" | "suido_worker"): Database =>
    openDatabase({ url: fresh.url, role, max: 6, applicationName: "test" });
  const [app, worker] = [open("suido_app"), open("suido_worker")];
  await insertIssuer(admin);
  const time = { now: new Date(now) };
  return {
    url: fresh.url,
    time,
    clock: () => new Date(time.now),
    admin,
    worker,
    app,
    place: (name, corporationId) => insertPlace(admin, name, corporationId),
    person: (place, options = {}) => insertPerson(admin, place, options),
    certificate: (place, options) => insertCertificate(admin, place, options),
    revoke: async ({ serial }) => {
      await admin.query(
        "update ca.issued set state = 'revoked', reason = 4, revoked_at = $2 where serial = $1",
        [serial, time.now],
      );
    },
    toldOf: async ({ serial }) => {
      const rows = await admin.query<{ told: string }>(
        `select coalesce(i.stage::text, 'now') || ' ' || i.audience || ' ' || m.recipient as told
         from app.mail_item i join app.mail m on m.id = i.mail_id where i.serial = $1 and not i.void
         order by m.due_at, i.audience, m.recipient`,
        [serial],
      );
      return rows.map(({ told }) => told);
    },
    mails: () => admin.query<MailRow>("select * from app.mail order by due_at, key"),
    close: async () => {
      await worker.close();
      await app.close();
      await admin.close();
      await fresh.drop();
    },
  };
}

async function insertPlace(
  sql: Sql,
  name: string,
  corporationId: string = randomUUID(),
): Promise<Place> {
  const place = { corporationId, pharmacyId: randomUUID() };
  await sql.query(
    "insert into app.corporation (id, name, created_at, updated_at) values ($1, $2, $3, $3) on conflict do nothing",
    [place.corporationId, `${name}株式会社`, LONG_AGO],
  );
  await sql.query(
    "insert into app.pharmacy (id, corporation_id, name, created_at, updated_at) values ($1, $2, $3, $4, $4)",
    [place.pharmacyId, place.corporationId, name, LONG_AGO],
  );
  return place;
}

async function insertPerson(
  sql: Sql,
  { corporationId, pharmacyId }: Place,
  options: PersonOptions,
): Promise<Person> {
  const accountId = randomUUID();
  const { role = "manager", name = "山田 花子", locale = "ja", shared = false } = options;
  const { disabled = false, until = null } = options;
  const address =
    options.address === undefined ? `${accountId.slice(0, 8)}@example.jp` : options.address;
  await sql.query(
    `insert into app.account (id, corporation_id, name, email, email_shared, locale, disabled_at, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $8)`,
    [accountId, corporationId, name, address, shared, locale, disabled ? LONG_AGO : null, LONG_AGO],
  );
  await sql.query(
    `insert into app.membership (id, corporation_id, account_id, pharmacy_id, role, valid_from, valid_to, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $6, $6)`,
    [randomUUID(), corporationId, accountId, pharmacyId, role, LONG_AGO, until],
  );
  return { accountId, address };
}

async function insertCertificate(
  sql: Sql,
  place: Place,
  options: CertificateOptions,
): Promise<Held> {
  const {
    notAfter,
    issuedAt = LONG_AGO,
    use = "shared",
    replaces = null,
    state = "good",
  } = options;
  const { corporationId, pharmacyId } = place;
  const deviceId = options.deviceId ?? randomUUID();
  const nobody = { role: "pharmacist", address: null } as const;
  const account = options.responsible ?? (await insertPerson(sql, place, nobody));
  await sql.query(
    `insert into app.device (id, corporation_id, pharmacy_id, name, platform, use, created_at, updated_at)
     values ($1, $2, $3, $4, 'windows', $5, $6, $6) on conflict do nothing`,
    [deviceId, corporationId, pharmacyId, `受付${deviceId}`, use, LONG_AGO],
  );
  const serial = Buffer.concat([Buffer.of(0x40), randomBytes(15)]);
  const der = randomBytes(40);
  await sql.query(
    `insert into ca.issued (serial, issuer_id, profile, profile_hash, shard, state, common_name, spki, spki_sha256, not_before, not_after,
       key_origin, reserved_at, der, der_sha256, issued_at, reason, revoked_at, replaces, proven_at)
     values ($1, 'issuing-g1', 'device-client', $2, 3, $3, 'x', $4, $2, $5, $6, 'subject', $5, $4, $7, $5, $8, $9, $10, $11)`,
    [
      serial,
      randomBytes(32),
      state,
      der,
      issuedAt,
      notAfter,
      createHash("sha256").update(der).digest(),
      state === "revoked" ? 4 : null,
      state === "revoked" ? issuedAt : null,
      replaces,
      options.proven === true ? issuedAt : null,
    ],
  );
  await sql.query(
    `insert into app.binding (id, serial, corporation_id, pharmacy_id, device_id, account_id, bound_from)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [randomUUID(), serial, corporationId, pharmacyId, deviceId, account.accountId, issuedAt],
  );
  return { serial, hex: serial.toString("hex"), deviceId };
}
