import { Type } from "typebox";

import { REASON_CODES, type RevocationReason } from "../../pki/revocation-reason.ts";
import { PARTY_USES, STAGES } from "../../registry/vocabulary.ts";
import {
  closed,
  Fingerprint,
  Id,
  line,
  listOf,
  PageQuery,
  patterned,
  SerialNumber,
  Time,
  word,
} from "./common.ts";

const uses = listOf(
  word(PARTY_USES, {
    description:
      "authorize: it asks at each request. file: it reads lists from a file. ocsp: it asks the responder.",
  }),
  { minItems: 1, maxItems: PARTY_USES.length },
);
const name = line(100, { example: "musubi-proxy-1" });

/** What stages are set for. */
export const Product = patterned("^[a-z][a-z0-9-]{0,39}$", {
  description: "The product's name in addresses and headers.",
  example: "musubi",
});

const sessionSeconds = Type.Integer({
  minimum: 0,
  maximum: 604_800,
  description:
    "How long a connection or TLS session that was checked once may live on without being checked again. 0 for the recipes of deploy/.",
});
const defaultStage = word(STAGES, {
  description:
    "How strictly certificates are demanded where no stage is set for the pharmacy or its corporation.",
});
const clientCertificate = {
  description: "The certificate that it shows at the mTLS listener, in PEM, whoever signed it.",
};

export const RelyingParty = Type.Object(
  {
    id: Id,
    name: Type.String(),
    product: Type.String(),
    uses,
    sessionSeconds: Type.Integer(),
    defaultStage,
    clientCertificateSha256: Type.Optional(Fingerprint),
    createdAt: Time,
    updatedAt: Time,
    retiredAt: Type.Optional(Time),
    lastSeenAt: Type.Optional(Time),
  },
  {
    $id: "RelyingParty",
    description: "A proxy or product that lets devices in by their certificates.",
  },
);
export const NewRelyingParty = closed({
  name,
  product: Product,
  uses,
  sessionSeconds: Type.Optional(sessionSeconds),
  defaultStage: Type.Optional(defaultStage),
  clientCertificate: Type.Optional(Type.String({ maxLength: 16_384, ...clientCertificate })),
});
export const RelyingPartyChange = closed(
  {
    name: Type.Optional(name),
    product: Type.Optional(Product),
    uses: Type.Optional(uses),
    sessionSeconds: Type.Optional(sessionSeconds),
    defaultStage: Type.Optional(defaultStage),
    clientCertificate: Type.Optional(
      Type.Unsafe<string | null>({
        type: ["string", "null"],
        maxLength: 16_384,
        ...clientCertificate,
      }),
    ),
  },
  { minProperties: 1 },
);
export const RelyingPartyQuery = closed(PageQuery);

export const InForce = closed({
  certificates: listOf(Fingerprint, {
    maxItems: 256,
    description: "SHA-256 of each CA certificate that is in force.",
  }),
  lists: listOf(
    closed({
      issuer: Fingerprint,
      number: patterned("^(?:0|[1-9]\\d{0,17})$", {
        description: "The CRL number, decimal.",
        example: "1795262400000001",
      }),
    }),
    { maxItems: 256, description: "The lists that are in force, each with who signed it." },
  ),
});
export const Acknowledged = Type.Object(
  { relyingPartyId: Id, at: Time },
  { $id: "Acknowledged", description: "Taken down." },
);

export const Propagation = Type.Object(
  {
    serialNumber: SerialNumber,
    status: word(["hold", "revoked"]),
    reason: word(Object.keys(REASON_CODES) as RevocationReason[]),
    revokedAt: Time,
    everywhere: Type.Boolean({
      description: "Every registered party enforces it. False where none is registered.",
    }),
    since: Type.Optional(Time),
    parties: listOf(
      Type.Object({
        id: Id,
        name: Type.String(),
        product: Type.String(),
        uses,
        enforced: Type.Boolean(),
        since: Type.Optional(Time),
        expectedBy: Type.Optional(Time),
        lagging: Type.Boolean({
          description: "Not enforced, although it should be by now.",
        }),
        because: Type.String(),
        lastSeenAt: Type.Optional(Time),
      }),
    ),
    usage: listOf(
      Type.Object({ relyingPartyId: Id, name: Type.String(), firstAt: Time, lastAt: Time }),
      { description: "First and last use of the certificate at each party, to the hour." },
    ),
  },
  {
    $id: "Propagation",
    description: "Who refuses a certificate that was stopped, and since when.",
  },
);
