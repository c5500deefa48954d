import type { Actor, Fact } from "../audit/record.ts";
import { BeyondIssuerError } from "../pki/errors.ts";
import type { Profile } from "../pki/profile.ts";
import type { Serial } from "../pki/serial.ts";
import { type Validity, validityOf } from "../pki/validity.ts";
import { NotAMemberError, NotFoundError } from "../registry/errors.ts";
import {
  InvalidStateError,
  IssuingStoppedError,
  KeyCompromisedError,
  KeyInUseError,
  QuarantineError,
} from "./errors.ts";
import type { RequestKey } from "./request-key.ts";

/** Device, account and their membership, as the database has them. */
export interface DeviceFacts {
  readonly pharmacy_id: string | null;
  readonly device_name: string | null;
  readonly platform: string | null;
  readonly is_retired: boolean | null;
  /** By its own pharmacy, and not let go on. */
  readonly is_stopped: boolean;
  readonly is_disabled: boolean | null;
  readonly is_member: boolean;
}

/** The same with the issuer and the signer's state, as a reservation finds and locks them. */
export interface ReservationFacts extends DeviceFacts {
  readonly issuer_id: string | null;
  readonly issuer_not_after: Date | null;
  readonly is_quarantined: boolean;
}

/** What the earlier certificates of a key say about another one for it. */
export interface KeyVerdict {
  readonly is_compromised: boolean;
  readonly is_foreign: boolean;
  readonly is_worn: boolean;
  readonly is_held: boolean;
  readonly same: Uint8Array | null;
}

/** What a certificate may be reserved for. */
export interface Allowed {
  readonly device: {
    readonly pharmacyId: string;
    readonly name: string;
    readonly platform: string;
  };
  readonly issuerId: string;
  readonly issuerNotAfter: Date;
}

/** No certificate without a device, a responsible account and their common pharmacy. Throws CaError and RegistryError. */
export function checkDevice(facts: DeviceFacts): Allowed["device"] {
  const { pharmacy_id: pharmacyId, device_name: name, platform } = facts;
  if (pharmacyId === null || name === null || platform === null)
    throw new NotFoundError("device", "deviceId");
  if (facts.is_disabled === null) throw new NotFoundError("account", "accountId");
  if (facts.is_retired === true)
    throw new InvalidStateError("the device is retired", { field: "deviceId" });
  if (facts.is_stopped)
    throw new InvalidStateError("the device is on hold: its pharmacy's manager can let it go on", {
      field: "deviceId",
    });
  if (facts.is_disabled)
    throw new InvalidStateError("the account is disabled", { field: "accountId" });
  if (!facts.is_member) throw new NotAMemberError("accountId");
  return { pharmacyId, name, platform };
}

/** The same, and none from an issuer that rests. Throws CaError and RegistryError. */
export function checkFacts(facts: ReservationFacts): Allowed {
  const device = checkDevice(facts);
  if (facts.is_quarantined)
    throw new QuarantineError("nothing is issued while journal and database are brought together");
  if (facts.issuer_id === null || facts.issuer_not_after === null)
    throw new IssuingStoppedError("there is no active issuing CA");
  return {
    device,
    issuerId: facts.issuer_id,
    issuerNotAfter: facts.issuer_not_after,
  };
}

/** Throws KeyCompromisedError, KeyInUseError and InvalidStateError. */
export function checkVerdict(verdict: KeyVerdict): void {
  if (verdict.is_compromised) throw new KeyCompromisedError();
  if (verdict.is_foreign) throw new KeyInUseError();
  if (verdict.is_worn)
    throw new KeyInUseError("a certificate that replaces another needs a key of its own");
  if (verdict.is_held)
    throw new InvalidStateError("the certificate of this key is on hold", { field: "csr" });
}

/** Writes the month in which a certificate ends, as people of the zone count it. Making one is slow, using it is not. */
export function monthFormat(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat("en-u-ca-iso8601-nu-latn", {
    timeZone,
    year: "numeric",
    month: "2-digit",
  });
}

/** The device's label and the month of expiry there: what a person picks a certificate by. */
export function commonNameOf(
  deviceName: string,
  notAfter: Date,
  format: Intl.DateTimeFormat,
): string {
  const parts = format.formatToParts(notAfter);
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? "";
  return `${deviceName} ${part("year")}-${part("month")}`;
}

/** Issuing stops rather than shortening a certificate in silence. Throws IssuingStoppedError. */
export function validityWithin(
  timeZone: string,
  profile: Profile,
  { now, issuerNotAfter }: { readonly now: Date; readonly issuerNotAfter: Date },
): Validity {
  try {
    return validityOf(profile, { now, timeZone, issuerNotAfter });
  } catch (error) {
    if (!(error instanceof BeyondIssuerError)) throw error;
    throw new IssuingStoppedError(error.message, { cause: error });
  }
}

/** What is said of a wish on record. */
interface WishFacts {
  readonly corporationId: string;
  readonly actor: Actor;
  readonly deviceId: string;
  readonly accountId: string;
  readonly profile: Pick<Profile, "name">;
  readonly key: Pick<RequestKey, "keyOrigin">;
  readonly previous?: { readonly serial: Serial };
}

interface Reserved {
  readonly serial: Serial;
  readonly pharmacyId: string;
  readonly now: Date;
}

/** The fact that a certificate was asked for, and a serial reserved for it. */
export function requestedFact(wish: WishFacts, { serial, pharmacyId, now }: Reserved): Fact {
  return {
    at: now,
    actor: wish.actor,
    action: "certificate.requested",
    subject: `certificate/${serial}`,
    corporationId: wish.corporationId,
    detail: {
      deviceId: wish.deviceId,
      accountId: wish.accountId,
      pharmacyId,
      profile: wish.profile.name,
      keyOrigin: wish.key.keyOrigin,
      ...(wish.previous !== undefined && { replaces: wish.previous.serial }),
    },
  };
}
