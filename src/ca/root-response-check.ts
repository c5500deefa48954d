import { ApprovedTbs } from "../pki/approved.ts";
import { equal, toHex } from "../pki/bytes.ts";
import { BACKDATE_MS } from "../pki/clock.ts";
import { parseCertificate } from "../pki/certificate-view.ts";
import { assembleCertificate, buildTbs, type TbsRequest } from "../pki/certificate.ts";
import { checkCrl } from "../pki/crl-check.ts";
import { readCrl } from "../pki/crl-reader.ts";
import { buildCrlTbs } from "../pki/crl.ts";
import type { Verify } from "../pki/crypto.ts";
import { LintError, PkiError } from "../pki/errors.ts";
import { assembleSigned } from "../pki/signed.ts";
import { CeremonyError } from "./errors.ts";
import {
  promisedAuthority,
  promisedDelegate,
  promisedList,
  type PromiseContext,
  rootFacts,
} from "./root-promise.ts";
import { signedText, type RootResponse } from "./root-response.ts";
import { transcriptFault } from "./root-transcript.ts";

/** How long a request may wait for its session. What it asks for is of its day. */
export const REQUEST_LIFE_MS = 30 * 24 * 60 * 60 * 1000;

export interface ResponseContext extends Omit<PromiseContext, "at"> {
  /** SHA-256 of the request's file. */
  readonly requestHash: string;
  readonly now: Date;
  readonly verify: Verify;
}

/** The sentences that work says, or what it throws of ours as a sentence of its own. */
function findingsOf(what: string, work: () => readonly string[]): readonly string[] {
  try {
    return work().map((finding) => `${what}: ${finding}`);
  } catch (error) {
    if (error instanceof LintError)
      return error.findings.map(({ lint, detail }) => `${what}: ${lint}: ${detail}`);
    if (error instanceof PkiError || error instanceof CeremonyError || error instanceof RangeError)
      return [`${what}: ${error.message}`];
    throw error;
  }
}

function certificateFindings(
  der: Uint8Array,
  promised: TbsRequest,
  context: ResponseContext,
): readonly string[] {
  const parts = parseCertificate(der);
  const { spki, signatureAlgorithm } = rootFacts(context);
  const findings: string[] = [];
  if (!context.verify(spki, signatureAlgorithm, parts.tbs, parts.signature))
    findings.push("the signature is not the root's");
  // Linted once more, whoever has done so before. Throws LintError.
  ApprovedTbs.approve(parts.tbs, promised, context.digest);
  const tbs = buildTbs(promised, context.digest);
  if (!equal(der, assembleCertificate(tbs, signatureAlgorithm, parts.signature)))
    findings.push("it is another certificate than the request asks for");
  return findings;
}

function listFindings(
  response: RootResponse,
  context: ResponseContext & PromiseContext,
): readonly string[] {
  const { request, verify } = context;
  const facts = rootFacts(context);
  const view = readCrl(response.list);
  const expected = {
    issuerName: facts.subject,
    issuerSpki: facts.spki,
    issuerKeyIdentifier: facts.keyIdentifier,
    previousNumber: request.list.number - 1n,
    now: response.at,
    entries: request.list.entries.map(({ serial, revokedAt, reason }) => ({
      serial,
      required: true,
      reason,
      revokedAt: new Date(revokedAt.getTime() - BACKDATE_MS),
    })),
  };
  const findings = checkCrl(view, expected, verify);
  const promised = promisedList(context);
  const { signatureAlgorithm } = promised;
  const whole = assembleSigned(buildCrlTbs(promised), signatureAlgorithm, view.signature);
  if (!equal(response.list, whole)) findings.push("it is another list than the request asks for");
  return findings;
}

/** When it was signed, by whom, and for which request. */
function circumstances(response: RootResponse, context: ResponseContext): readonly string[] {
  const { request, requestHash, now } = context;
  const { at, by } = response;
  const findings: string[] = [];
  if (response.requestId !== request.id || response.requestHash !== requestHash)
    findings.push("it answers another request, or the request was changed since");
  if (at < request.at) findings.push("it was signed before the request was made");
  if (at.getTime() > request.at.getTime() + REQUEST_LIFE_MS)
    findings.push("it was signed more than 30 days after the request");
  if (at.getTime() > now.getTime() + BACKDATE_MS)
    findings.push(`it was signed in the future, at ${at.toISOString()}`);
  if (new Set(by.map((each) => each.trim().toLowerCase())).size < 2)
    findings.push("it does not name two people");
  if ((response.issuing === undefined) !== (request.issuing === undefined))
    findings.push("a certificate for an issuing CA is there that was not asked for, or missing");
  return findings;
}

/** Whether the transcript is of this session: whole, about this request, and about these very results. */
function transcriptFindings(response: RootResponse, context: ResponseContext): readonly string[] {
  const { transcript } = response;
  const fault = transcriptFault(transcript);
  const results = [response.list, response.delegate, response.issuing].flatMap((der) =>
    der === undefined ? [] : toHex(context.digest("sha256", der)),
  );
  const missing = [context.requestHash, ...results].filter((hash) => !transcript.includes(hash));
  return [
    ...(fault === undefined ? [] : [fault]),
    ...missing.map((hash) => `the transcript does not name ${hash}`),
  ];
}

/**
 * What keeps a response from being taken, by the request and the root's certificate alone; nothing means that it is exactly
 * what was asked for. Whoever signs checks so before letting it go, and whoever takes it in, as a stranger's.
 */
export function responseFindings(
  response: RootResponse,
  stated: ResponseContext,
): readonly string[] {
  const context = { ...stated, at: response.at };
  const { request, verify } = context;
  const { issuing } = response;
  return [
    ...findingsOf("response", () => {
      const { spki, signatureAlgorithm } = rootFacts(context);
      const { signature, ...signed } = response;
      return verify(spki, signatureAlgorithm, signedText(signed), signature)
        ? []
        : ["the signature is not the root's: it was changed, the transcript perhaps"];
    }),
    ...findingsOf("response", () => circumstances(response, context)),
    ...findingsOf("response", () => transcriptFindings(response, context)),
    ...findingsOf("list", () => listFindings(response, context)),
    ...findingsOf("delegate", () =>
      certificateFindings(response.delegate, promisedDelegate(context), context),
    ),
    ...findingsOf("issuing CA", () =>
      request.issuing === undefined || issuing === undefined
        ? []
        : certificateFindings(issuing, promisedAuthority(request.issuing, context), context),
    ),
  ];
}
