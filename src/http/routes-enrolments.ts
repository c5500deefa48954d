import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import { type Static, Type } from "typebox";

import type { EnrolmentRequest } from "../lifecycle/enrolment-request.ts";
import type { EnrolmentInput, Enrolments } from "../lifecycle/enrolments.ts";
import { parseSerial } from "../pki/serial.ts";
import { allows } from "../staff/roles.ts";
import { principalOf } from "./authentication.ts";
import { addReading } from "./collection.ts";
import { HttpError } from "./errors.ts";
import { idempotencyOf } from "./idempotency.ts";
import { bodyOrNone } from "./json-body.ts";
import { Nothing } from "./schemas/certificates.ts";
import { bodyProblems, CreationHeaders, IdParams, named } from "./schemas/common.ts";
import * as schemas from "./schemas/enrolments.ts";

export interface EnrolmentRoutesOptions {
  readonly enrolments: Enrolments;
}

const tag = "Enrolments";
const tags = [tag];

/** Looking at enrolments. */
export const enrolmentReadingRoutes: FastifyPluginAsyncTypebox<EnrolmentRoutesOptions> = async (
  app,
  { enrolments },
) => {
  addReading(app, {
    path: "/enrolments",
    tag,
    summaries: {
      page: "A page of them, in the order in which they were made",
      one: "Look at an enrolment",
    },
    schemas: {
      item: schemas.Enrolment,
      detail: schemas.Enrolment,
      query: schemas.EnrolmentQuery,
    },
    permission: "enrolments:read",
    ...enrolments,
  });
};

type Wanted = EnrolmentInput | EnrolmentRequest;

function refuse(field: string, detail: string): HttpError {
  return new HttpError("invalid-request", `${field} ${detail}`, [{ field, detail }]);
}

/** Which place of a device it is for, if that is said. Throws HttpError where that makes no sense. */
function placingOf({
  deviceId,
  place,
  reason,
  replaces,
}: Static<typeof schemas.NewEnrolment>): Pick<EnrolmentInput, "place" | "replaces"> {
  const isOfDevice = deviceId !== undefined;
  if (place !== undefined) {
    if (reason === "renewal")
      throw refuse("place", "does not go with a renewal, which is of the place that it renews");
    if (!isOfDevice) throw refuse("place", "goes with deviceId only");
    if (replaces === undefined) return { place };
  }
  if (replaces === undefined) return {};
  if (isOfDevice && reason === "renewal") return { replaces: parseSerial(replaces) };
  throw refuse("replaces", "goes with deviceId and the reason renewal only");
}

/** One device, or so many of a pharmacy. Throws HttpError where it is neither, or both. */
function wantedOf(body: Static<typeof schemas.NewEnrolment>): Wanted {
  const { deviceId, pharmacyId, count, place: _, replaces: __, ...common } = body;
  const placing = placingOf(body);
  if (deviceId !== undefined) {
    const [also] = Object.keys({
      ...(pharmacyId !== undefined && { pharmacyId }),
      ...(count !== undefined && { count }),
    });
    if (also !== undefined) throw refuse(also, "does not go with deviceId");
    return { ...common, ...placing, deviceId };
  }
  if (pharmacyId === undefined) throw refuse("deviceId", "is missing, or pharmacyId with count");
  if (count === undefined) throw refuse("count", "is missing: how many devices of the pharmacy");
  return { ...common, pharmacyId, count };
}

/** Asking people to put a certificate on a device. */
export const enrolmentRoutes: FastifyPluginAsyncTypebox<EnrolmentRoutesOptions> = async (
  app,
  { enrolments },
) => {
  app.post(
    "/enrolments",
    {
      config: { permission: "enrolments:write" },
      schema: {
        summary: "Ask a person to put a certificate on a device",
        description:
          "For a device, or for a pharmacy and a count of devices that nobody has registered: then the answer lists an enrolment for each, and one mail has all their links. Sends the account a mail with a link, good for 14 days, or 72 hours when made during a call. An open one of the same device is withdrawn; one for a further place leaves renewals of its other places. With the same Idempotency-Key it is the same one; link and code are fresh, since nobody has kept those before, and those before stay good.",
        tags,
        headers: CreationHeaders,
        body: schemas.NewEnrolment,
        response: {
          201: Type.Union([named(schemas.MadeEnrolment), named(schemas.MadeEnrolments)]),
          ...bodyProblems(404, 409),
        },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { role } = principal;
      const handing = {
        link: allows(role, "enrolments:link"),
        code: allows(role, "enrolments:code"),
        idempotency: idempotencyOf(request, reply),
      };
      const wanted = wantedOf(request.body);
      if ("count" in wanted) {
        const items = await enrolments.request(principal, wanted, handing);
        return reply.code(201).send({ items: [...items] });
      }
      const made = await enrolments.create(principal, wanted, handing);
      return reply.code(201).header("location", `/v1/enrolments/${made.id}`).send(made);
    },
  );
};

/** What becomes of one that is made: taken back, or its person identified. */
export const enrolmentDecisionRoutes: FastifyPluginAsyncTypebox<EnrolmentRoutesOptions> = async (
  app,
  { enrolments },
) => {
  app.post(
    "/enrolments/:id/withdraw",
    {
      config: { permission: "enrolments:write" },
      schema: {
        summary: "Withdraw an enrolment: its links and codes open nothing any more",
        description: "A certificate that it has led to stays as it is.",
        tags,
        params: IdParams,
        body: Nothing,
        response: { 200: named(schemas.Enrolment), ...bodyProblems(404, 409) },
      },
      preValidation: bodyOrNone,
    },
    (request) => enrolments.withdraw(principalOf(request), request.params.id),
  );
  app.post(
    "/enrolments/:id/confirm",
    {
      config: { permission: "enrolments:confirm" },
      schema: {
        summary: "Say that the person was identified, and how (「本人を確認しました」)",
        description:
          "Of a started one only. The person reads the support number from their page; find it with ?supportNumber=. Their page goes on by itself.",
        tags,
        params: IdParams,
        body: schemas.EnrolmentConfirmation,
        response: { 200: named(schemas.Enrolment), ...bodyProblems(404, 409) },
      },
    },
    (request) => enrolments.confirm(principalOf(request), request.params.id, request.body),
  );
};
