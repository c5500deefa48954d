import { Gauge, type Registry } from "prom-client";
import { equal } from "../pki/bytes.ts";
import { parseCertificate, type CertificateView } from "../pki/certificate-view.ts";
import type { Clock } from "../pki/clock.ts";
import { readCrl } from "../pki/crl-reader.ts";
import type { Digest, Random, Verify } from "../pki/crypto.ts";
import { buildOcspRequest, judgeOcspResponse } from "../pki/ocsp-client.ts";
import { readOcspResponse } from "../pki/ocsp-reader.ts";
import { ACCESS_METHOD } from "../pki/oids.ts";
import { serialFromInteger } from "../pki/serial.ts";

export interface ProbeDeps {
  /** A certificate of ours with its issuer's; undefined while there is none. */
  readonly subject: () => Promise<
    { readonly certificate: Uint8Array; readonly issuer: Uint8Array } | undefined
  >;
  readonly digest: Digest;
  readonly verify: Verify;
  readonly random: Random;
  readonly clock: Clock;
  readonly metrics: Registry;
}

/** What a stranger asks of a certificate that it has never seen. */
export type ProbedThing = "crl" | "ca" | "ocsp";

/** What is wrong with each; nothing where all is well. */
export type ProbeFindings = Readonly<Record<ProbedThing, readonly string[]>>;

/** Looks at the VA from outside, through the addresses that a certificate names. */
export interface Probe {
  /** Undefined while there is no certificate to ask about. */
  look(): Promise<ProbeFindings | undefined>;
}

/** A relying party that waits longer has given up. */
const PATIENCE_MS = 5_000;

const NONCE_OCTETS = 16;

/** Everything that one look is about. */
interface Question {
  readonly leaf: CertificateView;
  readonly issuer: CertificateView;
  readonly issuerDer: Uint8Array;
}

export function createProbe(deps: ProbeDeps): Probe {
  const { clock, metrics, subject } = deps;
  const labelled = { labelNames: ["what"], registers: [metrics] };
  const success = new Gauge({
    name: "suido_probe_success",
    help: "1 when a stranger gets what certificates promise: crl, ca, ocsp",
    ...labelled,
  });
  const seconds = new Gauge({
    name: "suido_probe_seconds",
    help: "How long the stranger waited",
    ...labelled,
  });
  const asks: Readonly<Record<ProbedThing, Ask>> = { crl: askCrl, ca: askCa, ocsp: askOcsp };
  const lookAt = async (what: ProbedThing, question: Question): Promise<readonly string[]> => {
    const begun = clock().getTime();
    const findings = await asks[what](question, deps).catch((error: unknown) => [reasonOf(error)]);
    seconds.set({ what }, (clock().getTime() - begun) / 1000);
    success.set({ what }, findings.length === 0 ? 1 : 0);
    return findings;
  };
  return {
    look: async () => {
      const found = await subject();
      if (found === undefined) return undefined;
      const question = {
        leaf: parseCertificate(found.certificate).view,
        issuer: parseCertificate(found.issuer).view,
        issuerDer: found.issuer,
      };
      return {
        crl: await lookAt("crl", question),
        ca: await lookAt("ca", question),
        ocsp: await lookAt("ocsp", question),
      };
    },
  };
}

type Ask = (question: Question, deps: ProbeDeps) => Promise<readonly string[]>;

/** RFC 5280 §4.2.1.13: the list that the certificate names. */
async function askCrl(
  { leaf, issuer }: Question,
  { clock, verify }: ProbeDeps,
): Promise<readonly string[]> {
  const url = leaf.forms.cRLDistributionPoints?.[0]?.fullName?.[0]?.text;
  if (url === undefined) return ["the certificate names no list"];
  const list = readCrl(await get(url));
  const findings = [...list.faults];
  const now = clock();
  const idp = list.issuingDistributionPoint;
  if (!equal(list.issuerName, issuer.subject)) findings.push("the list is another issuer's");
  if (idp !== undefined && !idp.urls.includes(url)) findings.push("the list is another shard's");
  if (list.thisUpdate > now) findings.push("the list is from the future");
  if (list.nextUpdate <= now) findings.push("the list has expired");
  if (!verify(issuer.spki, list.signatureAlgorithm, list.tbs, list.signature)) {
    findings.push("the list's signature does not verify");
  }
  return findings;
}

/** RFC 5280 §4.2.2.1: the issuer's certificate. */
async function askCa({ leaf, issuerDer }: Question): Promise<readonly string[]> {
  const url = accessUrl(leaf, ACCESS_METHOD.caIssuers);
  if (url === undefined) return ["the certificate names no address of its issuer's certificate"];
  return equal(await get(url), issuerDer) ? [] : ["it is not the issuer's certificate"];
}

/** RFC 6960, by POST and with a nonce, as Apache asks. */
async function askOcsp({ leaf, issuer }: Question, deps: ProbeDeps): Promise<readonly string[]> {
  const url = accessUrl(leaf, ACCESS_METHOD.ocsp);
  if (url === undefined) return ["the certificate names no OCSP responder"];
  const { clock, digest, random, verify } = deps;
  const question = {
    issuerName: issuer.subject,
    issuerSpki: issuer.spki,
    serial: serialFromInteger(leaf.serialNumber),
    digestName: "sha1",
    nonce: random(NONCE_OCTETS),
  } as const;
  const request = Buffer.from(buildOcspRequest(question, digest));
  const type = "application/ocsp-request";
  const { basic, status } = readOcspResponse(
    await get(url, { method: "POST", headers: { "content-type": type }, body: request }),
  );
  if (basic === undefined) return [`the responder said ${status}`];
  const judgement = judgeOcspResponse(basic, question, { digest, verify, now: clock() });
  const isKnown = judgement.answer?.status === "good" || judgement.answer?.status === "revoked";
  return isKnown ? judgement.findings : [...judgement.findings, "the responder does not know it"];
}

function accessUrl({ forms }: CertificateView, method: string): string | undefined {
  return forms.authorityInfoAccess?.find((access) => access.method === method)?.location.text;
}

async function get(url: string, init: RequestInit = {}): Promise<Uint8Array> {
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.bytes();
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
