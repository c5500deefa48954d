import type { CertificateLint } from "./lint.ts";
import { authorityInformationAccessPromised } from "./lint/authority-information-access-promised.ts";
import { authorityInformationAccess } from "./lint/authority-information-access.ts";
import { authorityKeyIdentifier } from "./lint/authority-key-identifier.ts";
import { basicConstraints } from "./lint/basic-constraints.ts";
import { certificatePolicies } from "./lint/certificate-policies.ts";
import { crlDistributionPointsPromised } from "./lint/crl-distribution-points-promised.ts";
import { crlDistributionPoints } from "./lint/crl-distribution-points.ts";
import { derCanonical } from "./lint/der-canonical.ts";
import { extendedKeyUsage } from "./lint/extended-key-usage.ts";
import { extensionsOfProfile } from "./lint/extensions-of-profile.ts";
import { extensionsUnique } from "./lint/extensions-unique.ts";
import { freshestCrl } from "./lint/freshest-crl.ts";
import { issuerName } from "./lint/issuer-name.ts";
import { keyUsageOfCa } from "./lint/key-usage-of-ca.ts";
import { keyUsageOfEc } from "./lint/key-usage-of-ec.ts";
import { keyUsage } from "./lint/key-usage.ts";
import { nameConstraints } from "./lint/name-constraints.ts";
import { nameStringTypes } from "./lint/name-string-types.ts";
import { nameUpperBounds } from "./lint/name-upper-bounds.ts";
import { noRevocationAvailable } from "./lint/no-revocation-available.ts";
import { ocspResponder } from "./lint/ocsp-responder.ts";
import { publicKeyPromised } from "./lint/public-key-promised.ts";
import { publicKey } from "./lint/public-key.ts";
import { serialNumberEntropy } from "./lint/serial-number-entropy.ts";
import { serialNumberPromised } from "./lint/serial-number-promised.ts";
import { serialNumber } from "./lint/serial-number.ts";
import { signatureAlgorithm } from "./lint/signature-algorithm.ts";
import { subjectAlternativeNamePromised } from "./lint/subject-alternative-name-promised.ts";
import { subjectAlternativeName } from "./lint/subject-alternative-name.ts";
import { subjectEmpty } from "./lint/subject-empty.ts";
import { subjectKeyIdentifier } from "./lint/subject-key-identifier.ts";
import { subjectPromised } from "./lint/subject-promised.ts";
import { uniqueIdentifiers } from "./lint/unique-identifiers.ts";
import { validityEncoding } from "./lint/validity-encoding.ts";
import { validityOrder } from "./lint/validity-order.ts";
import { validityPromised } from "./lint/validity-promised.ts";
import { version } from "./lint/version.ts";

/** Every rule for certificates: a file each, and each runs over every certificate before it is signed. */
export const CERTIFICATE_LINTS: readonly CertificateLint[] = [
  authorityInformationAccessPromised,
  authorityInformationAccess,
  authorityKeyIdentifier,
  basicConstraints,
  certificatePolicies,
  crlDistributionPointsPromised,
  crlDistributionPoints,
  derCanonical,
  extendedKeyUsage,
  extensionsOfProfile,
  extensionsUnique,
  freshestCrl,
  issuerName,
  keyUsageOfCa,
  keyUsageOfEc,
  keyUsage,
  nameConstraints,
  nameStringTypes,
  nameUpperBounds,
  noRevocationAvailable,
  ocspResponder,
  publicKeyPromised,
  publicKey,
  serialNumberEntropy,
  serialNumberPromised,
  serialNumber,
  signatureAlgorithm,
  subjectAlternativeNamePromised,
  subjectAlternativeName,
  subjectEmpty,
  subjectKeyIdentifier,
  subjectPromised,
  uniqueIdentifiers,
  validityEncoding,
  validityOrder,
  validityPromised,
  version,
];
