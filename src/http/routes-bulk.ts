import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyRequest } from "fastify";

import type { BulkIssues } from "../ca/bulk-issue.ts";
import { firstNamed } from "./accept.ts";
import { principalOf } from "./authentication.ts";
import { csvHeading, csvLine } from "./bulk-csv.ts";
import { CSV } from "./csv-body.ts";
import { addReading } from "./collection.ts";
import { HttpError } from "./errors.ts";
import { idempotencyOf } from "./idempotency.ts";
import { jsonLine, linesOf, textOf } from "./line-answer.ts";
import { addNdjsonParser, hasLines, NDJSON } from "./ndjson-body.ts";
import * as schemas from "./schemas/bulk.ts";
import { bodyProblems, CreationHeaders, IdParams, named, problems } from "./schemas/common.ts";

export interface BulkRoutesOptions {
  readonly bulkIssues: BulkIssues;
}

const tag = "Certificates";
const tags = [tag];

/** Ten thousand requests with the largest usual keys (RSA-3072: 1.4 kB), in octets. */
const BODY_LIMIT = 24 * 1024 * 1024;

/** A request with the largest key and its ids, JSON's escapes included, in octets. */
const LINE_LIMIT = 32 * 1024;

const REPORT_TYPES = [NDJSON, CSV] as const;

/** Lines say in the address for whom they are, JSON in its body. */
async function completeLines(request: FastifyRequest): Promise<void> {
  const query = request.query as Readonly<Record<string, unknown>>;
  if (hasLines(request)) {
    request.body = { ...query, ...(request.body as object) };
    return;
  }
  const detail = "stands in the address for lines only: say it in the body";
  const faults = Object.keys(schemas.NewBulkIssueQuery.properties)
    .filter((field) => Object.hasOwn(query, field))
    .map((field) => ({ field, detail }));
  const says = faults.map(({ field }) => `${field} ${detail}`).join("; ");
  if (faults.length > 0) throw new HttpError("invalid-request", says, faults);
}

/** Certificates for many devices at once. */
export const bulkRoutes: FastifyPluginAsyncTypebox<BulkRoutesOptions> = async (
  app,
  { bulkIssues },
) => {
  addNdjsonParser(app, { body: BODY_LIMIT, line: LINE_LIMIT, lines: schemas.MOST_ITEMS });
  app.post(
    "/bulk-issues",
    {
      bodyLimit: BODY_LIMIT,
      config: { permission: "bulk:write" },
      schema: {
        summary: "Issue up to 10,000 certificates of one corporation",
        description:
          "All of them are taken, or none: errors names the faults by their place. As lines (application/x-ndjson) each line is an item, corporationId and profile stand in the address, and faults are named by their line, from 1. The work goes on by itself, after what others wait for; look at it by its id.",
        tags,
        consumes: ["application/json", NDJSON],
        headers: CreationHeaders,
        querystring: schemas.NewBulkIssueQuery,
        body: schemas.NewBulkIssue,
        response: { 202: named(schemas.BulkIssue), ...bodyProblems(404) },
      },
      preValidation: completeLines,
    },
    async (request, reply) => {
      const idempotency = idempotencyOf(request, reply);
      const made = await bulkIssues.create(principalOf(request), request.body, idempotency);
      reply.code(202).header("location", `/v1/bulk-issues/${made.id}`);
      return made;
    },
  );
  addReading(app, {
    path: "/bulk-issues",
    tag,
    summaries: {
      page: "A page of bulk issues, in the order in which they were asked for",
      one: "How far a bulk issue is",
    },
    schemas: {
      item: schemas.BulkIssue,
      detail: schemas.BulkIssue,
      query: schemas.BulkIssueQuery,
    },
    permission: "bulk:read",
    ...bulkIssues,
  });
};

/** What became of each, as lines or as a table. */
export const bulkReportRoutes: FastifyPluginAsyncTypebox<BulkRoutesOptions> = async (
  app,
  { bulkIssues },
) => {
  app.get(
    "/bulk-issues/:id/report",
    {
      config: { permission: "bulk:read", mediaTypes: REPORT_TYPES },
      schema: {
        summary: "What became of each, in the order of the request",
        description:
          "One JSON text a line, with the certificate; or, where Accept names text/csv first, a table without it.",
        tags,
        params: IdParams,
        response: {
          200: linesOf(schemas.BulkIssueLine, { [CSV]: { schema: { type: "string" } } }),
          ...problems(404),
        },
      },
    },
    async (request, reply) => {
      const type = firstNamed(request.headers.accept, REPORT_TYPES) ?? NDJSON;
      const lines = await bulkIssues.report(principalOf(request), request.params.id);
      const style = type === CSV ? { heading: csvHeading(), write: csvLine } : { write: jsonLine };
      return reply
        .type(type)
        .header("vary", "Accept")
        .send(await textOf(lines, style));
    },
  );
};

/** Bundles. */
export const bulkCollectRoutes: FastifyPluginAsyncTypebox<BulkRoutesOptions> = async (
  app,
  { bulkIssues },
) => {
  app.post(
    "/bulk-issues/:id/collect",
    {
      config: { permission: "bulk:write", mediaTypes: [NDJSON] },
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
      return reply.type(NDJSON).send(await textOf(bundles, { write: jsonLine }));
    },
  );
};
