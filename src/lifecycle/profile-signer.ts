import { createPrivateKey, type KeyObject, sign, X509Certificate } from "node:crypto";

import type { CmsSigner } from "../pki/cms.ts";
import { pemBlocks } from "../pki/pem.ts";

/** Why a certificate and a key cannot sign profiles, as the end of a sentence. */
export class UnusableProfileSignerError extends Error {
  override get name(): string {
    return this.constructor.name;
  }
}

/** PEM, as a site's files hold them. */
export interface ProfileSignerFiles {
  /** The signer's certificate first, then those of its chain. */
  readonly certificate: string;
  readonly key: string;
}

function read<T>(what: string, reading: () => T): T {
  try {
    return reading();
  } catch (cause) {
    throw new UnusableProfileSignerError(`${what} cannot be read`, { cause });
  }
}

/** RSA from 2048 bits and the curves of TLS: what devices verify. */
function keyTypeOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): CmsSigner["keyType"] {
  const { modulusLength = 0, namedCurve = "" } = asymmetricKeyDetails ?? {};
  if (asymmetricKeyType === "rsa" && modulusLength >= 2048) return "rsa";
  if (asymmetricKeyType === "ec" && ["prime256v1", "secp384r1"].includes(namedCurve)) return "ec";
  throw new UnusableProfileSignerError(
    "the key is neither RSA of 2048 bits or more nor P-256 or P-384",
  );
}

function checkInTime({ validFrom, validTo }: X509Certificate, now: Date): void {
  if (now < new Date(validFrom))
    throw new UnusableProfileSignerError(`the certificate is not valid before ${validFrom}`);
  if (now > new Date(validTo))
    throw new UnusableProfileSignerError(`the certificate has expired at ${validTo}`);
}

/** Each is signed by the next: whoever verifies may have nothing but its roots. */
function checkChain(chain: readonly X509Certificate[]): void {
  const stranger = chain.findIndex((one, at) => {
    const issuer = chain[at + 1];
    return issuer !== undefined && !(one.checkIssued(issuer) && one.verify(issuer.publicKey));
  });
  if (stranger >= 0)
    throw new UnusableProfileSignerError(
      `certificate ${stranger + 2} of the file is not the issuer of the one before it`,
    );
}

/** Who signs profiles at `now`. Throws UnusableProfileSignerError. */
export function readProfileSigner(files: ProfileSignerFiles, now: Date): CmsSigner {
  const chain = read("the certificate", () =>
    pemBlocks(files.certificate, "CERTIFICATE").map((der) => new X509Certificate(der)),
  );
  const [own] = chain;
  if (own === undefined)
    throw new UnusableProfileSignerError("there is no certificate in the file");
  const key = read("the key", () => createPrivateKey(files.key));
  const keyType = keyTypeOf(key);
  if (!own.checkPrivateKey(key))
    throw new UnusableProfileSignerError(
      "the key is not that of the first certificate in the file",
    );
  checkInTime(own, now);
  checkChain(chain);
  return {
    certificates: chain.map(({ raw }) => new Uint8Array(raw)),
    keyType,
    sign: (bytes) => new Uint8Array(sign("sha256", bytes, key)),
  };
}
