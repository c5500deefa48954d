import { Type } from "typebox";

import { MAIL_STATES } from "../../lifecycle/mail-ledger.ts";
import { TASK_KINDS } from "../../lifecycle/tasks.ts";
import { closed, Id, line, listOf, named, PageQuery, Time, word } from "./common.ts";

const diagnostic = Type.Optional(Type.String({ description: "The mail server's own words." }));

export const LedgerMail = Type.Object(
  {
    id: Id,
    kind: Type.String({
      description:
        "enrolment, enrolment-request, enrolment-code, expiry, renew-now, proven; others may come.",
    }),
    recipient: Type.Optional(Type.String()),
    state: word(MAIL_STATES, {
      description:
        "As far as anybody can know. accepted: the recipient's server has taken it, which says nothing of whether somebody has read it. followed: somebody has begun with its link or code.",
    }),
    says: Type.Object({ ja: Type.String(), en: Type.String() }),
    plannedAt: Time,
    acceptedAt: Type.Optional(Time),
    returnedAt: Type.Optional(Time),
    diagnostic,
  },
  { $id: "LedgerMail", description: "A mail, and how far it has come." },
);

export const LedgerMails = Type.Object(
  { items: listOf(named(LedgerMail)) },
  { $id: "LedgerMails", description: "The newest first, a hundred at most." },
);

export const MailReport = closed({
  messageId: line(320, { description: "Of the mail that came back: its Message-ID." }),
  status: line(40, { description: "RFC 3463: 5.x.x says that it is for good." }),
  diagnostic: Type.Optional(line(500, { description: "The server's own words." })),
});

export const ReturnedMail = Type.Object(
  {
    id: Id,
    returned: Type.Boolean({
      description: "Whether the mail counts as returned; one that is only late does not.",
    }),
  },
  { $id: "ReturnedMail", description: "What became of a mail of which a report has come." },
);

export const Task = Type.Object(
  {
    id: Id,
    corporationId: Type.Optional(Id),
    kind: word(TASK_KINDS, {
      description:
        "untold: nobody can be told that a certificate ends. returned: a mailbox has returned a mail, and reminders pass it over.",
    }),
    subject: Type.String({ description: "certificate/ or mail/ and its id." }),
    address: Type.Optional(Type.String()),
    pharmacyName: Type.Optional(Type.String()),
    deviceName: Type.Optional(Type.String()),
    notAfter: Type.Optional(Time),
    diagnostic,
    openedAt: Time,
    closedAt: Type.Optional(Time),
    closedBy: Type.Optional(Type.String({ description: "worker where it has settled itself." })),
  },
  { $id: "Task", description: "What somebody has to look after, because a mail cannot." },
);

export const TaskQuery = closed({
  ...PageQuery,
  kind: Type.Optional(word(TASK_KINDS)),
  open: Type.Optional(Type.Boolean({ description: "Only those that are open, or only others." })),
});
