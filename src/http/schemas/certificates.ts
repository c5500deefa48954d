import { Type } from "typebox";

import { CERTIFICATE_STATUSES, KEY_CLAIMS } from "../../ca/certificate-record.ts";
import { REASON_CODES, type RevocationReason } from "../../pki/revocation-reason.ts";
import { DEVICE_USES, PLATFORMS } from "../../registry/vocabulary.ts";
import {
  closed,
  Fingerprint,
  Id,
  line,
  listOf,
  PageQuery,
  SerialNumber,
  Time,
  word,
} from "./common.ts";
import { renewalTime } from "./renewals.ts";

const REASONS = Object.keys(REASON_CODES) as RevocationReason[];
const status = word(CERTIFICATE_STATUSES, {
  description: "Where several hold: revoked, then expired, then hold, then good.",
});
const reason = word(REASONS, { description: "The name of a CRLReason (RFC 5280 §5.3.1)." });

/** A CSR is about 1 kB; this leaves room for the largest RSA key with attributes that are ignored. */
const csr = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 16_384,
    description:
      "A PKCS#10 request in PEM, or its DER in Base64. Only its key is used. Without one the server makes the key and hands out the bundle once.",
  }),
);
const bundle = Type.Optional(
  word(["modern", "compatible"], {
    description: "The style of the PKCS#12 bundle; by default what the device's platform can read.",
  }),
);

const certificate = {
  serialNumber: SerialNumber,
  status,
  reason: Type.Optional(reason),
  revokedAt: Type.Optional(Time),
  notBefore: Time,
  notAfter: Time,
  issuedAt: Type.Optional(Time),
  provenAt: Type.Optional(Time),
  identifiedHow: Type.Optional(
    Type.String({
      description:
        "How the person was identified, as in an enrolment; api where whoever has an API key vouched for them.",
      example: "telephone",
    }),
  ),
  deviceId: Id,
  accountId: Id,
  pharmacyId: Id,
  corporationId: Id,
  profile: Type.String(),
  fingerprint: Fingerprint,
  replaces: Type.Optional(SerialNumber),
  replacedBy: Type.Optional(SerialNumber),
  keyOrigin: word(["subject", "server"], { description: "Who made the private key." }),
  keyClaim: Type.Optional(
    word(KEY_CLAIMS, {
      description:
        "Where the script that made the private key says it is kept, not exportable: in the machine's TPM, or in the store of its system. Nothing proves it.",
    }),
  ),
  certificate: Type.String({ description: "PEM." }),
  chain: listOf(Type.String(), { description: "PEM, the issuing CA first, the root last." }),
};

export const Certificate = Type.Object(
  { ...certificate, ...renewalTime },
  { $id: "Certificate", description: "A certificate of a device." },
);

export const IssuedCertificate = Type.Object(
  {
    ...certificate,
    pkcs12: Type.Optional(
      Type.Object(
        {
          data: Type.String({ description: "Base64.", contentEncoding: "base64" }),
          password: Type.String(),
        },
        { description: "Given once, and kept by nobody." },
      ),
    ),
    bundleDelivered: Type.Optional(
      Type.Boolean({
        description: "The bundle was in an earlier answer. A lost one is a reissue.",
      }),
    ),
  },
  { $id: "IssuedCertificate", description: "A new certificate." },
);

export const ChangedCertificate = Type.Object(
  {
    ...certificate,
    journaled: Type.Boolean({
      description: "False with 202: in force, but not yet in the journal. It will be.",
    }),
  },
  { $id: "ChangedCertificate", description: "A certificate whose status was changed." },
);

export const NewCertificate = closed({
  accountId: Id,
  deviceId: Id,
  profile: Type.Optional(line(64, { example: "device-client" })),
  csr,
  bundle,
});
export const NextCertificate = closed({ csr, bundle });
export const Revocation = closed({ reason });

/** An empty object, or no body at all. */
export const Nothing = closed({});

export const CertificateQuery = closed({
  ...PageQuery,
  fingerprint: Type.Optional(Fingerprint),
  accountId: Type.Optional(Id),
  deviceId: Type.Optional(Id),
  corporationId: Type.Optional(Id),
  status: Type.Optional(status),
});

const Named = Type.Object({ id: Id, name: Type.String() });

export const CertificateState = Type.Object(
  {
    serialNumber: SerialNumber,
    status,
    since: Time,
    reason: Type.Optional(reason),
    notAfter: Time,
    daysLeft: Type.Integer({ description: "Whole days to notAfter; 0 afterwards." }),
    emergency: Type.Optional(
      Type.Boolean({
        description:
          "Whether the certificate is an emergency's: of a machine that stands in for another for 24 hours, and of nobody's inventory. Absent of all others.",
      }),
    ),
    replacedBy: Type.Optional(SerialNumber),
    device: Type.Object({
      id: Id,
      name: Type.String(),
      platform: Type.String({ enum: [...PLATFORMS] }),
      use: word(DEVICE_USES),
    }),
    account: Named,
    pharmacy: Type.Object({ id: Id, name: Type.String(), code: Type.Optional(Type.String()) }),
    corporation: Named,
    mayUse: Type.Optional(
      Type.Boolean({ description: "Whether ?account= may use the device now." }),
    ),
  },
  { $id: "CertificateState", description: "What a product wants to know of a certificate." },
);
export const StatusQuery = closed({ account: Type.Optional(Id) });

export const Lineage = Type.Object(
  {
    items: listOf(
      Type.Object({
        ...certificate,
        current: Type.Boolean({
          description: "Good, and no good one came after it. A device has one for each place.",
        }),
        place: Type.Integer({
          minimum: 1,
          description:
            "Which place of the device it is of (a Windows user, a browser's own store), numbered as they came into being.",
        }),
      }),
    ),
  },
  { $id: "Lineage", description: "All certificates of a device, the newest first." },
);

export const Check = Type.Object(
  {
    id: Id,
    url: Type.String({ format: "uri", description: "To be opened on the device, in its browser." }),
    expiresAt: Time,
  },
  { $id: "Check", description: "A place to which a device goes once, to show its certificate." },
);

/** What a program is told at a check. */
export const CheckVisit = Type.Object({
  outcome: word([
    "proven",
    "none",
    "other-device",
    "other-place",
    "older",
    "newer",
    "revoked",
    "expired",
    "unknown",
    "ended",
  ]),
  commonName: Type.Optional(Type.String()),
  deviceName: Type.Optional(Type.String()),
  pharmacyName: Type.Optional(Type.String()),
  serialNumber: Type.Optional(SerialNumber),
  notAfter: Type.Optional(Time),
  provenAt: Type.Optional(Time),
});

export const Whoami = Type.Object(
  {
    serialNumber: SerialNumber,
    notAfter: Time,
    daysLeft: Type.Integer(),
    deviceId: Id,
    deviceName: Type.String(),
    accountId: Id,
    accountName: Type.String(),
    pharmacyId: Id,
    pharmacyName: Type.String(),
    corporationId: Id,
    corporationName: Type.String(),
  },
  { $id: "Whoami", description: "Whose certificate was presented." },
);
