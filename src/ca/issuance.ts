import type { Digest, Random, Verify } from "../pki/crypto.ts";
import type { Clock } from "../pki/clock.ts";
import { newBundlePassword } from "../pki/bundle-password.ts";
import { keyIdentifier } from "../pki/key.ts";
import type { Pkcs12Style } from "../pki/pkcs12.ts";
import type { Profile } from "../pki/profile.ts";
import { type Serial, serialBytes } from "../pki/serial.ts";
import type { NewId } from "../pki/uuid.ts";
import type { IdempotentRequest } from "../registry/idempotency.ts";
import { type FindTenant, findTenants, type Principal } from "../registry/principal.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import type { TenantWork } from "../storage/together.ts";
import type { Bundler } from "./bundle.ts";
import {
  type CertificateRecord,
  type IssuedRow,
  type KeyClaim,
  recordOf,
} from "./certificate-record.ts";
import { noSuchCertificate } from "./certificate-tenant.ts";
import type { Certificates } from "./certificates.ts";
import { InvalidStateError, IssueRefusedError, SignerUnavailableError } from "./errors.ts";
import { issueOrder, type Order, replaceOrder } from "./issue-orders.ts";
import { reservationDesk, signingDesk, stateDesk, type StateRow } from "./issuing-desks.ts";
import type { ChainOf } from "./issuer-chain.ts";
import { keyOfRequest, makeRequestKey } from "./request-key.ts";
import {
  type DeviceFacts,
  forgetIdempotency,
  type Reservation,
  type ReservationDeps,
  reserve,
  type Wish,
} from "./reservation.ts";
import { monthFormat } from "./reservation-rules.ts";
import type { SignerClient } from "./signer-client.ts";

export interface IssuanceDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly signer: Pick<SignerClient, "issue">;
  readonly certificates: Pick<Certificates, "one">;
  readonly chainOf: ChainOf;
  readonly bundler: Pick<Bundler, "bundle">;
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: NewId;
  readonly digest: Digest;
  readonly verify: Verify;
  readonly trustDomain: string;
  /** The IANA zone in which a certificate's last day ends. */
  readonly timeZone: string;
}

/** How the key comes about. */
export interface KeyRequest {
  /** A certification request in PEM; without one we make the key, and a bundle of it. */
  readonly csr?: string;
  /** What is said of where that request's key is kept. */
  readonly keyClaim?: KeyClaim;
  /** Absent: what the device's platform installs. */
  readonly bundle?: Pkcs12Style;
  /** The enrolment that it is made for, of the same device. */
  readonly enrolmentId?: string;
  readonly idempotency?: IdempotentRequest;
  /** Told when the answer is a certificate that was asked for before. */
  readonly onRepeated?: () => void;
}

/**
 * Gives the device in the very transaction that reserves the certificate, so that it may come into being there; and the
 * certificate that the new one follows.
 */
export type ClaimDevice = (
  sql: Sql,
) => Promise<{ readonly deviceId: string; readonly replaces?: Serial }>;

export interface IssueRequest extends KeyRequest {
  readonly accountId: string;
  readonly deviceId: string | ClaimDevice;
  /** Absent: `device-client`. */
  readonly profile?: string;
}

export interface Pkcs12Answer {
  /** The file in Base64. */
  readonly data: string;
  readonly password: string;
}

export interface IssuedCertificate extends CertificateRecord {
  /** Only in the first answer, and nowhere else: nothing of it is kept. */
  readonly pkcs12?: Pkcs12Answer;
  /** The bundle went out with an earlier answer to this very request. If it is lost, the certificate is reissued. */
  readonly bundleDelivered?: true;
}

export interface Issuance {
  issue(principal: Principal, request: IssueRequest): Promise<IssuedCertificate>;
  /** A new certificate for the binding of a good one, or of one that expired at most 14 days ago. */
  renew(principal: Principal, serial: Serial, request: KeyRequest): Promise<IssuedCertificate>;
  /** A new certificate for the binding of any one, also a revoked one: for staff to decide. */
  reissue(principal: Principal, serial: Serial, request: KeyRequest): Promise<IssuedCertificate>;
}

type Deps = IssuanceDeps & ReservationDeps & Desks;

interface Reserved {
  readonly wish: Wish;
  readonly reservation: Reservation;
}

/** What serves all requests that come at the same time. */
interface Desks {
  readonly reserveInTenant: (work: TenantWork<Reserved>) => Promise<Reserved>;
  readonly sign: (serial: Serial) => Promise<unknown>;
  readonly stateOf: (serial: Serial) => Promise<StateRow | undefined>;
  readonly findTenant: FindTenant;
}

async function readState({ stateOf }: Deps, serial: Serial): Promise<StateRow> {
  const row = await stateOf(serial);
  if (row === undefined) throw noSuchCertificate();
  return row;
}

/** Has a reserved serial signed, unless it is, and gives the certificate. Safe to repeat. */
async function signed(deps: Deps, serial: Serial, before?: StateRow): Promise<IssuedRow> {
  if (before === undefined || before.state === "reserved") await deps.sign(serial);
  const row = await readState(deps, serial);
  switch (row.state) {
    case "good":
    case "hold":
    case "revoked":
      return row;
    case "refused":
      throw new IssueRefusedError(row.findings ?? []);
    case "abandoned":
      throw new InvalidStateError("the request was closed before it was signed: ask anew");
    case "reserved":
      throw new SignerUnavailableError("the certificate is reserved, and not signed yet");
  }
}

/** The answer to a request that was made before. */
async function knownAnswer(
  deps: Deps,
  principal: Principal,
  serial: Serial,
): Promise<IssuedCertificate> {
  await signed(deps, serial, await readState(deps, serial));
  const certificate = await deps.certificates.one(principal, serial);
  return certificate.keyOrigin === "server"
    ? { ...certificate, bundleDelivered: true }
    : certificate;
}

