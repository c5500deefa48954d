import { Readable } from "node:stream";

import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";
import type { FastifyReply, FastifyRequest } from "fastify";

import type { EnrolmentSheets, Sheet } from "../lifecycle/enrolment-sheets.ts";
import { allows } from "../staff/roles.ts";
import type { InlineStyle } from "../web/assets.ts";
import { enrolmentSheet } from "../web/enrolment-sheet.ts";
import { chooseLanguage } from "../web/language.ts";
import type { SiteFacts } from "../web/site.ts";
import { principalOf } from "./authentication.ts";
import { bodyOrNone } from "./json-body.ts";
import { Nothing } from "./schemas/certificates.ts";
import { bodyProblems, IdParams } from "./schemas/common.ts";
import { SheetQuery } from "./schemas/enrolment-batches.ts";

export interface EnrolmentSheetRoutesOptions {
  readonly enrolmentSheets: EnrolmentSheets;
  readonly sheetStyle: InlineStyle;
  readonly site: SiteFacts;
  readonly timeZone: string;
}

const tags = ["Enrolments"];
const HTML = "text/html";

const DESCRIPTION =
  "A page without script, in Japanese unless Accept-Language says otherwise: four cards on a page of A4, each with pharmacy, device, the short address, a code, a QR code, the end and whom to call. What opens it is kept as hashes only, so a sheet cannot be shown again: each one has new codes, and those of the sheet before are void; links and codes of mails stay good. The QR code leads to the enrolment itself for roles that may see links, otherwise to the short address.";

const answer = {
  description: "The sheet.",
  content: { [HTML]: { schema: { type: "string" } } },
};

/** Sends the cards as they are drawn. */
function sendSheet(
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  { address, cards }: Sheet,
  { sheetStyle: style, site, timeZone }: EnrolmentSheetRoutesOptions,
): FastifyReply {
  const acceptLanguage = request.headers["accept-language"];
  const language = chooseLanguage({ asked: undefined, acceptLanguage });
  const parts = enrolmentSheet(cards, { language, timeZone, site, style, address });
  return reply
    .headers({
      "content-type": `${HTML}; charset=utf-8`,
      "content-security-policy": `default-src 'none'; style-src ${style.source}; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      "content-language": language,
      vary: "Accept-Language",
    })
    .send(Readable.from(parts));
}

function linksOf(request: FastifyRequest): boolean {
  return allows(principalOf(request).role, "enrolments:link");
}

/** Invitations on paper. */
export const enrolmentSheetRoutes: FastifyPluginAsyncTypebox<EnrolmentSheetRoutesOptions> = async (
  app,
  options,
) => {
  const { enrolmentSheets } = options;
  const config = { permission: "enrolments:code", mediaTypes: [HTML] } as const;
  app.post(
    "/enrolment-batches/:id/sheet",
    {
      config,
      schema: {
        summary: "Cards to be printed for those of a file that are open",
        description: DESCRIPTION,
        tags,
        params: IdParams,
        querystring: SheetQuery,
        body: Nothing,
        response: { 200: answer, ...bodyProblems(404, 409) },
      },
      preValidation: bodyOrNone,
    },
    async (request, reply) => {
      const wish = { ...request.query, withLinks: linksOf(request) };
      const sheet = await enrolmentSheets.ofBatch(principalOf(request), request.params.id, wish);
      return sendSheet({ request, reply }, sheet, options);
    },
  );
  app.post(
    "/enrolments/:id/sheet",
    {
      config,
      schema: {
        summary: "The card of one enrolment, to be printed",
        description: DESCRIPTION,
        tags,
        params: IdParams,
        body: Nothing,
        response: { 200: answer, ...bodyProblems(404, 409) },
      },
      preValidation: bodyOrNone,
    },
    async (request, reply) => {
      const wish = { withLinks: linksOf(request) };
      const { id } = request.params;
      const sheet = await enrolmentSheets.ofEnrolment(principalOf(request), id, wish);
      return sendSheet({ request, reply }, sheet, options);
    },
  );
};
