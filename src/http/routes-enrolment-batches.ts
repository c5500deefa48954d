import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyRequest } from "fastify";
import type { Static } from "typebox";

import type { BatchFault } from "../lifecycle/batch-fault.ts";
import type {
  BatchPreview,
  BatchRequest,
  EnrolmentBatches,
} from "../lifecycle/enrolment-batches.ts";
import { BatchRefusedError } from "../lifecycle/errors.ts";
import { InvalidValueError } from "../registry/errors.ts";
import { chooseLanguage, type Language } from "../web/language.ts";
import { BATCH_FAULTS } from "../web/messages/batch-faults.ts";
import { firstNamed } from "./accept.ts";
import { principalOf } from "./authentication.ts";
import { addReading } from "./collection.ts";
import type { FileFault } from "./batch-file.ts";
import { batchReportTable } from "./batch-report-csv.ts";
import { addCsvParser, CSV, mostFileOctets, type SentFile } from "./csv-body.ts";
import { type FieldFault, HttpError, MOST_FAULTS } from "./errors.ts";
import { idempotencyOf } from "./idempotency.ts";
import { jsonLine, linesOf, textOf } from "./line-answer.ts";
import { NDJSON } from "./ndjson-body.ts";
import { bodyProblems, CreationHeaders, IdParams, named, problems } from "./schemas/common.ts";
import * as schemas from "./schemas/enrolment-batches.ts";

export interface EnrolmentBatchRoutesOptions {
  readonly enrolmentBatches: EnrolmentBatches;
  /** Lines of one file, below the names of the columns. */
  readonly batchLines: number;
  readonly timeZone: string;
}

const tag = "Enrolments";
const tags = [tag];

/** The room's fault, with the column as the file names it. */
function inFile({ column, ...fault }: BatchFault, { names }: SentFile): FileFault {
  return { ...fault, column: names[column] ?? column };
}

/** A fault in words. */
function told(
  { line, column, code, about = "" }: FileFault,
  language: Language,
): Omit<FileFault, "about"> & { readonly detail: string; readonly expected: string } {
  const { detail, expected } = BATCH_FAULTS[language][code];
  return {
    line,
    ...(column !== undefined && { column }),
    code,
    detail: detail(String(about)),
    expected,
  };
}

/** The same as problem documents name what is wrong, in English as they are. */
function asField(fault: FileFault): FieldFault {
  const { line, column, detail, expected } = told(fault, "en");
  const field = column === undefined ? `line ${line}` : `line ${line}: ${column}`;
  return { field, detail: `${detail} (expected: ${expected})` };
}

function languageOf({ headers }: FastifyRequest): Language {
  const acceptLanguage = headers["accept-language"];
  return acceptLanguage === undefined ? "en" : chooseLanguage({ asked: undefined, acceptLanguage });
}

/** All that is wrong with a file, in the order of its lines. */
function allFaults(file: SentFile, found: readonly BatchFault[]): readonly FileFault[] {
  return [...file.faults, ...found.map((fault) => inFile(fault, file))].toSorted(
    (a, b) => a.line - b.line,
  );
}

function refusal(file: SentFile, found: readonly BatchFault[]): HttpError {
  const faults = allFaults(file, found);
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  return new HttpError(
    "batch-refused",
    `nothing was made: ${count} in the file`,
    faults.slice(0, MOST_FAULTS).map(asField),
  );
}

/** What the address says of a file. Throws InvalidValueError. */
function requestOf(request: FastifyRequest, file: SentFile): BatchRequest {
  const { requestedBy, ...address } = request.query as schemas.BatchAddress;
  const corporationId = address.corporationId ?? principalOf(request).corporationId;
  if (corporationId === undefined)
    throw new InvalidValueError("corporationId", "is needed: the key is bound to no corporation");
  return { corporationId, lines: file.lines, ...(requestedBy !== undefined && { requestedBy }) };
}

function shownPreview(
  { replaces, faults, ...preview }: BatchPreview,
  file: SentFile,
  language: Language,
): Static<typeof schemas.BatchPreview> {
  const all = allFaults(file, faults);
  return {
    dryRun: true,
    lines: file.lines.length,
    ...preview,
    replacedCount: replaces.length,
    replaces: replaces.slice(0, schemas.MOST_NAMED),
    faultCount: all.length,
    faults: all.slice(0, schemas.MOST_NAMED).map((fault) => told(fault, language)),
  };
}

