import type { FastifyReply } from "fastify";
import type { Static } from "typebox";

import type { Clock } from "../pki/clock.ts";
import { daysLeft } from "../pki/validity.ts";
import type { AuthorizeAnswer, AuthorizeReason } from "../va/authorizer.ts";
import { bannerOf } from "../web/banner.ts";
import type { HelpReason } from "../web/messages/help-en.ts";
import { certificateRefused } from "./certificate-refusals.ts";
import { HttpError, TurnedAwayError } from "./errors.ts";
import type { HelpAsked } from "./help-pages.ts";
import type { Authorization } from "./schemas/authorize.ts";

/** What answers are made with. */
export interface AnswerFacts {
  readonly clock: Clock;
  /** The address of the app, where the help page is. */
  readonly appUrl: string;
}

type Answer = Static<typeof Authorization>;

/** The help page that speaks of this; the others have `other`. */
const HELP: Partial<Record<AuthorizeReason, HelpReason>> = {
  "no-certificate": "none",
  expired: "expired",
  revoked: "revoked",
  hold: "revoked",
};

function helpFor(
  appUrl: string,
  reason: AuthorizeReason,
  { isSuperseded, serialNumber }: AuthorizeAnswer["judgement"],
): HelpAsked & { readonly url: string } {
  const page = isSuperseded === true ? "replaced" : (HELP[reason] ?? "other");
  const url = `${appUrl}/help/certificate?reason=${page}`;
  if (serialNumber === undefined) return { reason: page, url };
  return { reason: page, serialNumber, url: `${url}&serial=${serialNumber}` };
}

function refusalOf(reason: AuthorizeReason): HttpError {
  return reason === "no-certificate"
    ? new HttpError("no-client-certificate", "the request comes without a client certificate")
    : certificateRefused(reason);
}

/** Of somebody who is identified. The header fields are what proxies can hand on; all of them are ASCII. */
function identified(
  { stage, judgement }: AuthorizeAnswer,
  facts: AnswerFacts,
  reply: FastifyReply,
): Answer {
  const { isEmergency, notAfter = new Date(0), serialNumber = "", who } = judgement;
  const { deviceId = "", accountId = "", pharmacyId = "", corporationId = "" } = who ?? {};
  const days = daysLeft(notAfter, facts.clock());
  reply.headers({
    "suido-stage": stage,
    "suido-device": deviceId,
    "suido-account": accountId,
    "suido-pharmacy": pharmacyId,
    "suido-corporation": corporationId,
    "suido-serial": serialNumber,
    "suido-days-left": String(days),
    ...(isEmergency && { "suido-emergency": "yes" }),
  });
  const ids = { deviceId, accountId, pharmacyId, corporationId };
  const known = { serialNumber, notAfter, daysLeft: days };
  return { decision: "allow", stage, ...ids, ...known, ...(isEmergency && { emergency: true }) };
}

/** Of somebody who is let through, and identified by nothing: no header field tells whose the certificate was. */
function letThrough(
  { stage, judgement }: AuthorizeAnswer,
  reason: AuthorizeReason,
  help: HelpAsked & { readonly url: string },
): Answer {
  const { serialNumber, who } = judgement;
  const wouldRefuse = {
    reason,
    ...(serialNumber !== undefined && { serialNumber }),
    ...(who !== undefined && { deviceId: who.deviceId, pharmacyId: who.pharmacyId }),
  };
  const { text: banner, link: installUrl } = bannerOf({ kind: help.reason, link: help.url });
  const warning = { banner, installUrl };
  return { decision: "allow", stage, wouldRefuse, ...(stage === "warn" && warning) };
}

/** The body of an answer that lets through; its header fields are set. Throws TurnedAwayError for one that does not. */
export function answerOf(answer: AuthorizeAnswer, facts: AnswerFacts, reply: FastifyReply): Answer {
  const { decision, judgement, reason, stage } = answer;
  if (reason === undefined) return identified(answer, facts, reply);
  const help = helpFor(facts.appUrl, reason, judgement);
  reply.headers({ "suido-stage": stage, "suido-reason": reason });
  if (decision === "refuse" || stage === "warn") reply.header("suido-help", help.url);
  if (decision === "allow") return letThrough(answer, reason, help);
  const { code, message } = refusalOf(reason);
  throw new TurnedAwayError(code, message, help);
}
