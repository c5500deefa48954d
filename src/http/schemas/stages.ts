import { Type } from "typebox";

import { LACKS } from "../../registry/stage-readiness.ts";
import { STAGE_STATES } from "../../registry/stages.ts";
import { STAGES } from "../../registry/vocabulary.ts";
import { closed, GivenTime, Id, listOf, PageQuery, Time, word } from "./common.ts";
import { Product } from "./parties.ts";

const stage = word(STAGES, {
  description:
    "off and observe let everybody in, observe on record; warn adds a notice; enforce refuses.",
});

const setting = {
  id: Id,
  product: Type.String(),
  corporationId: Id,
  pharmacyId: Type.Optional(Id),
  stage,
  from: Time,
  state: word(STAGE_STATES, {
    description:
      "waiting for a second API key, planned for later, in force, past since another came, or withdrawn.",
  }),
  proposedBy: Type.String({ description: "api-key: and its id." }),
  confirmedBy: Type.Optional(Type.String()),
  lackingCount: Type.Integer({
    description: "How many devices it would have stopped when it was proposed.",
  }),
  createdAt: Time,
  decidedAt: Type.Optional(Time),
};

export const Stage = Type.Object(setting, {
  $id: "Stage",
  description: "How strictly a product demands certificates, where and from when on.",
});

export const StageDetail = Type.Object(
  {
    ...setting,
    lacking: listOf(
      Type.Object({
        deviceId: Type.Optional(Id),
        deviceName: Type.Optional(Type.String()),
        pharmacyId: Id,
        pharmacyName: Type.Optional(Type.String()),
        lastSeenAt: Type.Optional(Time),
        why: word(LACKS, {
          description:
            "no-certificate: none that is good then; not-proven: one that no check has proven and that was accepted nowhere; without-certificate: somebody without one was let in there, from an unknown device.",
        }),
      }),
      { description: "Those devices, last seen first; 500 at most." },
    ),
  },
  { $id: "StageDetail", description: "A stage, and the devices that lack what it demands." },
);

export const NewStage = closed({
  product: Product,
  corporationId: Type.Optional(Id),
  pharmacyId: Type.Optional(Id),
  stage,
  from: Type.Optional(GivenTime),
});

export const StageQuery = closed({
  ...PageQuery,
  product: Type.Optional(Product),
  corporationId: Type.Optional(Id),
  pharmacyId: Type.Optional(Id),
});
