import {
  Cursor,
  bitStringOctets,
  contentOf,
  integerContent,
  oidText,
  readOnly,
  timeValue,
  whole,
  type Tlv,
} from "./der-reader.ts";
import { TAG } from "./der.ts";
import { InvalidSerialError, MalformedDerError } from "./errors.ts";
import { signatureAlgorithmName, STATUS_OID } from "./oids-status.ts";
import { serialFromInteger, type Serial } from "./serial.ts";

/*
 * The relying party's side of OCSP, for the probe that looks at our own responder from outside. It shares no line with
 * what writes the answers.
 */

export type OcspResponseStatus =
  | "successful"
  | "malformedRequest"
  | "internalError"
  | "tryLater"
  | "sigRequired"
  | "unauthorized";

const STATUSES: readonly (OcspResponseStatus | undefined)[] = [
  "successful",
  "malformedRequest",
  "internalError",
  "tryLater",
  undefined, // 4 is not used (RFC 6960 §4.2.1)
  "sigRequired",
  "unauthorized",
];

export interface SingleResponseView {
  readonly certIdRaw: Uint8Array;
  /** Undefined where no certificate can have it: a responder echoes whatever it was asked about. */
  readonly serial: Serial | undefined;
  readonly status: "good" | "revoked" | "unknown";
  readonly revokedAt?: Date;
  /** The CRLReason value of a revocation; 0 when none is given. */
  readonly reason?: number;
  readonly thisUpdate: Date;
  readonly nextUpdate?: Date;
}

export interface BasicOcspResponseView {
  /** The signed bytes. */
  readonly responseData: Uint8Array;
  /** The algorithm's name, or its dotted identifier when we do not know it. */
  readonly signatureAlgorithm: string;
  readonly signature: Uint8Array;
  readonly certificates: readonly Uint8Array[];
  /** SHA-1 of the responder's key; absent when the responder is named by its Name. */
  readonly responderKeyHash?: Uint8Array;
  readonly producedAt: Date;
  readonly responses: readonly SingleResponseView[];
  readonly nonce?: Uint8Array;
}

export interface OcspResponseView {
  readonly status: OcspResponseStatus;
  /** There exactly when the status is `successful`. */
  readonly basic?: BasicOcspResponseView;
}

/** The one value inside an explicit tag. */
function inside(explicit: Tlv, tag: number): Tlv {
  const parts = new Cursor(explicit);
  const value = parts.next(tag);
  parts.finish();
  return value;
}

function readEnumerated(value: Tlv): number {
  const content = contentOf(value);
  if (value.tag !== TAG.enumerated || content.length !== 1) {
    throw new MalformedDerError("not an ENUMERATED of one octet");
  }
  return content[0] ?? 0;
}

/** OCSP's times are GeneralizedTime only (RFC 6960 §4.2.2.1). */
function readTime(value: Tlv): Date {
  if (value.tag !== TAG.generalizedTime) throw new MalformedDerError("not a GeneralizedTime");
  return timeValue(value);
}

type StatusView = Pick<SingleResponseView, "status" | "revokedAt" | "reason">;

function readStatus(value: Tlv): StatusView {
  if (value.tag === 0xa1) {
    const parts = new Cursor(value);
    const revokedAt = readTime(parts.next());
    const explicit = parts.optional(0xa0);
    parts.finish();
    const reason = explicit === undefined ? 0 : readEnumerated(inside(explicit, TAG.enumerated));
    return { status: "revoked", revokedAt, reason };
  }
  if (contentOf(value).length > 0) throw new MalformedDerError("a NULL with content");
  if (value.tag === 0x80) return { status: "good" };
  if (value.tag === 0x82) return { status: "unknown" };
  throw new MalformedDerError("not a CertStatus");
}

function readCertIdSerial(certId: Tlv): Serial | undefined {
  const parts = new Cursor(certId);
  parts.next(TAG.sequence);
  parts.next(TAG.octetString);
  parts.next(TAG.octetString);
  const content = integerContent(parts.next(TAG.integer));
  parts.finish();
  try {
    return serialFromInteger(content);
  } catch (error) {
    if (error instanceof InvalidSerialError) return undefined;
    throw error;
  }
}

