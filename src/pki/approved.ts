import { parseTbs } from "./certificate-view.ts";
import { assembleCertificate, type SignatureAlgorithm, type TbsRequest } from "./certificate.ts";
import type { Digest } from "./crypto.ts";
import { LintError } from "./errors.ts";
import { runLints } from "./lint.ts";
import { CERTIFICATE_LINTS } from "./lints.ts";

/** Signs with a CA's key. Synchronous: a software key takes 20 µs, and a queue would cost more. */
export type Sign = (tbs: Uint8Array) => Uint8Array;

/**
 * To-be-signed bytes that passed every lint. `approve` is the only way to get one, and nothing else can be signed. It
 * reads the very bytes that will be signed, so nobody can have one thing checked and another signed.
 */
export class ApprovedTbs {
  readonly #bytes: Uint8Array;
  readonly #signatureAlgorithm: SignatureAlgorithm;
  #isUsed = false;

  private constructor(bytes: Uint8Array, signatureAlgorithm: SignatureAlgorithm) {
    this.#bytes = bytes;
    this.#signatureAlgorithm = signatureAlgorithm;
  }

  /** Reads the bytes again and holds them against every rule and the promise. Throws MalformedDerError and LintError. */
  static approve(bytes: Uint8Array, promised: TbsRequest, digest: Digest): ApprovedTbs {
    const own = bytes.slice();
    const findings = runLints(CERTIFICATE_LINTS, parseTbs(own), { ...promised, digest });
    if (findings.length > 0) throw new LintError(findings);
    return new ApprovedTbs(own, promised.issuer.signatureAlgorithm);
  }

  /** Has the bytes signed, once, and returns the whole certificate. */
  signWith(sign: Sign): Uint8Array {
    if (this.#isUsed)
      throw new Error("these bytes were signed before: an approval is for one signature");
    this.#isUsed = true;
    return assembleCertificate(this.#bytes, this.#signatureAlgorithm, sign(this.#bytes.slice()));
  }
}
