import "reflect-metadata";
import type { webcrypto } from "node:crypto";
import { Crypto } from "@peculiar/webcrypto";
import { Pkcs10CertificateRequestGenerator, cryptoProvider } from "@peculiar/x509";

/** A key pair that was made by the device's side, with its certification request. */
export interface ClientKey {
  /** PKCS#8 in PEM. */
  readonly privateKey: string;
  /** PKCS#10 in PEM (RFC 2986). */
  readonly csr: string;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** Makes a P-256 key pair and a request for it with libraries that are not ours, as a device would. */
export async function makeClientKey(): Promise<ClientKey> {
  // Its own types lean on a browser's, which this project does not load; Node's are the same by name.
  const crypto = new Crypto() as unknown as webcrypto.Crypto;
  cryptoProvider.set(crypto);
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: "CN=a request names nothing here",
    keys,
    signingAlgorithm: ALGORITHM,
  });
  const pkcs8 = Buffer.from(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
  const lines = pkcs8.toString("base64").replaceAll(/.{64}/g, "$&\n").trimEnd();
  return {
    privateKey: `-----BEGIN PRIVATE KEY-----\n${lines}\n-----END PRIVATE KEY-----\n`,
    csr: request.toString("pem"),
  };
}
