import { type Static, Type } from "typebox";

import { KEY_CLAIMS } from "../../ca/certificate-record.ts";
import {
  CONFIRMED_HOW,
  ENROLMENT_REASONS,
  ENROLMENT_STATES,
  IDENTIFIED_HOW,
  PLACE_CHOICES,
} from "../../lifecycle/enrolment-row.ts";
import { MOST_DEVICES } from "../../lifecycle/enrolment-request.ts";
import { PLATFORMS } from "../../registry/vocabulary.ts";
import { PAGE_STEPS } from "../../lifecycle/enrolment-steps.ts";
import {
  closed,
  Id,
  line,
  listOf,
  PageQuery,
  patterned,
  SerialNumber,
  Time,
  word,
} from "./common.ts";

const state = word(ENROLMENT_STATES, {
  description:
    "invited until the person presses 「はじめる」; proven, expired and withdrawn are ends.",
});

const reason = word(ENROLMENT_REASONS, {
  description:
    "What the mail says why: the device's first certificate, one instead of another device's, a renewal, or support asked for it.",
});

const BECOMES =
  "What becomes of the certificates that the device has: instead ends all of them after the proof of the new one; further leaves them, because another Windows user or browser of the same device gets the new one.";

const supportNumber = patterned("^[0-9]{6}$", {
  description: "お問い合わせ番号: what a caller reads from the page. No other open one has it.",
  example: "482915",
});

const identifiedHow = word(IDENTIFIED_HOW, {
  description:
    "How the person was identified: by support, or by a code to their address, by their sign-in, or by the pharmacy's manager.",
});

const enrolment = {
  id: Id,
  corporationId: Id,
  pharmacyId: Id,
  deviceId: Type.Optional({
    ...Id,
    description: "Absent where the device comes into being with its first certificate, until then.",
  }),
  deviceName: Type.Optional(
    Type.String({ description: "How the person has named a device that is still to come." }),
  ),
  accountId: Id,
  state,
  reason,
  place: Type.Optional(
    word(PLACE_CHOICES, {
      description: `${BECOMES} Absent of renewals, of a device that has none, and until the person has said.`,
    }),
  ),
  replaces: Type.Optional({
    ...SerialNumber,
    description: "The certificate that the new one follows, once that is known.",
  }),
  duringCall: Type.Boolean(),
  requestedBy: Type.Optional(Type.String()),
  supportNumber: Type.Optional(supportNumber),
  askedBy: Type.String({ description: "api-key: and its id." }),
  mailed: Type.Boolean({
    description: "Whether the account has an address, to which the link is sent.",
  }),
  createdAt: Time,
  expiresAt: Time,
  startedAt: Type.Optional(Time),
  identifiedAt: Type.Optional(Time),
  identifiedBy: Type.Optional(
    Type.String({ description: "Who confirmed the person: api-key: and its id." }),
  ),
  identifiedHow: Type.Optional(identifiedHow),
  endedAt: Type.Optional(Time),
  replacedBy: Type.Optional(Id),
};

export const Enrolment = Type.Object(enrolment, {
  $id: "Enrolment",
  description: "The way of a certificate onto a device: who is asked, and how far they are.",
});

export const MadeEnrolment = Type.Object(
  {
    ...enrolment,
    link: Type.Optional(
      Type.String({ format: "uri", description: "For role admin only. Nobody has kept it." }),
    ),
    code: Type.Optional(
      Type.String({
        description:
          "To be typed on the device at the address /start. For roles that may issue certificates; it opens nothing before the person is identified.",
        example: "K7QM-3XWD",
      }),
    ),
  },
  { $id: "MadeEnrolment", description: "An enrolment with what the caller may be handed of it." },
);

export const MadeEnrolments = Type.Object(
  { items: Type.Array(Type.Unsafe<Static<typeof MadeEnrolment>>({ $ref: "MadeEnrolment#" })) },
  {
    $id: "MadeEnrolments",
    description: "Those that were asked for together: the mail lists them all.",
  },
);

export const NewEnrolment = closed({
  accountId: Id,
  deviceId: Type.Optional(Id),
  pharmacyId: Type.Optional({
    ...Id,
    description: "Instead of deviceId, with count: of machines that nobody has registered.",
  }),
  count: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MOST_DEVICES,
      description: "How many machines of the pharmacy. Whoever stands before each names it.",
    }),
  ),
  duringCall: Type.Optional(
    Type.Boolean({ description: "It ends after 72 hours instead of 14 days." }),
  ),
  reason: Type.Optional(reason),
  place: Type.Optional(
    word(PLACE_CHOICES, {
      description: `${BECOMES} With deviceId only, and not of a renewal. Without it the person is asked where the device has a certificate in use.`,
    }),
  ),
  replaces: Type.Optional({
    ...SerialNumber,
    description:
      "Of a renewal, the certificate that is renewed, where the person has several on the device. Without it their newest.",
  }),
  requestedBy: Type.Optional(
    line(100, { description: "Whom the mail names as having asked.", example: "本部 システム課" }),
  ),
});

export const EnrolmentConfirmation = closed({
  how: word(CONFIRMED_HOW, { description: "How support knew whom it spoke with." }),
  supportNumber: Type.Optional(
    patterned("^[0-9]{6}$", {
      description:
        "As the caller has read it. Needed once the enrolment was begun more than once: it tells whose page is meant.",
      example: "482915",
    }),
  ),
});

/** What somebody has in hand who begins. */
export const InHand = closed({
  token: Type.Optional(line(200)),
  code: Type.Optional(line(40)),
});

/** What the page of a browser goes by that has begun. */
export const WayState = Type.Object({ page: Type.String() });

export const MailedCode = closed({ code: line(40) });

/** How a machine is called. What a name may be is the room's to say: the page explains it. */
export const WayNaming = closed({
  offer: Type.Optional(Type.String({ maxLength: 4096 })),
  own: Type.Optional(Type.String({ maxLength: 4096 })),
  platform: Type.Optional(word(PLATFORMS)),
  takesOver: Type.Optional(Id),
  place: Type.Optional(word(PLACE_CHOICES)),
});

/** What becomes of the certificates that the device has. */
export const WayPlace = closed({ place: word(PLACE_CHOICES) });

/** A request for a certificate; without one we make the key. */
export const WayRequest = closed({
  csr: Type.Optional(Type.String({ maxLength: 8192 })),
  bundle: Type.Optional(Type.Union([Type.Literal("modern"), Type.Literal("compatible")])),
});

/** What a script sends that has made a key. */
export const ScriptRequest = closed({
  secret: Type.String({ maxLength: 200 }),
  csr: Type.String({ minLength: 1, maxLength: 16_384 }),
  keyClaim: word(KEY_CLAIMS),
});

/** What it gets: all of ASCII, because Windows PowerShell 5.1 reads JSON as Latin-1. */
export const ScriptAnswer = Type.Object({
  deviceId: Id,
  certificate: Type.String(),
  chain: listOf(Type.String()),
  checkUrl: Type.String(),
});

export const WayStep = closed({ step: word(PAGE_STEPS) });

export const EnrolmentQuery = closed({
  ...PageQuery,
  deviceId: Type.Optional(Id),
  accountId: Type.Optional(Id),
  pharmacyId: Type.Optional(Id),
  state: Type.Optional(state),
  supportNumber: Type.Optional(supportNumber),
});
