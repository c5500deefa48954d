import { Type } from "typebox";

import { BULK_ITEM_STATES } from "../../ca/bulk-issue.ts";
import { closed, Id, line, listOf, PageQuery, SerialNumber, Time, word } from "./common.ts";

/** Certificates of one request. */
export const MOST_ITEMS = 10_000;

export const NewBulkIssue = closed({
  corporationId: Id,
  profile: Type.Optional(line(64, { example: "device-client" })),
  items: listOf(
    closed({
      deviceId: Id,
      accountId: Id,
      csr: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 16_384,
          description:
            "A PKCS#10 request in PEM, or its DER in Base64. Only its key is used. Without one the server makes the key when the bundle is collected.",
        }),
      ),
    }),
    { minItems: 1, maxItems: MOST_ITEMS },
  ),
});

export const BulkIssue = Type.Object(
  {
    id: Id,
    corporationId: Id,
    profile: Type.String(),
    askedBy: Type.String(),
    state: word(["waiting", "running", "ended"], {
      description: "Ended when each is issued or has failed.",
    }),
    total: Type.Integer(),
    issued: Type.Integer(),
    failed: Type.Integer(),
    uncollected: Type.Integer({
      description: "Those without a csr whose bundles nobody has collected yet.",
    }),
    createdAt: Time,
    startedAt: Type.Optional(Time),
    endedAt: Type.Optional(Time),
    heldUpBy: Type.Optional(
      Type.String({
        description: "The problem that holds it up, while one does. It goes on by itself.",
      }),
    ),
  },
  { $id: "BulkIssue", description: "Certificates that were asked for together." },
);

export const BulkIssueLine = Type.Object(
  {
    place: Type.Integer({ description: "In the request, from 0." }),
    deviceId: Id,
    accountId: Id,
    state: word(BULK_ITEM_STATES),
    serialNumber: Type.Optional(SerialNumber),
    notAfter: Type.Optional(Time),
    certificate: Type.Optional(Type.String({ description: "PEM." })),
    problem: Type.Optional(
      Type.String({ description: "What a single request would have been answered with." }),
    ),
    detail: Type.Optional(Type.String()),
  },
  { $id: "BulkIssueLine", description: "What became of one of them." },
);

export const BulkBundle = Type.Object(
  {
    place: Type.Integer({ description: "In the request, from 0." }),
    deviceId: Id,
    accountId: Id,
    serialNumber: Type.Optional(SerialNumber),
    notAfter: Type.Optional(Time),
    pkcs12: Type.Optional(
      Type.Object(
        {
          data: Type.String({ description: "Base64.", contentEncoding: "base64" }),
          password: Type.String(),
        },
        { description: "Given once, and kept by nobody." },
      ),
    ),
    problem: Type.Optional(
      Type.String({ description: "What a single request would have been answered with." }),
    ),
    detail: Type.Optional(Type.String()),
  },
  { $id: "BulkBundle", description: "A bundle of a bulk issue, or why there is none." },
);

/** Bundles of one answer, unless told otherwise: some seconds' work. */
export const COLLECTED = 100;

export const Collect = closed({
  limit: Type.Integer({
    minimum: 1,
    maximum: MOST_ITEMS,
    default: COLLECTED,
    description: "How many at most.",
  }),
});

/** What lines have no room for. */
export const NewBulkIssueQuery = closed({
  corporationId: Type.Optional(Id),
  profile: Type.Optional(line(64, { example: "device-client" })),
});

export const BulkIssueQuery = closed(PageQuery);
