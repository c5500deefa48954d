import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";

import type { CountEnrolments } from "../lifecycle/enrolment-figures.ts";
import { principalOf } from "./authentication.ts";
import { instant } from "./instant.ts";
import { named, problems } from "./schemas/common.ts";
import { EnrolmentFigures, FiguresQuery } from "./schemas/figures.ts";

export interface FiguresRoutesOptions {
  readonly countEnrolments: CountEnrolments;
}

/** How people fare who put a certificate on a device themselves. */
export const figuresRoutes: FastifyPluginAsyncTypebox<FiguresRoutesOptions> = async (
  app,
  { countEnrolments },
) => {
  app.get(
    "/enrolment-figures",
    {
      config: { permission: "enrolments:read" },
      schema: {
        summary: "How long people take, how often they try, and where they stop",
        description:
          "By platform, of the enrolments that were begun between from and to: by default the last 30 days, at most 366. Those that came to nothing are counted until they are forgotten.",
        tags: ["Enrolments"],
        querystring: FiguresQuery,
        response: { 200: named(EnrolmentFigures), ...problems(422) },
      },
    },
    (request) => {
      const { from, to } = request.query;
      return countEnrolments(principalOf(request), {
        ...(from !== undefined && { from: instant("from", from) }),
        ...(to !== undefined && { to: instant("to", to) }),
      });
    },
  );
};
