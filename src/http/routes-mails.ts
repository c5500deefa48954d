import type { FastifyPluginAsyncTypebox } from "@fastify/type-provider-typebox";

import type { MailLedger } from "../lifecycle/mail-ledger.ts";
import type { SaidReport, TakeReport } from "../lifecycle/returned-mails.ts";
import type { Tasks } from "../lifecycle/tasks.ts";
import { parseSerial } from "../pki/serial.ts";
import { principalOf } from "./authentication.ts";
import { bodyOrNone } from "./json-body.ts";
import { Nothing } from "./schemas/certificates.ts";
import { bodyProblems, IdParams, named, page, problems, SerialParams } from "./schemas/common.ts";
import * as schemas from "./schemas/mails.ts";

export interface MailRoutesOptions {
  readonly mailLedger: MailLedger;
  readonly takeReport: TakeReport;
  readonly tasks: Tasks;
}

const tags = ["Mails"];

/** What became of mails. */
export const mailRoutes: FastifyPluginAsyncTypebox<MailRoutesOptions> = async (
  app,
  { mailLedger },
) => {
  app.get(
    "/enrolments/:id/mails",
    {
      config: { permission: "mails:read" },
      schema: {
        summary: "The mails about an enrolment, and how far each has come",
        tags,
        params: IdParams,
        response: { 200: named(schemas.LedgerMails), ...problems(404) },
      },
    },
    (request) => mailLedger.ofEnrolment(principalOf(request), request.params.id),
  );
  app.get(
    "/certificates/:serialNumber/mails",
    {
      config: { permission: "mails:read" },
      schema: {
        summary: "The mails about a certificate, and how far each has come",
        tags,
        params: SerialParams,
        response: { 200: named(schemas.LedgerMails), ...problems(404) },
      },
    },
    (request) =>
      mailLedger.ofCertificate(principalOf(request), parseSerial(request.params.serialNumber)),
  );
};

const REPORT_TYPE = "message/rfc822";

/** A report has the mail that came back in it; the largest of ours is a reminder of many devices. */
const MOST_REPORT_OCTETS = 512 * 1024;

/** Mails that come back. */
export const mailReportRoutes: FastifyPluginAsyncTypebox<MailRoutesOptions> = async (
  app,
  { takeReport },
) => {
  app.addContentTypeParser(
    REPORT_TYPE,
    { parseAs: "buffer", bodyLimit: MOST_REPORT_OCTETS },
    (_request, body, done) => done(null, body),
  );
  app.post(
    "/mail-bounces",
    {
      config: { permission: "mails:return" },
      schema: {
        summary: "Say that a mail came back",
        description:
          "The delivery status notification as it is (RFC 3464, as message/rfc822), or what it says, as JSON. What the mail was to tell is told to somebody else, and the mailbox becomes a task. Said again, nothing changes.",
        tags,
        body: {
          content: {
            "application/json": { schema: schemas.MailReport },
            [REPORT_TYPE]: { schema: {} },
          },
        },
        response: { 200: named(schemas.ReturnedMail), ...bodyProblems(404) },
      },
    },
    (request) => {
      // The schema of its media type has said what it is.
      const body = request.body as SaidReport | Buffer;
      return takeReport(principalOf(request), body);
    },
  );
};

/** What somebody has to look after. */
export const taskRoutes: FastifyPluginAsyncTypebox<MailRoutesOptions> = async (app, { tasks }) => {
  app.get(
    "/tasks",
    {
      config: { permission: "tasks:read" },
      schema: {
        summary: "A page of what somebody has to look after",
        tags: ["Tasks"],
        querystring: schemas.TaskQuery,
        response: { 200: page(named(schemas.Task)), ...problems(422) },
      },
    },
    (request) => tasks.list(principalOf(request), request.query),
  );
  app.post(
    "/tasks/:id/close",
    {
      config: { permission: "tasks:write" },
      schema: {
        summary: "Say that somebody has looked after it",
        description:
          "Mails go to the mailbox again. A task ends by itself when the account has another address, or the certificate needs no reminder any more.",
        tags: ["Tasks"],
        params: IdParams,
        body: Nothing,
        response: { 200: named(schemas.Task), ...bodyProblems(404) },
      },
      preValidation: bodyOrNone,
    },
    (request) => tasks.close(principalOf(request), request.params.id),
  );
};
