import { DerWriter } from "./der-writer.ts";
import { TAG, oid } from "./der.ts";
import { STATUS_OID } from "./oids-status.ts";
import type { ReasonCode } from "./revocation-reason.ts";

/** Answers without responseBytes and without a signature (RFC 6960 §2.3, §4.2.1). 4 is not used. */
const ERROR_CODES = {
  malformedRequest: 1,
  internalError: 2,
  tryLater: 3,
  sigRequired: 5,
  unauthorized: 6,
} as const;

export type OcspErrorStatus = keyof typeof ERROR_CODES;

/** The five octets of an error answer. */
export function errorResponse(status: OcspErrorStatus): Uint8Array {
  return new Uint8Array([TAG.sequence, 3, TAG.enumerated, 1, ERROR_CODES[status]]);
}

/** CertStatus (RFC 6960 §4.2.1). The date of a revocation is the published one, already set back by the caller. */
export type CertStatus =
  | { readonly kind: "good" }
  | { readonly kind: "revoked"; readonly at: Date; readonly reason: ReasonCode }
  | { readonly kind: "unknown" };

export interface SingleResponse {
  /** The CertID of the request, byte for byte. */
  readonly certIdRaw: Uint8Array;
  readonly status: CertStatus;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
}

export interface ResponseData {
  /** SHA-1 of the delegate's public key, whatever else is in use (RFC 6960 §4.2.1, KeyHash). */
  readonly responderKeyHash: Uint8Array;
  readonly producedAt: Date;
  /** One for each CertID of the request, in its order. */
  readonly responses: readonly SingleResponse[];
  /** The request's nonce extension, byte for byte (RFC 9654 §2.1). */
  readonly nonceExtensionRaw?: Uint8Array;
}

/** A SingleResponse takes no more than this beside its CertID. */
const SINGLE_OVERHEAD = 80;
const DATA_OVERHEAD = 64;

function writeStatus(into: DerWriter, status: CertStatus): void {
  switch (status.kind) {
    case "good":
      into.octet(0);
      into.octet(0x80);
      return;
    case "unknown":
      into.octet(0);
      into.octet(0x82);
      return;
    case "revoked": {
      const revoked = into.mark;
      if (status.reason !== 0) {
        const reason = into.mark;
        into.octet(status.reason);
        into.wrap(TAG.enumerated, reason);
        into.wrap(0xa0, reason);
      }
      into.generalizedTime(status.at);
      into.wrap(0xa1, revoked);
    }
  }
}

function writeSingle(into: DerWriter, single: SingleResponse): void {
  const all = into.mark;
  into.generalizedTime(single.nextUpdate);
  into.wrap(0xa0, all);
  into.generalizedTime(single.thisUpdate);
  writeStatus(into, single.status);
  into.bytes(single.certIdRaw);
  into.wrap(TAG.sequence, all);
}

/**
 * ResponseData (RFC 6960 §4.2.1): version 1 by default, responder by key, dates as GeneralizedTime without fractions, a
 * reason only when it is not `unspecified`. Written in one go: the signature should be all that an answer costs.
 */
export function buildResponseData(data: ResponseData): Uint8Array {
  const { nonceExtensionRaw, responderKeyHash, responses } = data;
  let capacity = DATA_OVERHEAD + responderKeyHash.length + (nonceExtensionRaw?.length ?? 0);
  for (const single of responses) capacity += SINGLE_OVERHEAD + single.certIdRaw.length;

  const into = new DerWriter(capacity);
  const all = into.mark;
  if (nonceExtensionRaw !== undefined) {
    into.bytes(nonceExtensionRaw);
    into.wrap(TAG.sequence, all);
    into.wrap(0xa1, all);
  }
  const list = into.mark;
  for (let i = responses.length - 1; i >= 0; i--) {
    const single = responses[i];
    if (single !== undefined) writeSingle(into, single);
  }
  into.wrap(TAG.sequence, list);
  into.generalizedTime(data.producedAt);
  const responder = into.mark;
  into.bytes(responderKeyHash);
  into.wrap(TAG.octetString, responder);
  into.wrap(0xa2, responder);
  into.wrap(TAG.sequence, all);
  return into.finish();
}

export interface SignedOcspResponse {
  readonly responseData: Uint8Array;
  /** The AlgorithmIdentifier's DER. */
  readonly signatureAlgorithm: Uint8Array;
  readonly signature: Uint8Array;
  /** The delegate's certificate; none when the issuing CA itself signed. */
  readonly certificates: readonly Uint8Array[];
}

const BASIC = oid(STATUS_OID.ocspBasic);
const SUCCESSFUL = new Uint8Array([TAG.enumerated, 1, 0]);
const RESPONSE_OVERHEAD = 64;

/** A successful OCSPResponse around a signed ResponseData (RFC 6960 §4.2.1). `certs` is absent rather than empty. */
export function assembleOcspResponse(response: SignedOcspResponse): Uint8Array {
  const { certificates, responseData, signature, signatureAlgorithm } = response;
  let capacity = RESPONSE_OVERHEAD + responseData.length + signatureAlgorithm.length;
  capacity += signature.length;
  for (const certificate of certificates) capacity += certificate.length;

  const into = new DerWriter(capacity);
  const all = into.mark;
  for (let i = certificates.length - 1; i >= 0; i--)
    into.bytes(certificates[i] ?? new Uint8Array());
  if (certificates.length > 0) {
    into.wrap(TAG.sequence, all);
    into.wrap(0xa0, all);
  }
  const bits = into.mark;
  into.bytes(signature);
  into.octet(0);
  into.wrap(TAG.bitString, bits);
  into.bytes(signatureAlgorithm);
  into.bytes(responseData);
  into.wrap(TAG.sequence, all);
  into.wrap(TAG.octetString, all);
  into.bytes(BASIC);
  into.wrap(TAG.sequence, all);
  into.wrap(0xa0, all);
  into.bytes(SUCCESSFUL);
  into.wrap(TAG.sequence, all);
  return into.finish();
}
