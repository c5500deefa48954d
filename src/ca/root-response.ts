import { canonicalJson } from "../pki/canonical-json.ts";
import { utf8Bytes } from "../pki/bytes.ts";
import { readCanonical, writeCanonical } from "./root-request.ts";
import { instant, listOf, octets, optional, record, text, word } from "./wire.ts";

/** What a root session has signed. */
export interface RootResponse {
  readonly format: "suido-root-response-1";
  readonly requestId: string;
  /** SHA-256 of the request's file, hex. */
  readonly requestHash: string;
  /** The moment by which everything is dated. */
  readonly at: Date;
  /** Who was there. */
  readonly by: readonly string[];
  readonly list: Uint8Array;
  readonly delegate: Uint8Array;
  readonly issuing?: Uint8Array;
  readonly transcript: string;
  /** By the root's key, over all of the above. */
  readonly signature: Uint8Array;
}

const MOST_LIST_OCTETS = 1_000_000;
const MOST_CERTIFICATE_OCTETS = 16_384;

const certificate = octets(MOST_CERTIFICATE_OCTETS);

const rootResponse = record<RootResponse>({
  format: word(["suido-root-response-1"]),
  requestId: text(36),
  requestHash: text(64),
  at: instant,
  by: listOf(text(200), 20),
  list: octets(MOST_LIST_OCTETS),
  delegate: certificate,
  issuing: optional(certificate),
  transcript: text(2_000_000),
  signature: octets(1_024),
});

/** The file of a response. */
export const writeResponse = (response: RootResponse): string =>
  writeCanonical(response, rootResponse);

/** Reads the file of a response. Throws CeremonyError. */
export const readResponse = (content: string): RootResponse =>
  readCanonical(content, rootResponse, "a response of a root session");

/** What the root's key signs of a response. Nothing in ASN.1 begins so: it can be mistaken for no certificate and no list. */
export function signedText(response: Omit<RootResponse, "signature">): Uint8Array {
  const whole = rootResponse.write({ ...response, signature: new Uint8Array() });
  return utf8Bytes(`suido root response\n${canonicalJson(whole)}`);
}