const NO_FILE: SentFile = {
  lines: [],
  names: {},
  faults: [{ line: 1, code: "no-lines" }],
  sha256: "",
};

/** Many invitations from a file. */
export const enrolmentBatchRoutes: FastifyPluginAsyncTypebox<EnrolmentBatchRoutesOptions> = async (
  app,
  { enrolmentBatches, batchLines },
) => {
  app.removeAllContentTypeParsers();
  addCsvParser(app, batchLines);
  app.post(
    "/enrolment-batches",
    {
      bodyLimit: mostFileOctets(batchLines),
      config: { permission: "enrolments:write" },
      schema: {
        summary: "Invite many people from a file",
        description:
          "All lines become invitations, each with its mail, or none does. With dryRun=true nothing is made, and the answer tells each fault by line and column, in the language of Accept-Language. An empty line counts as none.",
        tags,
        consumes: [CSV],
        headers: CreationHeaders,
        querystring: schemas.BatchQuery,
        body: schemas.BatchFileBody,
        response: {
          200: named(schemas.BatchPreview),
          201: named(schemas.EnrolmentBatch),
          ...bodyProblems(404),
        },
      },
      preValidation: async (request) => {
        // An empty file has no body at all.
        request.body ??= NO_FILE;
      },
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const file = request.body as SentFile;
      const wanted = requestOf(request, file);
      if (request.query.dryRun) {
        const preview = await enrolmentBatches.preview(principal, wanted);
        return shownPreview(preview, file, languageOf(request));
      }
      if (file.faults.length > 0)
        throw refusal(file, (await enrolmentBatches.preview(principal, wanted)).faults);
      const made = await enrolmentBatches
        .create(principal, wanted, idempotencyOf(request, reply, { ...wanted, lines: file.sha256 }))
        .catch((error: unknown) => {
          throw error instanceof BatchRefusedError ? refusal(file, error.found) : error;
        });
      return reply.code(201).header("location", `/v1/enrolment-batches/${made.id}`).send(made);
    },
  );
};

const REPORT_TYPES = [NDJSON, CSV] as const;

/** What became of them. */
export const enrolmentBatchReadingRoutes: FastifyPluginAsyncTypebox<
  EnrolmentBatchRoutesOptions
> = async (app, { enrolmentBatches, timeZone }) => {
  addReading(app, {
    path: "/enrolment-batches",
    tag,
    summaries: {
      page: "A page of them, in the order in which they were made",
      one: "How far the invitations of a file are",
    },
    schemas: {
      item: schemas.EnrolmentBatch,
      detail: schemas.EnrolmentBatchDetail,
      query: schemas.EnrolmentBatchQuery,
    },
    permission: "enrolments:read",
    ...enrolmentBatches,
  });
  app.get(
    "/enrolment-batches/:id/report",
    {
      config: { permission: "enrolments:read", mediaTypes: REPORT_TYPES },
      schema: {
        summary: "What became of each, in the order of the file",
        description:
          "One JSON text a line; or, where Accept names text/csv first, a table for people, in Japanese unless Accept-Language says otherwise.",
        tags,
        params: IdParams,
        response: {
          200: linesOf(schemas.EnrolmentBatchLine, { [CSV]: { schema: { type: "string" } } }),
          ...problems(404),
        },
      },
    },
    async (request, reply) => {
      const { accept, "accept-language": acceptLanguage } = request.headers;
      const type = firstNamed(accept, REPORT_TYPES) ?? NDJSON;
      const lines = await enrolmentBatches.report(principalOf(request), request.params.id);
      const language = chooseLanguage({ asked: undefined, acceptLanguage });
      const style = type === CSV ? batchReportTable({ language, timeZone }) : { write: jsonLine };
      return reply
        .type(type === CSV ? "text/csv; charset=utf-8" : type)
        .header("vary", "Accept, Accept-Language")
        .send(await textOf(lines, style));
    },
  );
};
