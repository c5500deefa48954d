import { X509Certificate } from "node:crypto";

import { equal } from "../pki/bytes.ts";
import { latin1 } from "./latin1.ts";
import type { DigestName } from "../pki/crypto.ts";
import { keyOctets } from "../pki/key.ts";
import { issuerHashes, type CertId } from "../pki/ocsp-request.ts";
import { nodeDigest } from "./digest.ts";

/** A row of `ca.issuer`, as far as relying parties need it. */
export interface IssuerRecord {
  readonly id: string;
  readonly kind: "root" | "issuing";
  readonly state: "announced" | "active" | "retiring" | "ended";
  /** The 16 octets of its own certificate's serial. */
  readonly serial: Uint8Array;
  readonly certificate: Uint8Array;
  /** The subject Name's DER. */
  readonly subject: Uint8Array;
  readonly keyIdentifier: Uint8Array;
  readonly vaUrl: string;
}

/** A certification authority whose certificates we answer for. */
export interface Issuer extends IssuerRecord {
  readonly spki: Uint8Array;
  /** The key's BIT STRING without tag, length and unused bits (RFC 6960 §4.1.1). */
  readonly keyOctets: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** The issuer with what its certificate says. */
export function issuerOf(record: IssuerRecord): Issuer {
  const certificate = new X509Certificate(record.certificate);
  const spki = certificate.publicKey.export({ type: "spki", format: "der" });
  return {
    ...record,
    spki,
    keyOctets: keyOctets(spki),
    notBefore: new Date(certificate.validFrom),
    notAfter: new Date(certificate.validTo),
  };
}

/** Whether both are the same CAs in the same states, in the same order. */
export const sameIssuers = (a: readonly IssuerRecord[], b: readonly IssuerRecord[]): boolean =>
  a.length === b.length &&
  a.every((one, i) => {
    const other = b[i];
    return (
      other?.id === one.id && other.state === one.state && equal(other.certificate, one.certificate)
    );
  });

/** The hashes that CertIDs come with (RFC 5019 §2.1.1 has SHA-1, RFC 9919 SHA-256). */
const DIGESTS: readonly DigestName[] = ["sha1", "sha256", "sha384", "sha512"];

const keyOf = (digest: DigestName, nameHash: Uint8Array, keyHash: Uint8Array): string =>
  `${digest} ${latin1(nameHash)}${latin1(keyHash)}`;

/** Finds the issuer that a CertID names, by hashes that were computed once. */
export class IssuerTable<T extends Issuer> {
  readonly #byHashes = new Map<string, T>();

  constructor(issuers: Iterable<T>) {
    for (const issuer of issuers) {
      const subject = { name: issuer.subject, keyOctets: issuer.keyOctets };
      for (const digest of DIGESTS) {
        const { issuerNameHash, issuerKeyHash } = issuerHashes(subject, digest, nodeDigest);
        this.#byHashes.set(keyOf(digest, issuerNameHash, issuerKeyHash), issuer);
      }
    }
  }

  /** Undefined for the certificates of others, for which we must not answer. */
  find({ hashAlgorithm, issuerNameHash, issuerKeyHash }: CertId): T | undefined {
    if (hashAlgorithm === undefined) return undefined;
    return this.#byHashes.get(keyOf(hashAlgorithm, issuerNameHash, issuerKeyHash));
  }
}
