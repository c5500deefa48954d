import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";

import type { Enrolments } from "../lifecycle/enrolments.ts";
import { allows } from "../staff/roles.ts";
import { principalOf } from "./authentication.ts";
import { idempotencyOf } from "./idempotency.ts";
import { bodyOrNone } from "./json-body.ts";
import { Nothing } from "./schemas/certificates.ts";
import {
  bodyProblems,
  CreationHeaders,
  IdParams,
  named,
  page,
  problems,
} from "./schemas/common.ts";
import * as schemas from "./schemas/enrolments.ts";

export interface EnrolmentRoutesOptions {
  readonly enrolments: Enrolments;
}

const tags = ["Enrolments"];

/** Looking at enrolments. */
export const enrolmentReadingRoutes: FastifyPluginAsyncTypebox<EnrolmentRoutesOptions> = async (
  app,
  { enrolments },
) => {
  app.get(
    "/enrolments",
    {
      config: { permission: "enrolments:read" },
      schema: {
        summary: "A page of them, in the order in which they were made",
        tags,
        querystring: schemas.EnrolmentQuery,
        response: { 200: page(named(schemas.Enrolment)), ...problems(422) },
      },
    },
    (request) => enrolments.list(principalOf(request), request.query),
  );
  app.get(
    "/enrolments/:id",
    {
      config: { permission: "enrolments:read" },
      schema: {
        summary: "Look at an enrolment",
        tags,
        params: IdParams,
        response: { 200: named(schemas.Enrolment), ...problems(404) },
      },
    },
    (request) => enrolments.get(principalOf(request), request.params.id),
  );
};

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
          "Sends the account a mail with a link, good for 14 days, or 72 hours when made during a call. An open one of the same device is withdrawn. With the same Idempotency-Key it is the same one; link and code are fresh, since nobody has kept those before, and those before stay good.",
        tags,
        headers: CreationHeaders,
        body: schemas.NewEnrolment,
        response: { 201: named(schemas.MadeEnrolment), ...bodyProblems(404, 409) },
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const made = await enrolments.create(principal, request.body, {
        link: allows(principal.role, "enrolments:link"),
        code: allows(principal.role, "enrolments:code"),
        idempotency: idempotencyOf(request, reply),
      });
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
