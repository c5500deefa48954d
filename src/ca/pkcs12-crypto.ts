import { createCipheriv, createHmac, hash, pbkdf2Sync, randomBytes } from "node:crypto";
import type { Pkcs12Crypto } from "../pki/pkcs12.ts";

/** Encrypts in one go, with PKCS#7 padding, which is what node:crypto's CBC does by default. */
function cbc(algorithm: "aes-256-cbc" | "des-ede3-cbc"): Pkcs12Crypto["aes256Cbc"] {
  return (key, iv, data) => {
    const cipher = createCipheriv(algorithm, key, iv);
    return Buffer.concat([cipher.update(data), cipher.final()]);
  };
}

/** The primitives of a bundle from node:crypto. Blocks for as long as the key derivation takes. */
export const nodePkcs12Crypto: Pkcs12Crypto = {
  digest: (name, bytes) => hash(name, bytes, "buffer"),
  hmac: (name, key, data) => createHmac(name, key).update(data).digest(),
  pbkdf2Sha256: (password, { salt, iterations, octets }) =>
    pbkdf2Sync(password, salt, iterations, octets, "sha256"),
  aes256Cbc: cbc("aes-256-cbc"),
  des3Cbc: cbc("des-ede3-cbc"),
  random: (octets) => randomBytes(octets),
};
