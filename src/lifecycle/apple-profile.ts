import { toHex, utf8Bytes } from "../pki/bytes.ts";
import type { Clock } from "../pki/clock.ts";
import { buildSignedData, type CmsSigner } from "../pki/cms.ts";
import type { Digest } from "../pki/crypto.ts";
import type { Platform } from "../registry/vocabulary.ts";
import { dayOf } from "./dates.ts";
import { LIFECYCLE_MESSAGES } from "./messages.ts";
import { type PropertyDictionary, propertyList } from "./property-list.ts";

/** What a profile says, and what it brings. */
export interface AppleProfileFacts {
  readonly deviceId: string;
  readonly deviceName: string;
  readonly pharmacyName: string;
  /** Of the certificate, as the browser will offer it. */
  readonly commonName: string;
  readonly notAfter: Date;
  /** In the compatible form; the file in Base64, with its password. */
  readonly pkcs12: { readonly data: string; readonly password: string };
  /** As the browser was recognised. */
  readonly platform: Platform;
  readonly language: "ja" | "en";
}

export interface AppleProfile {
  readonly body: Uint8Array;
  readonly isSigned: boolean;
}

export interface AppleProfiles {
  /** The profile that puts this certificate and its key onto the device. Neither is kept. */
  build(facts: AppleProfileFacts): Promise<AppleProfile>;
}

export interface AppleProfilesDeps {
  readonly clock: Clock;
  readonly digest: Digest;
  readonly trustDomain: string;
  /** Who gives the profile out, as people know it. */
  readonly siteName: Readonly<Record<"ja" | "en", string>>;
  readonly timeZone: string;
  /** Who signs at this moment; undefined where nobody can. */
  readonly signer: () => Promise<CmsSigner | undefined>;
}

/** The device's name in reverse-DNS style: where the same comes again, the new profile takes the old one's place. */
function identifierOf(trustDomain: string, deviceId: string): string {
  return `${trustDomain.split(".").toReversed().join(".")}.suido.device.${deviceId}`;
}

/** A UUID that only this name has: version 8, of a SHA-256 (RFC 9562 §5.8), written as Apple's tools do. */
function uuidOf(name: string, digest: Digest): string {
  const bytes = digest("sha256", utf8Bytes(name)).slice(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return toHex(bytes)
    .toUpperCase()
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/**
 * What every payload has (Apple's CommonPayloadKeys). Identifier and UUID are those of the device, not of the certificate:
 * on a replacement the system updates payloads that have both in common, so that a renewal leaves one identity, not two.
 */
function common(identifier: string, digest: Digest): PropertyDictionary {
  return {
    PayloadIdentifier: identifier,
    PayloadUUID: uuidOf(identifier, digest),
    PayloadVersion: 1,
  };
}

/** The certificate with its key (Apple's com.apple.security.pkcs12). */
function identity(facts: AppleProfileFacts, shared: PropertyDictionary): PropertyDictionary {
  const { commonName, pkcs12 } = facts;
  return {
    ...shared,
    PayloadType: "com.apple.security.pkcs12",
    PayloadDisplayName: commonName,
    PayloadCertificateFileName: "certificate.p12",
    PayloadContent: Buffer.from(pkcs12.data, "base64"),
    Password: pkcs12.password,
    // Of macOS only. Without the first, the keychain's password is asked for at the first use of the key.
    AllowAllAppsAccess: true,
    KeyIsExtractable: false,
  };
}

/**
 * There is no RemovalDate: a proxy can tell somebody with an expired certificate what to do, and nobody without one. There
 * is no ConsentText: it is one dialog more, and the description stands on the page with the button "install" anyway.
 */
function profile(facts: AppleProfileFacts, deps: AppleProfilesDeps): PropertyDictionary {
  const { deviceId, deviceName, language, notAfter, pharmacyName, platform } = facts;
  const { digest, siteName, timeZone, trustDomain } = deps;
  const identifier = identifierOf(trustDomain, deviceId);
  const words = LIFECYCLE_MESSAGES[language].appleProfile;
  const day = dayOf(notAfter, { language, timeZone });
  return {
    ...common(identifier, digest),
    PayloadType: "Configuration",
    PayloadDisplayName: words.title(deviceName),
    PayloadDescription: words.what({ pharmacy: pharmacyName, device: deviceName, day }),
    PayloadOrganization: siteName[language],
    // Into the keychain of whoever installs it, where their browser looks.
    PayloadScope: "User",
    // Without it an iPhone with a watch asks which of the two is meant. An iPad may call itself a Mac: of that nothing is said.
    ...((platform === "ios" || platform === "ipados") && { TargetDeviceType: 1 }),
    PayloadContent: [identity(facts, common(`${identifier}.identity`, digest))],
  };
}

/** Configuration profiles for Apple's devices, signed where there is somebody who can. */
export function createAppleProfiles(deps: AppleProfilesDeps): AppleProfiles {
  const { clock, digest } = deps;
  return {
    async build(facts) {
      const content = propertyList(profile(facts, deps));
      const signer = await deps.signer();
      if (signer === undefined) return { body: content, isSigned: false };
      const body = buildSignedData(content, { signer, signingTime: clock(), digest });
      return { body, isSigned: true };
    },
  };
}
