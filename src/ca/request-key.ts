import { generateKeyPair } from "node:crypto";
import { promisify } from "node:util";
import { fromHex } from "../pki/bytes.ts";
import type { Digest, Verify } from "../pki/crypto.ts";
import { type Csr, csrFromText, proofOfPossession } from "../pki/csr.ts";
import { UnsupportedKeyError } from "../pki/errors.ts";
import { checkPublicKey, type KeyKind, parsePublicKey, spkiSha256 } from "../pki/key.ts";
import type { KeyClaim } from "./certificate-record.ts";

/** The public key that a certificate is wanted for, and where it came from. */
export interface RequestKey {
  readonly spki: Uint8Array;
  readonly spkiSha256: Uint8Array;
  readonly keyOrigin: "subject" | "server";
  readonly claim?: KeyClaim;
  /** SHA-256 of the certification request as it came; absent where there was none. */
  readonly requestHash?: Uint8Array;
  /** The private key as PKCS#8, where we made it: for one bundle, and then nobody's here. */
  readonly pkcs8?: Uint8Array;
}

/** A request as it came, and the kinds of key that the profile allows. */
export interface KeyWish {
  /** In PEM. */
  readonly csr: string;
  readonly allowed: readonly KeyKind[];
  readonly claim?: KeyClaim | undefined;
}

export interface RequestKeyDeps {
  readonly digest: Digest;
  readonly verify: Verify;
}

const generate = promisify(generateKeyPair);

/** The request, or why not, with what would be allowed. */
function readRequest({ csr, allowed }: KeyWish): Csr {
  try {
    return csrFromText(csr);
  } catch (error) {
    if (!(error instanceof UnsupportedKeyError)) throw error;
    const kinds = allowed.join(", ");
    throw new UnsupportedKeyError(`${error.message} (allowed keys: ${kinds})`, { cause: error });
  }
}

/** The key of a certification request, once its sender has shown to hold the private one. Throws PkiError. */
export function keyOfRequest(wish: KeyWish, { digest, verify }: RequestKeyDeps): RequestKey {
  const csr = readRequest(wish);
  proofOfPossession(csr, verify);
  const { spki } = csr;
  return {
    spki,
    spkiSha256: fromHex(spkiSha256(spki, digest)),
    keyOrigin: "subject",
    ...(wish.claim !== undefined && { claim: wish.claim }),
    requestHash: digest("sha256", new TextEncoder().encode(wish.csr)),
  };
}

/** A fresh P-256 key: what every platform that we serve installs from a bundle. */
export async function makeRequestKey({ digest }: RequestKeyDeps): Promise<RequestKey> {
  const { publicKey, privateKey } = await generate("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ type: "spki", format: "der" });
  return {
    spki,
    spkiSha256: fromHex(spkiSha256(spki, digest)),
    keyOrigin: "server",
    pkcs8: privateKey.export({ type: "pkcs8", format: "der" }),
  };
}

/** Whether a profile allows the key. Throws UnsupportedKeyError and WeakKeyError. */
export function checkRequestKey({ spki }: RequestKey, allowed: readonly KeyKind[]): void {
  checkPublicKey(parsePublicKey(spki), allowed);
}
