import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyReply } from "fastify";

import type { StageDetail, Stages } from "../registry/stages.ts";
import { principalOf } from "./authentication.ts";
import { addReading } from "./collection.ts";
import { instant } from "./instant.ts";
import { bodyOrNone } from "./json-body.ts";
import { Nothing } from "./schemas/certificates.ts";
import { bodyProblems, IdParams, named } from "./schemas/common.ts";
import * as schemas from "./schemas/stages.ts";

export interface StageRoutesOptions {
  readonly stages: Stages;
}

const tag = "Stages";
const tags = [tag];

const settled = {
  200: named(schemas.StageDetail),
  202: named(schemas.StageDetail),
};

/** 202 says that it waits for a second person. */
function replyStage(reply: FastifyReply, stage: StageDetail): StageDetail {
  reply.code(stage.state === "waiting" ? 202 : 200);
  return stage;
}

/** Setting and confirming stages. */
export const stageSettingRoutes: FastifyPluginAsyncTypebox<StageRoutesOptions> = async (
  app,
  { stages },
) => {
  app.put(
    "/stages",
    {
      config: { permission: "stages:write" },
      schema: {
        summary: "Set the stage of a product at a pharmacy, or at a corporation's",
        description:
          "From now on, or from a time in the future on; what was planned for later than that is withdrawn. enforce answers 202 and waits for another API key where devices that were seen in the last 14 days lack a certificate that was accepted somewhere: lacking names them.",
        tags,
        body: schemas.NewStage,
        response: { ...settled, ...bodyProblems(404) },
      },
    },
    async (request, reply) => {
      const { from, ...fields } = request.body;
      const input = { ...fields, ...(from !== undefined && { from: instant("from", from) }) };
      return replyStage(reply, await stages.put(principalOf(request), input));
    },
  );
  app.post(
    "/stages/:id/confirm",
    {
      config: { permission: "stages:write" },
      schema: {
        summary: "Confirm a stage that waits, with another API key than the one that proposed it",
        description:
          "Within 7 days. It counts from then on, or from its own time if that is later.",
        tags,
        params: IdParams,
        body: Nothing,
        response: { 200: named(schemas.StageDetail), ...bodyProblems(404, 409) },
      },
      preValidation: bodyOrNone,
    },
    (request) => stages.confirm(principalOf(request), request.params.id),
  );
};

/** Looking at stages: how strictly products demand certificates. */
export const stageReadingRoutes: FastifyPluginAsyncTypebox<StageRoutesOptions> = async (
  app,
  { stages },
) => {
  addReading(app, {
    path: "/stages",
    tag,
    summaries: {
      page: "A page of them, in the order in which they were set",
      one: "Look at a stage, and at the devices that lacked what it demands",
    },
    schemas: {
      item: schemas.Stage,
      detail: schemas.StageDetail,
      query: schemas.StageQuery,
    },
    permission: "stages:read",
    ...stages,
  });
};
