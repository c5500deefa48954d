import { Type } from "typebox";

import { CONFIRMED_HOW } from "../../lifecycle/enrolment-row.ts";
import { FACTOR_HOW, FACTOR_KINDS } from "../../lifecycle/factors/factor-rows.ts";
import { closed, Id, line, listOf, Time, word } from "./common.ts";

const SecondFactor = Type.Object({
  id: Id,
  kind: word(FACTOR_KINDS, {
    description: "authenticator: an app with codes of six digits. A person has one at most.",
  }),
  addedHow: word(FACTOR_HOW, { description: "How the person was known who added it." }),
  createdAt: Time,
  lastUsedAt: Type.Optional(Time),
  lockedUntil: Type.Optional(Time),
});

export const SecondFactorList = Type.Object(
  { items: listOf(SecondFactor) },
  {
    $id: "SecondFactorList",
    description:
      "With what a person confirms who they are, beside a code to their mailbox or their sign-in, when they get an emergency certificate. Kinds and times; never a secret.",
  },
);

export const FactorInvitation = Type.Object(
  { id: Id, accountId: Id, how: word(CONFIRMED_HOW), createdAt: Time, expiresAt: Time },
  { $id: "FactorInvitation", description: "A link is on its way to the person's own address." },
);

export const NewFactorInvitation = closed({
  how: word(CONFIRMED_HOW, { description: "How support knew whom it spoke with." }),
});

/** The second id is one of ours or names nothing: which of the two, the room says. */
export const FactorParams = closed({ id: Id, factorId: Type.String() });

/** What a form begins with. */
export const FactorBeginning = closed({ token: Type.Optional(line(200)) });

export const FactorChoice = closed({ id: line(40) });

/** Where a page goes on. */
export const NextPage = Type.Object({ next: Type.String() });
