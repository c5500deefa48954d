import { newBundlePassword } from "../../pki/bundle-password.ts";
import { equal } from "../../pki/bytes.ts";
import { type CertificateView, parseCertificate } from "../../pki/certificate-view.ts";
import { buildCsr } from "../../pki/csr-builder.ts";
import { pemDecode, pemEncode } from "../../pki/pem.ts";
import { buildPkcs12, type Pkcs12Style } from "../../pki/pkcs12.ts";
import { webPkcs12Crypto } from "./pkcs12-crypto.ts";

/** What the authority answers to a request. */
export interface Answer {
  /** In PEM. */
  readonly certificate: string;
  /** Those above it in PEM, in any order; a root among them is left out of the bundle. */
  readonly chain: readonly string[];
}

/** A PKCS#12 file and what opens it. */
export interface Bundle {
  readonly file: Uint8Array<ArrayBuffer>;
  readonly password: string;
  /** By which the browser offers the certificate. */
  readonly name: string;
}

/** A CryptoKey, by a name that Node's types have too. */
type PrivateKey = Parameters<typeof crypto.subtle.sign>[1];

const CURVE = { name: "ECDSA", namedCurve: "P-256" };
const SIGNATURE = { name: "ECDSA", hash: "SHA-256" };
const COMMON_NAME = "2.5.4.3";

const read = (pem: string): { readonly der: Uint8Array; readonly view: CertificateView } => {
  const der = pemDecode(pem, "CERTIFICATE");
  return { der, view: parseCertificate(der).view };
};

/** The name by which the browser will offer the certificate. */
function commonName({ subjectName }: CertificateView): string {
  const attribute = subjectName.flat().find(({ oid }) => oid === COMMON_NAME);
  return attribute?.text ?? "";
}

/** A key pair that lives in this tab's memory and nowhere else. The request tells the public half, a bundle carries it away. */
export class DeviceKey {
  readonly #privateKey: PrivateKey;
  /** The uncompressed point: the octets of the key's BIT STRING. */
  readonly #point: Uint8Array;
  /** A PKCS#10 request in PEM. */
  readonly csr: string;

  private constructor(privateKey: PrivateKey, point: Uint8Array, csr: string) {
    this.#privateKey = privateKey;
    this.#point = point;
    this.csr = csr;
  }

  static async make(): Promise<DeviceKey> {
    const { subtle } = crypto;
    // Extractable, because the person's device is to have it: the bundle is the only way there.
    const { privateKey, publicKey } = await subtle.generateKey(CURVE, true, ["sign", "verify"]);
    const csr = await buildCsr({
      spki: new Uint8Array(await subtle.exportKey("spki", publicKey)),
      sign: async (data) =>
        new Uint8Array(await subtle.sign(SIGNATURE, privateKey, new Uint8Array(data))),
    });
    const point = new Uint8Array(await subtle.exportKey("raw", publicKey));
    return new DeviceKey(privateKey, point, pemEncode("CERTIFICATE REQUEST", csr));
  }

  /**
   * A bundle with a password of its own. Throws PkiError when the answer cannot be read, and RangeError when its certificate
   * is another key's: such a file would install, and never work.
   */
  async bundle({ certificate, chain }: Answer, style: Pkcs12Style): Promise<Bundle> {
    const { der, view } = read(certificate);
    if (!equal(view.keyOctets, this.#point)) throw new RangeError("a certificate of another key");
    const above = chain.map(read).filter((each) => !equal(each.view.subject, each.view.issuer));
    const password = newBundlePassword(webPkcs12Crypto.random);
    const name = commonName(view);
    const key = new Uint8Array(await crypto.subtle.exportKey("pkcs8", this.#privateKey));
    try {
      const file = await buildPkcs12(
        {
          key,
          certificate: der,
          chain: above.map((each) => each.der),
          friendlyName: name,
          localKeyId: webPkcs12Crypto.digest("sha1", this.#point),
          password,
          style,
        },
        webPkcs12Crypto,
      );
      return { file: new Uint8Array(file), password, name };
    } finally {
      key.fill(0);
    }
  }
}
