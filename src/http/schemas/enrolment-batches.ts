import { type Static, type TSchema, Type } from "typebox";

import { BATCH_MAIL_STATES } from "../../lifecycle/enrolment-batch-report.ts";
import { ENROLMENT_STATES, IDENTIFIED_HOW } from "../../lifecycle/enrolment-row.ts";
import type { SentFile } from "../csv-body.ts";
import { closed, Id, line, listOf, PageQuery, SerialNumber, Time, word } from "./common.ts";

const lineNumber = Type.Integer({ description: "In the file, from 1." });

const counts = (words: readonly string[], description: string): TSchema =>
  Type.Object(Object.fromEntries(words.map((each) => [each, Type.Integer()])), { description });

/** The body as the parser has read it; in the document, the text. */
export const BatchFileBody = {
  description:
    "A table of comma-separated values (RFC 4180) in UTF-8 or Shift_JIS. Its first line names the columns, in any order: account (id, e-mail address, or an external id as system:value), pharmacy (id or code), device (id, or its name in the pharmacy), count, reason, place (instead or further; empty: the person is asked where the device has a certificate in use); or アカウント, 薬局, 端末, 台数, 理由, いまの証明書.",
  content: { "text/csv": { schema: Type.Unsafe<SentFile>({}) } },
};

export const BatchQuery = closed({
  corporationId: Type.Optional({
    ...Id,
    description: "Whose invitations they are. A key that is bound to a corporation need not say.",
  }),
  dryRun: Type.Boolean({
    default: false,
    description: "Looks at everything and makes nothing.",
  }),
  requestedBy: Type.Optional(
    line(100, { description: "Whom the mails name as having asked.", example: "本部 システム課" }),
  ),
});

const fault = Type.Object({
  line: lineNumber,
  column: Type.Optional(
    Type.String({ description: "As the file names it; absent where it is the whole line." }),
  ),
  code: Type.String({ description: "Stable." }),
  detail: Type.String({ description: "What is wrong, in the language of Accept-Language." }),
  expected: Type.String({ description: "What would be right." }),
});

/** Faults and replaced ones that a preview names. */
export const MOST_NAMED = 1_000;

export const BatchPreview = Type.Object(
  {
    dryRun: Type.Literal(true),
    lines: Type.Integer({
      description: "Below the names of the columns, as far as they are well-formed.",
    }),
    enrolments: Type.Integer({ description: "How many invitations would be made." }),
    accounts: Type.Integer({ description: "How many people would be asked." }),
    mails: Type.Integer({
      description: "How many mails would go out: one a person and reason, with up to 50 devices.",
    }),
    withoutAddress: Type.Integer({
      description: "How many of them have no address: no mail would go to them.",
    }),
    replacedCount: Type.Integer({
      description: "How many open invitations of the same devices would be withdrawn.",
    }),
    replaces: listOf(Type.Object({ line: lineNumber, enrolmentId: Id }), {
      description: "The first 1,000 of them.",
    }),
    faultCount: Type.Integer({ description: "With any, nothing of the file is made." }),
    faults: listOf(fault, { description: "The first 1,000 of them, in the order of the lines." }),
  },
  { $id: "EnrolmentBatchPreview", description: "What would become of a file." },
);

const batch = {
  id: Id,
  corporationId: Id,
  askedBy: Type.String({ description: "api-key: and its id." }),
  requestedBy: Type.Optional(Type.String()),
  lines: Type.Integer(),
  enrolments: Type.Integer({ description: "Invitations that were made." }),
  replaced: Type.Integer({
    description: "Open ones of the same devices that were withdrawn for them.",
  }),
  createdAt: Time,
  expiresAt: Time,
};

export const EnrolmentBatch = Type.Object(batch, {
  $id: "EnrolmentBatch",
  description: "Invitations that were made together.",
});

export const EnrolmentBatchDetail = Type.Object(
  {
    ...batch,
    progress: Type.Object({
      states: counts(
        ENROLMENT_STATES,
        "How many are how far. Those of devices and people that were removed are not counted.",
      ),
      mails: counts(
        BATCH_MAIL_STATES,
        "What became of the mails, by invitation: none has no address; accepted was taken by the other server; returned came back; dropped was not needed any more.",
      ),
    }),
  },
  { $id: "EnrolmentBatchDetail", description: "The same, and how far they are." },
);

export const EnrolmentBatchLine = Type.Object(
  {
    line: lineNumber,
    enrolmentId: Id,
    pharmacyId: Id,
    pharmacy: Type.String(),
    deviceId: Type.Optional(Id),
    device: Type.Optional(Type.String({ description: "Absent while nobody has named it." })),
    accountId: Id,
    account: Type.String(),
    email: Type.Optional(Type.String()),
    state: word(ENROLMENT_STATES),
    mail: word(BATCH_MAIL_STATES),
    supportNumber: Type.String(),
    expiresAt: Time,
    startedAt: Type.Optional(Time),
    identifiedAt: Type.Optional(Time),
    identifiedHow: Type.Optional(word(IDENTIFIED_HOW)),
    endedAt: Type.Optional(Time),
    serialNumber: Type.Optional({
      ...SerialNumber,
      description: "Of the certificate that was proven.",
    }),
  },
  { $id: "EnrolmentBatchLine", description: "What became of one of them." },
);

export const SheetQuery = closed({
  pharmacyId: Type.Optional({ ...Id, description: "Only the cards of this pharmacy." }),
});

export const EnrolmentBatchQuery = closed(PageQuery);

export type BatchAddress = Static<typeof BatchQuery>;
