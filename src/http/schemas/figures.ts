import { Type } from "typebox";

import { closed, GivenTime, listOf, Time } from "./common.ts";

export const FiguresQuery = closed({
  from: Type.Optional(GivenTime),
  to: Type.Optional(GivenTime),
});

const count = (description?: string) =>
  Type.Integer({ minimum: 0, ...(description !== undefined && { description }) });

const counts = (description: string) =>
  Type.Unsafe<Readonly<Record<string, number>>>({
    type: "object",
    additionalProperties: { type: "integer", minimum: 1 },
    description,
  });

const quantiles = (description: string) =>
  Type.Optional(
    Type.Object(
      { p50: Type.Number(), p90: Type.Number() },
      { description: `${description}, in seconds.` },
    ),
  );

export const EnrolmentFigures = Type.Object(
  {
    from: Time,
    to: Time,
    platforms: listOf(
      Type.Object({
        platform: Type.String({ example: "windows" }),
        begun: count(),
        proven: count(),
        firstTry: count("Proven with the first file, in its first form, at the first check."),
        dropped: count("Over without a proof."),
        certificates: count("Those that took another's place included."),
        otherStyle: count("With the other form of file."),
        openingToProof: quantiles("From 「はじめる」 to the proof"),
        proofToUse: quantiles("From the proof to the first request that a product let in"),
        failedChecks: counts("With a check that was no proof, by what was shown instead."),
        droppedAt: counts("Of those that were dropped, the last screen that was seen."),
        steps: counts("How often each screen was seen."),
      }),
      { description: "Only those on which something was begun." },
    ),
  },
  {
    $id: "EnrolmentFigures",
    description: "What became of the enrolments that were begun from a time to another.",
  },
);
