import { toHex } from "./bytes.ts";
import { type CertificateView, parseTbs } from "./certificate-view.ts";
import type { CrlView } from "./crl-reader.ts";
import type { Digest } from "./crypto.ts";
import type { Extension, GeneralName } from "./extension-view.ts";
import { keyKind, parsePublicKey, spkiSha256 } from "./key.ts";
import { nameText } from "./name.ts";
import { ACCESS_METHOD, EXTENSION, KEY_PURPOSE } from "./oids.ts";
import { reasonName } from "./revocation-reason.ts";
import { serialFromInteger } from "./serial.ts";

/** What is about to be signed, in words for people who answer for it. It is read from the very bytes. */

/** The name that we know for an OID, with the OID. */
function known(names: Readonly<Record<string, string>>, oid: string): string {
  const name = Object.entries(names).find(([, value]) => value === oid)?.[0];
  return name === undefined ? oid : `${name} (${oid})`;
}

const addresses = (names: readonly GeneralName[]): string =>
  names.map(({ text, content }) => text ?? toHex(content)).join(" ");

type Forms = CertificateView["forms"];

const constraints = ({ basicConstraints }: Forms): string | undefined =>
  basicConstraints &&
  [
    basicConstraints.ca ? "CA" : "no CA",
    ...(basicConstraints.pathLength === undefined
      ? []
      : [`path length ${basicConstraints.pathLength}`]),
  ].join(", ");

/** How each extension that we know is told. */
const TOLD: Readonly<Record<string, (forms: Forms) => string | undefined>> = {
  [EXTENSION.keyUsage]: ({ keyUsage }) => keyUsage?.usages.join(", "),
  [EXTENSION.basicConstraints]: constraints,
  [EXTENSION.extKeyUsage]: ({ extKeyUsage }) =>
    extKeyUsage?.map((purpose) => known(KEY_PURPOSE, purpose)).join(", "),
  [EXTENSION.certificatePolicies]: ({ certificatePolicies }) =>
    certificatePolicies?.map(({ oid }) => oid).join(", "),
  [EXTENSION.subjectAltName]: ({ subjectAltName }) => subjectAltName && addresses(subjectAltName),
  [EXTENSION.cRLDistributionPoints]: ({ cRLDistributionPoints }) =>
    cRLDistributionPoints?.map(({ fullName }) => addresses(fullName ?? [])).join(" "),
  [EXTENSION.authorityInfoAccess]: ({ authorityInfoAccess }) =>
    authorityInfoAccess
      ?.map(({ method, location }) => `${known(ACCESS_METHOD, method)} ${addresses([location])}`)
      .join(", "),
  [EXTENSION.subjectKeyIdentifier]: ({ subjectKeyIdentifier }) =>
    subjectKeyIdentifier && toHex(subjectKeyIdentifier),
  [EXTENSION.authorityKeyIdentifier]: ({ authorityKeyIdentifier }) =>
    authorityKeyIdentifier?.keyIdentifier && toHex(authorityKeyIdentifier.keyIdentifier),
};

/** The value of an extension, read; in hex where we do not know it. */
const valueText = ({ oid, value }: Extension, { forms }: CertificateView): string =>
  TOLD[oid]?.(forms) ?? toHex(value);

/** A TBSCertificate, line by line. Throws MalformedDerError. */
export function certificateLines(tbs: Uint8Array, digest: Digest): readonly string[] {
  const view = parseTbs(tbs);
  return [
    `subject    ${nameText(view.subject)}`,
    `issuer     ${nameText(view.issuer)}`,
    `serial     ${serialFromInteger(view.serialNumber)}`,
    `not before ${view.notBefore.date.toISOString()}`,
    `not after  ${view.notAfter.date.toISOString()}`,
    `key        ${keyKind(parsePublicKey(view.spki))}, SHA-256 ${spkiSha256(view.spki, digest)}`,
    ...view.extensions.map((extension) => {
      const { oid, critical } = extension;
      const value = valueText(extension, view);
      return `extension  ${known(EXTENSION, oid)}${critical ? ", critical" : ""}: ${value}`;
    }),
  ];
}

/** A list, line by line, with every entry. */
export function listLines(list: CrlView): readonly string[] {
  return [
    `issuer      ${nameText(list.issuerName)}`,
    `number      ${list.number ?? "none"}`,
    `this update ${list.thisUpdate.toISOString()}`,
    `next update ${list.nextUpdate.toISOString()}`,
    `entries     ${list.entryCount}`,
    ...[...list.entries()].map(
      ({ serial, revokedAt, reason }) =>
        `  revoked   ${serial} since ${revokedAt.toISOString()}, ${reasonName(reason) ?? reason}`,
    ),
  ];
}
