import { spawnSync } from "node:child_process";
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  sign,
  verify,
  X509Certificate,
} from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Digest, Verify } from "../../src/pki/crypto.ts";
import { Cursor, bitStringOctets, readOnly, whole } from "../../src/pki/der-reader.ts";
import { oid, sequence } from "../../src/pki/der.ts";

export interface Ran {
  readonly code: number | null;
  /** Standard output and standard error, one after the other. */
  readonly text: string;
}

/** Runs an outside judge and says what it said. A judge that is not installed is an error. */
export function run(tool: string, args: readonly string[], input = ""): Ran {
  const { error, status, stderr, stdout } = spawnSync(tool, args, {
    input,
    encoding: "utf8",
    timeout: 60_000,
    env: { ...process.env, LC_ALL: "C.UTF-8" },
  });
  if (error !== undefined) throw error;
  return { code: status, text: `${stdout}${stderr}` };
}

/** The same, for what has to work. */
export function mustRun(tool: string, args: readonly string[], input = ""): string {
  const { code, text } = run(tool, args, input);
  if (code !== 0) throw new Error(`${tool} ${args.join(" ")}: ${text}`);
  return text;
}

/** AlgorithmIdentifier of ecdsa-with-SHA256 (RFC 5758 §3.2). */
export const ECDSA_SHA256 = sequence(oid("1.2.840.10045.4.3.2"));

export const nodeDigest: Digest = (name, bytes) =>
  new Uint8Array(createHash(name).update(bytes).digest());

/** Verifies what the small CA signs. */
export const nodeVerify: Verify = (...[spki, algorithm, data, signature]) => {
  if (algorithm !== "ecdsa-with-SHA256") return false;
  const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  return verify("sha256", data, key, signature);
};

/** A certificate made by OpenSSL, with all that our builders and readers want to know of it. */
export interface Party {
  readonly pem: string;
  readonly key: string;
  readonly der: Uint8Array;
  readonly subject: Uint8Array;
  readonly spki: Uint8Array;
  readonly keyOctets: Uint8Array;
  /** SHA-1 of the key: key identifier and responder's key hash alike. */
  readonly keyIdentifier: Uint8Array;
  readonly serial: string;
  sign(tbs: Uint8Array): Uint8Array;
}

function subjectOf(certificate: Uint8Array): Uint8Array {
  const tbs = new Cursor(new Cursor(readOnly(certificate)).next());
  for (let skipped = 0; skipped < 5; skipped++) tbs.next();
  return whole(tbs.next());
}

function load(pem: string, key: string): Party {
  const certificate = new X509Certificate(readFileSync(pem));
  const der = new Uint8Array(certificate.raw);
  const spki = new Uint8Array(certificate.publicKey.export({ type: "spki", format: "der" }));
  const parts = new Cursor(readOnly(spki));
  parts.next();
  const keyOctets = bitStringOctets(parts.next());
  const signer = createPrivateKey(readFileSync(key));
  return {
    pem,
    key,
    der,
    subject: subjectOf(der),
    spki,
    keyOctets,
    keyIdentifier: nodeDigest("sha1", keyOctets),
    serial: certificate.serialNumber.toLowerCase(),
    sign: (tbs) => new Uint8Array(sign("sha256", tbs, signer)),
  };
}

/** A CA in a temporary folder, made by the openssl program so that it depends on nothing of ours. */
export class OpensslCa {
  readonly folder = mkdtempSync(path.join(tmpdir(), "suido-ca-"));
  readonly root: Party;
  readonly issuing: Party;
  #lastSerial = 0;

  constructor() {
    this.root = this.#make(
      "root",
      "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n",
    );
    this.issuing = this.#make(
      "issuing",
      "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\nauthorityKeyIdentifier=keyid\n",
      this.root,
    );
  }

  /** A path in the CA's folder. */
  file(name: string): string {
    return path.join(this.folder, name);
  }

  /** Writes a file into the CA's folder and returns its path. */
  write(name: string, content: Uint8Array | string): string {
    const file = this.file(name);
    writeFileSync(file, content);
    return file;
  }

  /** A client certificate, with more lines of extensions if need be. */
  leaf(name: string, extensions = ""): Party {
    const all = `keyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\nauthorityKeyIdentifier=keyid\n${extensions}`;
    return this.#make(name, all, this.issuing);
  }

  /** An OCSP delegate of the issuing CA. */
  delegate(name = "delegate"): Party {
    const extensions =
      "keyUsage=critical,digitalSignature\nextendedKeyUsage=OCSPSigning\nnoCheck=ignored\nauthorityKeyIdentifier=keyid\n";
    return this.#make(name, extensions, this.issuing);
  }

  dispose(): void {
    rmSync(this.folder, { recursive: true });
  }

  #make(name: string, extensions: string, issuer?: Party): Party {
    const key = this.file(`${name}.key`);
    const pem = this.file(`${name}.pem`);
    const request = this.file(`${name}.csr`);
    mustRun("openssl", [
      "genpkey",
      "-algorithm",
      "EC",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-out",
      key,
    ]);
    mustRun("openssl", [
      "req",
      "-new",
      "-key",
      key,
      "-subj",
      `/O=Suido test/CN=${name}`,
      "-out",
      request,
    ]);
    const file = this.write(`${name}.ext`, `subjectKeyIdentifier=hash\n${extensions}`);
    const serial = `0x40${(++this.#lastSerial).toString(16).padStart(30, "0")}`;
    const by = issuer === undefined ? ["-key", key] : ["-CA", issuer.pem, "-CAkey", issuer.key];
    mustRun("openssl", [
      "x509",
      "-req",
      "-in",
      request,
      ...by,
      "-days",
      "30",
      "-sha256",
      "-extfile",
      file,
      "-set_serial",
      serial,
      "-out",
      pem,
    ]);
    return load(pem, key);
  }
}
