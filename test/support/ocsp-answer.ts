import { parseOcspRequest } from "../../src/pki/ocsp-request.ts";
import {
  assembleOcspResponse,
  buildResponseData,
  type CertStatus,
} from "../../src/pki/ocsp-response.ts";
import { ECDSA_SHA256, type Party } from "./openssl-ca.ts";

const MINUTE = 60_000;

export interface Answering {
  readonly status: CertStatus;
  readonly by: Party;
  readonly now: Date;
  /** What comes along in `certs`; without it the signer's certificate. */
  readonly certificates?: readonly Uint8Array[];
  readonly nextUpdate?: Date;
}

/** A responder with only what is under test: every certificate asked about gets this status. */
export function ocspAnswer(request: Uint8Array, answering: Answering): Uint8Array {
  const { by, now, status } = answering;
  const { certIds, nonce } = parseOcspRequest(request);
  const responseData = buildResponseData({
    responderKeyHash: by.keyIdentifier,
    producedAt: now,
    responses: certIds.map(({ raw }) => ({
      certIdRaw: raw,
      status,
      thisUpdate: new Date(now.getTime() - 5 * MINUTE),
      nextUpdate: answering.nextUpdate ?? new Date(now.getTime() + 10 * MINUTE),
    })),
    ...(nonce === undefined ? {} : { nonceExtensionRaw: nonce.extensionRaw }),
  });
  return assembleOcspResponse({
    responseData,
    signatureAlgorithm: ECDSA_SHA256,
    signature: by.sign(responseData),
    certificates: answering.certificates ?? [by.der],
  });
}
