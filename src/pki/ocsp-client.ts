import { equal } from "./bytes.ts";
import type { Digest, DigestName, Verify } from "./crypto.ts";
import {
  Cursor,
  bitStringOctets,
  contentOf,
  oidText,
  readOnly,
  timeValue,
  whole,
  type Tlv,
} from "./der-reader.ts";
import { TAG, context, nullValue, octetString, oid, sequence, unsignedInteger } from "./der.ts";
import { DIGEST_NAMES, SIGNATURE_ALGORITHM_NAMES, STATUS_OID } from "./oids-status.ts";
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

/** The octets that key hashes are taken over: the BIT STRING without its unused-bits octet. */
function keyOctets(spki: Uint8Array): Uint8Array {
  const parts = new Cursor(readOnly(spki, TAG.sequence));
  parts.next(TAG.sequence);
  return bitStringOctets(parts.next(TAG.bitString));
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

/** What of a responder's certificate decides whether it may answer for its issuer. */
interface Delegate {
  readonly tbs: Uint8Array;
  readonly signatureAlgorithm: string;
  readonly signature: Uint8Array;
  readonly issuerName: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly spki: Uint8Array;
  readonly purposes: readonly string[];
}

/** RFC 5280 §4.2.1.12: the key purposes, from a certificate's extensions. */
function readPurposes(explicit: Tlv): string[] {
  const list = new Cursor(new Cursor(explicit).next(TAG.sequence));
  const purposes: string[] = [];
  while (!list.done) {
    const parts = new Cursor(list.next(TAG.sequence));
    const id = oidText(parts.next(TAG.oid));
    parts.optional(TAG.boolean);
    const value = contentOf(parts.next(TAG.octetString));
    if (id !== STATUS_OID.extKeyUsage) continue;
    const names = new Cursor(readOnly(value, TAG.sequence));
    while (!names.done) purposes.push(oidText(names.next(TAG.oid)));
  }
  return purposes;
}

function readDelegate(certificate: Uint8Array): Delegate {
  const outer = new Cursor(readOnly(certificate, TAG.sequence));
  const tbs = outer.next(TAG.sequence);
  const id = oidText(new Cursor(outer.next(TAG.sequence)).next(TAG.oid));
  const signature = bitStringOctets(outer.next(TAG.bitString));
  const parts = new Cursor(tbs);
  parts.next(0xa0);
  parts.next(TAG.integer);
  parts.next(TAG.sequence);
  const issuerName = whole(parts.next(TAG.sequence));
  const validity = new Cursor(parts.next(TAG.sequence));
  const notBefore = timeValue(validity.next());
  const notAfter = timeValue(validity.next());
  parts.next(TAG.sequence);
  const spki = whole(parts.next(TAG.sequence));
  const extensions = parts.optional(0xa3);
  return {
    tbs: whole(tbs),
    signatureAlgorithm: SIGNATURE_ALGORITHM_NAMES[id] ?? id,
    signature,
    issuerName,
    notBefore,
    notAfter,
    spki,
    purposes: extensions === undefined ? [] : readPurposes(extensions),
  };
}

export interface OcspJudge {
  readonly digest: Digest;
  readonly verify: Verify;
  readonly now: Date;
}

// RFC 6960 §4.2.2.2: issued directly by the CA in question, for OCSP signing, and valid now.
function* delegateFindings(
  delegate: Delegate,
  question: OcspQuestion,
  judge: OcspJudge,
): Generator<string> {
  const { signature, signatureAlgorithm, tbs } = delegate;
  if (!equal(delegate.issuerName, question.issuerName)) yield "O12 the delegate has another issuer";
  if (!judge.verify(question.issuerSpki, signatureAlgorithm, tbs, signature)) {
    yield "O12 the delegate's certificate is not signed by the issuer";
  }
  if (!delegate.purposes.includes(STATUS_OID.ocspSigning)) {
    yield "O12 the delegate is not for OCSP signing";
  }
  if (judge.now < delegate.notBefore || judge.now > delegate.notAfter) {
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
  const delegate = certificate === undefined ? undefined : readDelegate(certificate);
  if (delegate !== undefined && !equal(delegate.spki, question.issuerSpki)) {
    yield* delegateFindings(delegate, question, judge);
  }
  const spki = delegate?.spki ?? question.issuerSpki;
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
