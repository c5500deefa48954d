import type { KeyKind } from "../pki/key.ts";
import type { Profile } from "../pki/profile.ts";
import { type Serial, serialBytes } from "../pki/serial.ts";
import {
  canonicalId,
  type FindTenant,
  type Principal,
  type Reference,
  tenantFoundBy,
} from "../registry/principal.ts";
import type { Database } from "../storage/database.ts";
import type { Sql } from "../storage/sql.ts";
import { noSuchCertificate, tenantOfSerial } from "./certificate-tenant.ts";
import { DEFAULT_PROFILE, profileAskedFor, profileNamed } from "./device-profiles.ts";
import { CertificateStateError } from "./errors.ts";
import type { ClaimDevice, IssueRequest, KeyRequest } from "./issuance.ts";
import type { RequestKey } from "./request-key.ts";
import type { Previous, Wish } from "./reservation.ts";

/** A certificate that is to be reserved and signed. */
export interface Order extends KeyRequest {
  readonly corporationId: string;
  /** The kinds of key that the profile allows. */
  readonly keyKinds: readonly KeyKind[];
  /** What is wanted, read in the transaction that reserves it. */
  readonly wishOf: (sql: Sql, key: RequestKey) => Promise<Wish> | Wish;
  /** In a transaction of its own: what `wishOf` writes is undone where the reservation is refused. */
  readonly isAlone?: boolean;
}

interface OrderDeps {
  readonly database: Database;
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly findTenant: FindTenant;
}

const accountOf = ({ accountId }: Pick<IssueRequest, "accountId">): Reference => ({
  kind: "account",
  id: accountId,
  field: "accountId",
});

type Claiming = Omit<IssueRequest, "deviceId" | "profile"> & {
  readonly claim: ClaimDevice;
  readonly profile: Profile;
};

/** For a device that comes into being, or changes hands, with this certificate. */
async function claimOrder(
  { findTenant }: OrderDeps,
  principal: Principal,
  { claim, profile, ...request }: Claiming,
): Promise<Order> {
  const { enrolmentId } = request;
  const account = accountOf(request);
  const accountId = canonicalId(account);
  const corporationId = await tenantFoundBy(findTenant, principal, account);
  const { actor } = principal;
  return {
    ...request,
    corporationId,
    keyKinds: profile.keys,
    isAlone: true,
    async wishOf(sql, key) {
      const { deviceId, replaces } = await claim(sql);
      const wish = { corporationId, actor, deviceId, accountId, profile, key };
      return {
        ...wish,
        ...(enrolmentId !== undefined && { enrolmentId }),
        ...(replaces !== undefined && { previous: await previousOf(sql, replaces) }),
      };
    },
  };
}

/** For a device and a person. */
export async function issueOrder(
  deps: OrderDeps,
  principal: Principal,
  request: IssueRequest,
): Promise<Order> {
  const { deviceId: wanted, profile: name = DEFAULT_PROFILE, ...rest } = request;
  const profile =
    request.enrolmentId === undefined
      ? profileAskedFor(deps, name)
      : profileNamed(deps, name, "profile");
  if (typeof wanted === "function")
    return claimOrder(deps, principal, { ...rest, claim: wanted, profile });
  const { enrolmentId, idempotency } = request;
  const device = { kind: "device", id: wanted, field: "deviceId" } as const;
  const deviceId = canonicalId(device);
  const accountId = canonicalId(accountOf(request));
  const corporationId = await tenantFoundBy(deps.findTenant, principal, device);
  const { actor } = principal;
  return {
    ...request,
    corporationId,
    keyKinds: profile.keys,
    wishOf: (_, key) => ({
      corporationId,
      actor,
      deviceId,
      accountId,
      profile,
      key,
      ...(enrolmentId !== undefined && { enrolmentId }),
      ...(idempotency !== undefined && { idempotency }),
    }),
  };
}

/** The kinds of key that some profile for devices allows: which one it is, the previous certificate's row will tell. */
function kindsForDevices({ profiles }: Pick<OrderDeps, "profiles">): readonly KeyKind[] {
  const kinds = [...profiles.values()]
    .filter(({ subjectAlternativeName }) => subjectAlternativeName === "device")
    .flatMap(({ keys }) => keys);
  return [...new Set(kinds)];
}

interface PreviousRow {
  readonly state: string;
  readonly not_after: Date;
  readonly profile: string;
  readonly device_id: string | null;
  readonly account_id: string | null;
}

const PREVIOUS = `select i.state, i.not_after, i.profile, b.device_id, b.account_id
  from ca.issued i left join app.binding b on b.serial = i.serial and b.bound_to is null
  where i.serial = $1 and i.der is not null`;

async function readPrevious(sql: Sql, serial: Serial): Promise<PreviousRow> {
  const [row] = await sql.query<PreviousRow>(PREVIOUS, [serialBytes(serial)], "ca-previous");
  if (row === undefined) throw noSuchCertificate();
  return row;
}

/** Of a device whose next certificate may be another person's. */
async function previousOf(sql: Sql, serial: Serial): Promise<Previous> {
  const { state, not_after: notAfter } = await readPrevious(sql, serial);
  return { serial, kind: "reissue", state, notAfter };
}

/** For the binding of a certificate that there is. */
export async function replaceOrder(
  deps: OrderDeps,
  principal: Principal,
  {
    serial,
    kind,
    request,
  }: { readonly serial: Serial; readonly kind: Previous["kind"]; readonly request: KeyRequest },
): Promise<Order> {
  const corporationId = await tenantOfSerial(deps.database, principal, serial);
  const { actor } = principal;
  const { enrolmentId, idempotency } = request;
  return {
    ...request,
    corporationId,
    keyKinds: kindsForDevices(deps),
    async wishOf(sql, key) {
      const row = await readPrevious(sql, serial);
      const { device_id: deviceId, account_id: accountId, state, not_after: notAfter } = row;
      if (deviceId === null || accountId === null)
        throw new CertificateStateError("the certificate is bound to no device");
      return {
        corporationId,
        actor,
        deviceId,
        accountId,
        profile: profileNamed(deps, row.profile),
        key,
        previous: { serial, kind, state, notAfter },
        ...(enrolmentId !== undefined && { enrolmentId }),
        ...(idempotency !== undefined && { idempotency }),
      };
    },
  };
}
