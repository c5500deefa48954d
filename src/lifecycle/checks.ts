import { type Actor, record } from "../audit/record.ts";
import { tenantOfSerial } from "../ca/certificate-tenant.ts";
import { toHex } from "../pki/bytes.ts";
import type { Clock } from "../pki/clock.ts";
import type { Digest, Random } from "../pki/crypto.ts";
import { type Serial, serialBytes } from "../pki/serial.ts";
import type { NewId } from "../pki/uuid.ts";
import { NotFoundError } from "../registry/errors.ts";
import { createOnce, type IdempotentRequest } from "../registry/idempotency.ts";
import type { Principal } from "../registry/principal.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";

export interface ChecksDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly random: Random;
  readonly digest: Digest;
  /** The address below which each check has a host name of its own. */
  readonly checkUrl: string;
}

/** A place to which a device goes once, to show that a certificate works on it. */
export interface Check {
  readonly id: string;
  /** To be opened on the device, in its browser. It is nowhere else: what is kept is a hash. */
  readonly url: string;
  readonly expiresAt: Date;
}

export interface Checks {
  /**
   * Makes a check of a certificate, whatever has become of it. Asked for again with the same key it is the same check at a
   * new address, because nobody has kept the one before. Throws NotFoundError.
   */
  create(principal: Principal, serial: Serial, idempotency?: IdempotentRequest): Promise<Check>;
}

/** 128 bits, as the label of a host name: there are no capital letters in those (RFC 4343). */
const NONCE_OCTETS = 16;
const NONCE = /^[0-9a-f]{32}$/;

/** Long enough for somebody who is called away between two screens. */
const LIFE_MS = 10 * 60_000;

/** By what a nonce is kept and found. */
export function nonceHash(nonce: string, digest: Digest): Uint8Array {
  return digest("sha256", new TextEncoder().encode(nonce));
}

/** The first label of a request's Host (RFC 9110 §7.2), directly below the address of checks; undefined for any other host. */
function labelOfHost(host: string, checkUrl: string): string | undefined {
  const name = host.toLowerCase().replace(/:\d+$/, "").replace(/\.$/, "");
  const [label, ...parent] = name.split(".");
  return parent.join(".") === new URL(checkUrl).hostname ? label : undefined;
}

/** The nonce in a request's Host; undefined for any host that is no check's. */
export function nonceOfHost(host: string, checkUrl: string): string | undefined {
  const label = labelOfHost(host, checkUrl);
  return label !== undefined && NONCE.test(label) ? label : undefined;
}

/** Never a nonce: the host at which a page asks, before all else, whether checks can be reached from a device. */
const REACH_LABEL = "reach";

/** Where that is asked. */
export function reachUrl(checkUrl: string): string {
  const url = new URL(checkUrl);
  url.hostname = `${REACH_LABEL}.${url.hostname}`;
  return url.href;
}

/** Whether a request's Host is the one at which that is asked. */
export function isReachHost(host: string, checkUrl: string): boolean {
  return labelOfHost(host, checkUrl) === REACH_LABEL;
}

const INSERT = `insert into app.certificate_check (id, corporation_id, serial, nonce_sha256, asked_by, created_at, expires_at)
  select $1, $2, i.serial, $4, $5, $6, $7 from ca.issued i where i.serial = $3 and i.der is not null returning id`;

const MOVE = "update app.certificate_check set nonce_sha256 = $2 where id = $1 returning id";

interface Making {
  readonly corporationId: string;
  readonly serial: Serial;
  readonly actor: Actor;
  readonly nonceSha256: Uint8Array;
  readonly at: Date;
}

type Made = Omit<Check, "url">;

async function insert(sql: Sql, making: Making, newId: NewId): Promise<Made> {
  const { corporationId, serial, actor, nonceSha256, at } = making;
  const id = newId();
  const expiresAt = new Date(at.getTime() + LIFE_MS);
  const values = [id, corporationId, serialBytes(serial), nonceSha256, actor, at, expiresAt];
  const made = await sql.query(INSERT, values, "check-create");
  if (made.length === 0) throw new NotFoundError("certificate", "serialNumber");
  const [subject, detail] = [`check/${id}`, { serialNumber: serial }];
  await record(sql, { at, actor, action: "check.created", subject, corporationId, detail }, newId);
  return { id, expiresAt };
}

/** Gives a check that was made before another address. One that is forgotten has none. */
async function move(
  sql: Sql,
  { id, making }: { readonly id: string; readonly making: Making },
  newId: NewId,
): Promise<void> {
  const { corporationId, actor, nonceSha256, at } = making;
  const moved = await sql.query(MOVE, [id, nonceSha256], "check-move");
  if (moved.length === 0) return;
  const subject = `check/${id}`;
  await record(sql, { at, actor, action: "check.moved", subject, corporationId }, newId);
}

/** Makes checks: fresh host names, because a browser keeps the answer "no certificate" for each host it has asked about. */
export function createChecks(deps: ChecksDeps): Checks {
  const { database, clock, newId, random, digest, checkUrl } = deps;
  return {
    async create(principal, serial, idempotency) {
      const corporationId = await tenantOfSerial(database, principal, serial);
      const nonce = toHex(random(NONCE_OCTETS));
      const { actor } = principal;
      const nonceSha256 = nonceHash(nonce, digest);
      const made = await database.tenant(corporationId, async (sql) => {
        const making: Making = { corporationId, serial, actor, nonceSha256, at: clock() };
        let isRepeated = false;
        const onReplayed = (): void => {
          isRepeated = true;
          idempotency?.onReplayed?.();
        };
        const once = idempotency === undefined ? undefined : { ...idempotency, onReplayed };
        const check = await createOnce<Made>(
          sql,
          { idempotency: once, now: making.at, dates: ["expiresAt"] },
          () => insert(sql, making, newId),
        );
        if (isRepeated) await move(sql, { id: check.id, making }, newId);
        return check;
      });
      const url = new URL(checkUrl);
      url.hostname = `${nonce}.${url.hostname}`;
      return { ...made, url: url.href };
    },
  };
}

/** What happened is in the audit log: a check that is over is of no more use. */
const REMEMBERED_MS = 24 * 60 * 60_000;

/** Forgets checks that ended more than a day ago. `database` as suido_worker. */
export async function forgetChecks(database: Pick<Database, "query">, now: Date): Promise<void> {
  await database.query("select app.forget_checks($1)", [new Date(now.getTime() - REMEMBERED_MS)]);
}