/** What installs without a question on each platform; Apple's and Android's installers do not read the modern form. */
const STYLE_OF_PLATFORM: Readonly<Record<string, Pkcs12Style>> = {
  windows: "modern",
  linux: "modern",
  chromeos: "modern",
  ios: "compatible",
  ipados: "compatible",
  macos: "compatible",
  android: "compatible",
};

interface Fresh {
  readonly serial: Serial;
  readonly device: DeviceFacts;
  readonly wish: Wish;
}

async function freshRecord(
  { chainOf, clock }: IssuanceDeps,
  { wish, device }: Fresh,
  row: IssuedRow,
): Promise<CertificateRecord> {
  const { pem } = await chainOf(row.issuer_id);
  const bound = {
    device_id: wish.deviceId,
    account_id: wish.accountId,
    pharmacy_id: device.pharmacyId,
    corporation_id: wish.corporationId,
    replaced_by: null,
  };
  return recordOf({ ...row, ...bound }, { now: clock(), chain: pem });
}

/** The bundle of a key that we made: leaf and issuing CA, never the root. */
async function bundleOf(
  deps: Deps,
  { wish: { key }, device }: Fresh,
  { row, pkcs8, style }: { row: IssuedRow; pkcs8: Uint8Array; style: Pkcs12Style | undefined },
): Promise<Pkcs12Answer> {
  const { der } = await deps.chainOf(row.issuer_id);
  const password = newBundlePassword(deps.random);
  const bundling = deps.bundler.bundle({
    key: pkcs8,
    certificate: row.der,
    chain: der.slice(0, -1),
    friendlyName: device.commonName,
    localKeyId: keyIdentifier(key.spki, deps.digest),
    password,
    style: style ?? STYLE_OF_PLATFORM[device.platform] ?? "modern",
  });
  pkcs8.fill(0);
  return { data: Buffer.from(await bundling).toString("base64"), password };
}

/** Marks a server-made key as given away: the signer revokes a certificate whose key nobody got. */
async function markDelivered({ database, clock }: IssuanceDeps, serial: Serial): Promise<void> {
  const rows = await database.query(
    "update ca.issued set delivered_at = $2 where serial = $1 and state = 'good' returning serial",
    [serialBytes(serial), clock()],
    "ca-issue-delivered",
  );
  if (rows.length === 0)
    throw new InvalidStateError("the certificate was closed before its bundle was ready: ask anew");
}

/**
 * The answer with a key of ours. If it fails, the private key is lost with it: the Idempotency-Key is freed, so that the
 * next attempt gets another certificate, and the signer closes this one.
 */
async function bundledAnswer(
  deps: Deps,
  fresh: Fresh,
  { pkcs8, style }: { pkcs8: Uint8Array; style: Pkcs12Style | undefined },
): Promise<IssuedCertificate> {
  try {
    const row = await signed(deps, fresh.serial);
    const pkcs12 = await bundleOf(deps, fresh, { row, pkcs8, style });
    const certificate = await freshRecord(deps, fresh, row);
    await markDelivered(deps, fresh.serial);
    return { ...certificate, pkcs12 };
  } catch (error) {
    pkcs8.fill(0);
    const { idempotency } = fresh.wish;
    if (idempotency !== undefined && !(error instanceof IssueRefusedError))
      await forgetIdempotency(deps.database, idempotency, fresh.serial);
    throw error;
  }
}

async function perform(deps: Deps, principal: Principal, order: Order): Promise<IssuedCertificate> {
  const { csr, keyClaim: claim, keyKinds: allowed } = order;
  const key =
    csr === undefined ? await makeRequestKey(deps) : keyOfRequest({ csr, allowed, claim }, deps);
  // 1. One commit in the tenant: checks, then serial, binding and Idempotency-Key.
  const { corporationId } = order;
  const work = async (sql: Sql): Promise<Reserved> => {
    const wanted = await order.wishOf(sql, key);
    return { wish: wanted, reservation: await reserve(deps, sql, wanted) };
  };
  const { wish, reservation } = await (order.isAlone === true
    ? deps.database.tenant(corporationId, work)
    : deps.reserveInTenant({ corporationId, work }));
  const { serial } = reservation;
  if (reservation.kind === "known") {
    order.onRepeated?.();
    return knownAnswer(deps, principal, serial);
  }
  const fresh = { serial, device: reservation.device, wish };
  // 2. The serial, and nothing else, goes to the signer, which builds, lints, signs, journals and commits: steps 3 to 6.
  // 7. The answer, with the bundle if the key was ours.
  return key.pkcs8 === undefined
    ? freshRecord(deps, fresh, await signed(deps, serial))
    : bundledAnswer(deps, fresh, { pkcs8: key.pkcs8, style: order.bundle });
}

/** Issues certificates of devices. The steps are those of docs/architecture.md, "Issue". */
export function createIssuance(given: IssuanceDeps): Issuance {
  const { database, timeZone } = given;
  const deps: Deps = {
    ...given,
    months: monthFormat(timeZone),
    reserveInTenant: reservationDesk(database),
    sign: signingDesk(given.signer),
    stateOf: stateDesk(database),
    findTenant: findTenants(database),
  };
  return {
    issue: async (principal, request) =>
      perform(deps, principal, await issueOrder(deps, principal, request)),
    renew: async (principal, serial, request) => {
      const order = await replaceOrder(deps, principal, { serial, kind: "renewal", request });
      return perform(deps, principal, order);
    },
    reissue: async (principal, serial, request) => {
      const order = await replaceOrder(deps, principal, { serial, kind: "reissue", request });
      return perform(deps, principal, order);
    },
  };
}