function readSingle(value: Tlv): SingleResponseView {
  const parts = new Cursor(value);
  const certId = parts.next(TAG.sequence);
  const status = readStatus(parts.next());
  const thisUpdate = readTime(parts.next());
  const next = parts.optional(0xa0);
  parts.optional(0xa1);
  parts.finish();
  return {
    certIdRaw: whole(certId),
    serial: readCertIdSerial(certId),
    ...status,
    thisUpdate,
    ...(next === undefined ? {} : { nextUpdate: readTime(inside(next, TAG.generalizedTime)) }),
  };
}

function readNonce(explicit: Tlv): Uint8Array | undefined {
  const list = new Cursor(inside(explicit, TAG.sequence));
  while (!list.done) {
    const parts = new Cursor(list.next(TAG.sequence));
    const id = oidText(parts.next(TAG.oid));
    parts.optional(TAG.boolean);
    const value = contentOf(parts.next(TAG.octetString));
    parts.finish();
    if (id === STATUS_OID.ocspNonce) return contentOf(readOnly(value, TAG.octetString));
  }
  return undefined;
}

type ResponseDataView = Pick<
  BasicOcspResponseView,
  "responderKeyHash" | "producedAt" | "responses" | "nonce"
>;

function readResponseData(value: Tlv): ResponseDataView {
  const parts = new Cursor(value);
  const byName = parts.optional(0xa1);
  const byKey = byName === undefined ? parts.next(0xa2) : undefined;
  const producedAt = readTime(parts.next());
  const list = new Cursor(parts.next(TAG.sequence));
  const explicit = parts.optional(0xa1);
  parts.finish();
  const responses: SingleResponseView[] = [];
  while (!list.done) responses.push(readSingle(list.next(TAG.sequence)));
  const nonce = explicit === undefined ? undefined : readNonce(explicit);
  return {
    ...(byKey === undefined ? {} : { responderKeyHash: contentOf(inside(byKey, TAG.octetString)) }),
    producedAt,
    responses,
    ...(nonce === undefined ? {} : { nonce }),
  };
}

function readCertificates(explicit: Tlv): Uint8Array[] {
  const list = new Cursor(inside(explicit, TAG.sequence));
  const certificates: Uint8Array[] = [];
  while (!list.done) certificates.push(whole(list.next(TAG.sequence)));
  if (certificates.length === 0) throw new MalformedDerError("certs is there and empty");
  return certificates;
}

function readBasic(der: Uint8Array): BasicOcspResponseView {
  const parts = new Cursor(readOnly(der, TAG.sequence));
  const responseData = parts.next(TAG.sequence);
  const algorithm = new Cursor(parts.next(TAG.sequence));
  const id = oidText(algorithm.next(TAG.oid));
  const signature = bitStringOctets(parts.next(TAG.bitString));
  const explicit = parts.optional(0xa0);
  parts.finish();
  return {
    responseData: whole(responseData),
    signatureAlgorithm: signatureAlgorithmName(id),
    signature,
    certificates: explicit === undefined ? [] : readCertificates(explicit),
    ...readResponseData(responseData),
  };
}

function readResponseBytes(explicit: Tlv): BasicOcspResponseView {
  const parts = new Cursor(inside(explicit, TAG.sequence));
  if (oidText(parts.next(TAG.oid)) !== STATUS_OID.ocspBasic) {
    throw new MalformedDerError("not a basic OCSP response");
  }
  const basic = readBasic(contentOf(parts.next(TAG.octetString)));
  parts.finish();
  return basic;
}

/**
 * Reads an OCSPResponse (RFC 6960 §4.2.1); the view shares the bytes. Nothing is verified here. Throws MalformedDerError,
 * nothing else.
 */
export function readOcspResponse(der: Uint8Array): OcspResponseView {
  const parts = new Cursor(readOnly(der, TAG.sequence));
  const status = STATUSES[readEnumerated(parts.next())];
  const explicit = parts.optional(0xa0);
  parts.finish();
  if (status === undefined || (status === "successful") !== (explicit !== undefined)) {
    throw new MalformedDerError("the response's status and its content do not fit");
  }
  return explicit === undefined ? { status } : { status, basic: readResponseBytes(explicit) };
}
