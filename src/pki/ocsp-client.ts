import { equal } from "./bytes.ts";
import type { Digest, DigestName, Verify } from "./crypto.ts";
import { type CertificateParts, parseCertificate } from "./certificate-view.ts";
import { Cursor, oidText, readOnly } from "./der-reader.ts";
import { TAG, context, nullValue, octetString, oid, sequence, unsignedInteger } from "./der.ts";
import { keyOctets } from "./key.ts";
import { DIGEST_NAMES, signatureAlgorithmName, STATUS_OID } from "./oids-status.ts";
import { issuerHashes } from "./ocsp-request.ts";
import type { BasicOcspResponseView, SingleResponseView } from "./ocsp-reader.ts";
import { serialBytes, type Serial } from "./serial.ts";

/** What a relying party asks and needs to judge the answer. */
export interface OcspQuestion {
  readonly issuerName: Uint8Array;
  readonly issuerSpki: Uint8Array;
  readonly serial: Serial;
  readonly digestName: DigestName;
  readonly nonce?: Uint8Array;
}

function digestOid(name: DigestName): string {
  const found = Object.entries(DIGEST_NAMES).find(([, known]) => known === name);
  if (found === undefined) throw new RangeError(`no object identifier for ${name}`);
  return found[0];
}

function certIdOf(question: OcspQuestion, digest: Digest): Uint8Array {
  const { digestName, issuerName, issuerSpki, serial } = question;
  const issuer = { name: issuerName, keyOctets: keyOctets(issuerSpki) };
  const { issuerNameHash, issuerKeyHash } = issuerHashes(issuer, digestName, digest);
  return sequence(
    sequence(oid(digestOid(digestName)), nullValue()),
    octetString(issuerNameHash),
    octetString(issuerKeyHash),
    unsignedInteger(serialBytes(serial)),
  );
}

/** An OCSPRequest about one certificate, unsigned, with the nonce if there is one (RFC 6960 §4.1.1, RFC 9654 §2.1). */
export function buildOcspRequest(question: OcspQuestion, digest: Digest): Uint8Array {
  const requestList = sequence(sequence(certIdOf(question, digest)));
  if (question.nonce === undefined) return sequence(sequence(requestList));
  const value = octetString(octetString(question.nonce));
  const extensions = sequence(sequence(oid(STATUS_OID.ocspNonce), value));
  return sequence(sequence(requestList, context(2, extensions)));
}

export interface OcspJudge {
  readonly digest: Digest;
  readonly verify: Verify;
  readonly now: Date;
}

/** The name of the algorithm of an AlgorithmIdentifier. */
function algorithmName(identifier: Uint8Array): string {
  return signatureAlgorithmName(oidText(new Cursor(readOnly(identifier)).next(TAG.oid)));
}

// RFC 6960 §4.2.2.2: issued directly by the CA in question, for OCSP signing, and valid now.
function* delegateFindings(
  { signature, signatureAlgorithm, tbs, view }: CertificateParts,
  question: OcspQuestion,
  judge: OcspJudge,
): Generator<string> {
  if (!equal(view.issuer, question.issuerName)) yield "O12 the delegate has another issuer";
  if (!judge.verify(question.issuerSpki, algorithmName(signatureAlgorithm), tbs, signature)) {
    yield "O12 the delegate's certificate is not signed by the issuer";
  }
  if (view.forms.extKeyUsage?.includes(STATUS_OID.ocspSigning) !== true) {
    yield "O12 the delegate is not for OCSP signing";
  }
  if (judge.now < view.notBefore.date || judge.now > view.notAfter.date) {
    yield "O13 the delegate's certificate is not valid now";
  }
}

function* singleFindings(
  single: SingleResponseView | undefined,
  basic: BasicOcspResponseView,
  now: Date,
): Generator<string> {
  if (single === undefined) {
    yield "O08 the certificate asked about is not in the response";
    return;
  }
  if (single.thisUpdate > now) yield "O14 thisUpdate lies in the future";
  if (basic.producedAt < single.thisUpdate) yield "O14 producedAt is before thisUpdate";
  if (single.nextUpdate === undefined) yield "O14 nextUpdate is missing";
  else if (single.nextUpdate <= now) yield "O14 the response has expired";
}

export interface OcspJudgement {
  /** The answer for the certificate that was asked about. */
  readonly answer: SingleResponseView | undefined;
  /** Why it must not be believed; nothing means that it may. */
  readonly findings: readonly string[];
}

// O11, O12: signed by the issuer itself, or by its delegate whose certificate comes along.
function* signatureFindings(
  basic: BasicOcspResponseView,
  question: OcspQuestion,
  judge: OcspJudge,
): Generator<string> {
  const { responderKeyHash, responseData, signature, signatureAlgorithm } = basic;
  const [certificate] = basic.certificates;
  const delegate = certificate === undefined ? undefined : parseCertificate(certificate);
  if (delegate !== undefined && !equal(delegate.view.spki, question.issuerSpki)) {
    yield* delegateFindings(delegate, question, judge);
  }
  const spki = delegate?.view.spki ?? question.issuerSpki;
  const keyHash = judge.digest("sha1", keyOctets(spki));
  if (responderKeyHash === undefined || !equal(responderKeyHash, keyHash)) {
    yield "O11 the responder is not named by the SHA-1 of its key";
  }
  if (!judge.verify(spki, signatureAlgorithm, responseData, signature)) {
    yield "O12 the signature does not verify";
  }
}

function* nonceFindings(asked?: Uint8Array, answered?: Uint8Array): Generator<string> {
  if (asked === undefined) {
    if (answered !== undefined) yield "O15 a nonce that nobody sent";
  } else if (answered === undefined || !equal(answered, asked)) {
    yield "O15 the nonce is not the one that was sent";
  }
}

/**
 * Judges a successful response as a careful relying party does (RFC 6960 §3.2): the signature by the issuer or its
 * delegate, the CertID byte for byte, the dates and the nonce. Throws MalformedDerError when the delegate's certificate
 * cannot be read.
 */
export function judgeOcspResponse(
  basic: BasicOcspResponseView,
  question: OcspQuestion,
  judge: OcspJudge,
): OcspJudgement {
  const certId = certIdOf(question, judge.digest);
  const answer = basic.responses.find(({ certIdRaw }) => equal(certIdRaw, certId));
  const findings = [
    ...signatureFindings(basic, question, judge),
    ...singleFindings(answer, basic, judge.now),
    ...nonceFindings(question.nonce, basic.nonce),
  ];
  return { answer, findings };
}
