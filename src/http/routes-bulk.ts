import { Readable } from "node:stream";

import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";

import type { TSchema } from "typebox";

import type { BulkIssues } from "../ca/bulk-issue.ts";
import { principalOf } from "./authentication.ts";
import { idempotencyOf } from "./idempotency.ts";
import * as schemas from "./schemas/bulk.ts";
import {
  bodyProblems,
  CreationHeaders,
  IdParams,
  named,
  page,
  problems,
} from "./schemas/common.ts";

export interface BulkRoutesOptions {
  readonly bulkIssues: BulkIssues;
}

const tags = ["Certificates"];

/** Ten thousand requests with the largest usual keys (RSA-3072: 1.4 kB), in octets. */
const BODY_LIMIT = 24 * 1024 * 1024;

/** One JSON text a line (https://github.com/ndjson/ndjson-spec). */
export const NDJSON = "application/x-ndjson";

/** The lines of a list. The first one is made before anything is sent, so that its failure is still a problem document. */
async function ndjsonOf(lines: AsyncIterable<object>): Promise<Readable> {
  const iterator = lines[Symbol.asyncIterator]();
  const first = await iterator.next();
  async function* texts(): AsyncGenerator<string> {
    try {
      for (let one = first; one.done !== true; one = await iterator.next())
        yield `${JSON.stringify(one.value)}\n`;
    } finally {
      await iterator.return?.();
    }
  }
  return Readable.from(texts(), { highWaterMark: 1 });
}

/** An answer of lines, each of which is one of these. */
function linesOf(line: TSchema): object {
  return { description: "Lines.", content: { [NDJSON]: { schema: named(line) } } };
}

/** Certificates for many devices at once. */
export const bulkRoutes: FastifyPluginAsyncTypebox<BulkRoutesOptions> = async (
  app,
  { bulkIssues },
) => {
  app.post(
    "/bulk-issues",
    {
      bodyLimit: BODY_LIMIT,
      config: { permission: "bulk:write" },
      schema: {
        summary: "Issue up to 10,000 certificates of one corporation",
        description:
          "All of them are taken, or none: errors names the faults by their place. The work goes on by itself, after what others wait for; look at it by its id.",
        tags,
        headers: CreationHeaders,
        body: schemas.NewBulkIssue,
        response: { 202: named(schemas.BulkIssue), ...bodyProblems(404) },
      },
    },
    async (request, reply) => {
      const idempotency = idempotencyOf(request, reply);
      const made = await bulkIssues.create(principalOf(request), request.body, idempotency);
      reply.code(202).header("location", `/v1/bulk-issues/${made.id}`);
      return made;
    },
  );
  app.get(
    "/bulk-issues",
    {
      config: { permission: "bulk:read" },
      schema: {
        summary: "A page of bulk issues, in the order in which they were asked for",
        tags,
        querystring: schemas.BulkIssueQuery,
        response: { 200: page(named(schemas.BulkIssue)), ...problems(422) },
      },
    },
    (request) => bulkIssues.list(principalOf(request), request.query),
  );
  app.get(
    "/bulk-issues/:id",
    {
      config: { permission: "bulk:read" },
      schema: {
        summary: "How far a bulk issue is",
        tags,
        params: IdParams,
        response: { 200: named(schemas.BulkIssue), ...problems(404) },
      },
    },
    (request) => bulkIssues.get(principalOf(request), request.params.id),
  );
};

/** Bundles, and what became of each. */
export const bulkReportRoutes: FastifyPluginAsyncTypebox<BulkRoutesOptions> = async (
  app,
  { bulkIssues },
) => {
  app.get(
    "/bulk-issues/:id/report",
    {
      config: { permission: "bulk:read", mediaType: NDJSON },
      schema: {
        summary: "What became of each, one JSON text a line, in the order of the request",
        tags,
        params: IdParams,
        response: {
          200: linesOf(schemas.BulkIssueLine),
          ...problems(404),
        },
      },
    },
    async (request, reply) => {
      const lines = await bulkIssues.report(principalOf(request), request.params.id);
      return reply.type(NDJSON).send(await ndjsonOf(lines));
    },
  );
  app.post(
    "/bulk-issues/:id/collect",
    {
      config: { permission: "bulk:write", mediaType: NDJSON },
      schema: {
        summary: "Make the next bundles of those without a csr, one JSON text a line",
        description:
          "Each goes out as soon as it is made, and is given once. Ask again until uncollected is 0; a bundle that was lost on its way is a reissue.",
        tags,
        params: IdParams,
        body: schemas.Collect,
        response: { 200: linesOf(schemas.BulkBundle), ...bodyProblems(404) },
      },
      preValidation: async (request) => {
        request.body ??= { limit: schemas.COLLECTED };
      },
    },
    async (request, reply) => {
      const { limit } = request.body;
      const bundles = await bulkIssues.collect(principalOf(request), request.params.id, limit);
      return reply.type(NDJSON).send(await ndjsonOf(bundles));
    },
  );
};
