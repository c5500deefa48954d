// oxlint-disable-next-line typescript/triple-slash-reference -- the declaration of a package is no module to import
/// <reference path="./des.d.ts" />
import { sha1 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { CBC, EDE } from "des.js";

import type { DigestName } from "../../pki/crypto.ts";
import type { Pkcs12Crypto } from "../../pki/pkcs12.ts";

const { subtle } = crypto;

const WEB_NAME: Readonly<Record<DigestName, string>> = {
  sha1: "SHA-1",
  sha256: "SHA-256",
  sha384: "SHA-384",
  sha512: "SHA-512",
};

/** WebCrypto takes no view of memory that threads share, which our types cannot exclude: a copy has its own. */
const own = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);

const hmac: Pkcs12Crypto["hmac"] = async (name, key, data) => {
  const algorithm = { name: "HMAC", hash: WEB_NAME[name] };
  const imported = await subtle.importKey("raw", own(key), algorithm, false, ["sign"]);
  return new Uint8Array(await subtle.sign("HMAC", imported, own(data)));
};

const pbkdf2Sha256: Pkcs12Crypto["pbkdf2Sha256"] = async (password, parameters) => {
  const { salt, iterations, octets } = parameters;
  const imported = await subtle.importKey("raw", own(password), "PBKDF2", false, ["deriveBits"]);
  const algorithm = { name: "PBKDF2", hash: "SHA-256", salt: own(salt), iterations };
  return new Uint8Array(await subtle.deriveBits(algorithm, imported, 8 * octets));
};

const aes256Cbc: Pkcs12Crypto["aes256Cbc"] = async (key, iv, data) => {
  const imported = await subtle.importKey("raw", own(key), "AES-CBC", false, ["encrypt"]);
  return new Uint8Array(
    await subtle.encrypt({ name: "AES-CBC", iv: own(iv) }, imported, own(data)),
  );
};

const TripleDesCbc = CBC.instantiate(EDE);

/**
 * The primitives of a bundle in a page: WebCrypto's, and of two small libraries what it has not: 3DES, and a digest that
 * answers at once. A promise for each of 100,000 digests would take the person's seconds.
 */
export const webPkcs12Crypto: Pkcs12Crypto = {
  digest: (name, bytes) => {
    if (name !== "sha1" && name !== "sha256") throw new RangeError(`no ${name} in a bundle`);
    return name === "sha1" ? sha1(bytes) : sha256(bytes);
  },
  hmac,
  pbkdf2Sha256,
  aes256Cbc,
  des3Cbc: (key, iv, data) => {
    const cipher = TripleDesCbc.create({ type: "encrypt", key, iv });
    return Uint8Array.from([...cipher.update(data), ...cipher.final()]);
  },
  random: (octets) => crypto.getRandomValues(new Uint8Array(octets)),
};
