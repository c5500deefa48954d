import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  buildOcspRequest,
  judgeOcspResponse,
  type OcspJudgement,
  type OcspQuestion,
} from "../../src/pki/ocsp-client.ts";
import { readOcspResponse, type OcspResponseView } from "../../src/pki/ocsp-reader.ts";
import { parseSerial } from "../../src/pki/serial.ts";
import { ocspAnswer, type Answering } from "../support/ocsp-answer.ts";
import { OpensslCa, mustRun, nodeDigest, nodeVerify, type Party } from "../support/openssl-ca.ts";

const DAY = 86_400_000;
const now = new Date(Math.floor(Date.now() / 1000) * 1000);
const DIGESTS = ["sha1", "sha256", "sha384", "sha512"] as const;

let ca: OpensslCa;
let delegate: Party;
let leaf: Party;
let second: Party;

beforeAll(() => {
  ca = new OpensslCa();
  delegate = ca.delegate();
  leaf = ca.leaf("leaf");
  second = ca.leaf("second");
});

afterAll(() => {
  ca.dispose();
});

const question = (changes: Partial<OcspQuestion> = {}): OcspQuestion => ({
  issuerName: ca.issuing.subject,
  issuerSpki: ca.issuing.spki,
  serial: parseSerial(leaf.serial),
  digestName: "sha256",
  nonce: new Uint8Array(32).fill(7),
  ...changes,
});

/** A little later, because the delegate's certificate begins after this file does. */
const judge = { digest: nodeDigest, verify: nodeVerify, now: new Date(now.getTime() + 30_000) };

/** Lets `openssl ocsp -index` answer. */
function opensslAnswers(request: Uint8Array, line: string): OcspResponseView {
  const index = ca.write("index.txt", line);
  const respout = ca.file("theirs.resp");
  const reqin = ca.write("ours.req", request);
  const signer = [
    "-rsigner",
    delegate.pem,
    "-rkey",
    delegate.key,
    "-CA",
    ca.issuing.pem,
    "-resp_key_id",
  ];
  mustRun("openssl", [
    "ocsp",
    "-index",
    index,
    ...signer,
    "-reqin",
    reqin,
    "-respout",
    respout,
    "-ndays",
    "1",
    "-rmd",
    "sha256",
  ]);
  return readOcspResponse(new Uint8Array(readFileSync(respout)));
}

const indexLine = (state: string, at = ""): string =>
  `${state}\t301231235959Z\t${at}\t${leaf.serial.toUpperCase()}\tunknown\t/CN=leaf\n`;

/** The judgement about a response to a question. */
function judgement(view: OcspResponseView, asked: OcspQuestion, at = judge): OcspJudgement {
  if (view.basic === undefined) throw new Error("no basic response");
  return judgeOcspResponse(view.basic, asked, at);
}

/** What is found wrong with our own answer to one question when another was asked. */
function judged(
  options: Partial<Answering> = {},
  changes: Partial<OcspQuestion> = {},
): readonly string[] {
  const request = buildOcspRequest(question(), nodeDigest);
  const answer = ocspAnswer(request, { status: { kind: "good" }, by: delegate, now, ...options });
  return judgement(readOcspResponse(answer), question(changes)).findings;
}

describe("buildOcspRequest and readOcspResponse against OpenSSL's responder", () => {
  it.for(DIGESTS)("O08 a request with %s is answered and believed", (digestName) => {
    const asked = question({ digestName });
    const view = opensslAnswers(buildOcspRequest(asked, nodeDigest), indexLine("V"));
    expect(judgement(view, asked)).toMatchObject({
      findings: [],
      answer: { status: "good", serial: leaf.serial },
    });
  });

  it("O18 revocation date and reason are read", () => {
    const line = indexLine("R", "261101000000Z,superseded");
    const view = opensslAnswers(buildOcspRequest(question(), nodeDigest), line);
    expect(view.basic?.responses).toEqual([
      expect.objectContaining({
        status: "revoked",
        reason: 4,
        revokedAt: new Date("2026-11-01T00:00:00Z"),
      }),
    ]);
  });

  it("OpenSSL reads our request", () => {
    const reqin = ca.write("ours.req", buildOcspRequest(question(), nodeDigest));
    const text = mustRun("openssl", ["ocsp", "-reqin", reqin, "-req_text", "-noverify"]);
    expect(text).toContain(`Serial Number: ${leaf.serial.toUpperCase()}`);
    expect(text).toContain("Hash Algorithm: sha256");
    expect(text).toContain("OCSP Nonce:");
  });

  it("our own answer is believed, by delegate and by issuer", () => {
    expect(judged()).toEqual([]);
    expect(judged({ by: ca.issuing, certificates: [] })).toEqual([]);
    expect(judged({ by: ca.issuing })).toEqual([]);
  });

  it.for([
    {
      rule: "O08",
      name: "an answer about another certificate",
      options: {},
      changes: { serial: parseSerial("4242") },
    },
    { rule: "O14", name: "an expired answer", options: { nextUpdate: now }, changes: {} },
    { rule: "O15", name: "another nonce", options: {}, changes: { nonce: new Uint8Array(32) } },
  ])("$rule $name is not believed", ({ changes, options, rule }) => {
    expect(judged(options, changes)).toEqual([expect.stringMatching(new RegExp(`^${rule} `))]);
  });

  it("O12 a delegate without the purpose, from another issuer, or whose certificate is left out is not believed", () => {
    expect(judged({ by: second })).toEqual(["O12 the delegate is not for OCSP signing"]);
    expect(judged({ by: ca.root })).toContain("O12 the delegate has another issuer");
    expect(judged({ certificates: [] })).toContain("O12 the signature does not verify");
    expect(judged({ by: second, certificates: [delegate.der] })).toContain(
      "O12 the signature does not verify",
    );
  });

  it("O13 a delegate whose certificate has ended is not believed", () => {
    const request = buildOcspRequest(question(), nodeDigest);
    const answer = ocspAnswer(request, { status: { kind: "good" }, by: delegate, now });
    const later = { ...judge, now: new Date(now.getTime() + 31 * DAY) };
    expect(judgement(readOcspResponse(answer), question(), later).findings).toEqual([
      "O13 the delegate's certificate is not valid now",
      "O14 the response has expired",
    ]);
  });
});
