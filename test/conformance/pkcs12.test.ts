import { createPrivateKey } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import tls from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodePkcs12Crypto } from "../../src/ca/pkcs12-crypto.ts";
import { buildPkcs12, type Pkcs12Style } from "../../src/pki/pkcs12.ts";
import { webPkcs12Crypto } from "../../src/web/browser/pkcs12-crypto.ts";
import { OpensslCa, mustRun, run, type Party, type Ran } from "../support/openssl-ca.ts";

const PASSWORDS = { ascii: "ABCD-EFGH-2345", accent: "été-é", emoji: "desk 😀" } as const;
const FRIENDLY_NAME = "desk 1 2026-11";
const CASES = (["modern", "compatible"] as const).flatMap((style) =>
  Object.entries(PASSWORDS).map(([kind, password]) => ({ style, kind, password })),
);

let ca: OpensslCa;
let leaf: Party;
let nssDb: string;

beforeAll(() => {
  ca = new OpensslCa();
  leaf = ca.leaf("device");
  mkdirSync(ca.file("nss"));
  nssDb = `sql:${ca.file("nss")}`;
  mustRun("certutil", ["-N", "-d", nssDb, "--empty-password"]);
});

afterAll(() => {
  ca.dispose();
});

async function bundle(
  style: Pkcs12Style,
  password: string,
  crypto = nodePkcs12Crypto,
): Promise<string> {
  const key = createPrivateKey(readFileSync(leaf.key)).export({ type: "pkcs8", format: "der" });
  const der = await buildPkcs12(
    {
      key: new Uint8Array(key),
      certificate: leaf.der,
      chain: [ca.issuing.der],
      friendlyName: FRIENDLY_NAME,
      localKeyId: leaf.keyIdentifier,
      password,
      style,
    },
    crypto,
  );
  return ca.write("bundle.p12", der);
}

type Reader = (file: string, password: string) => Ran;

/** Each reader opens the file with the password and says what is in it. */
const READERS: Readonly<Record<string, Reader>> = {
  openssl: (file, password) =>
    run("openssl", ["pkcs12", "-in", file, "-info", "-nodes", "-passin", `pass:${password}`]),
  certtool: (file, password) =>
    run("certtool", ["--p12-info", "--inder", "--infile", file, "--password", password]),
  pk12util: (file, password) => run("pk12util", ["-l", file, "-W", password, "-d", nssDb]),
  keytool: (file, password) =>
    run("keytool", [
      "-J-Dfile.encoding=UTF-8",
      "-list",
      "-v",
      "-storetype",
      "PKCS12",
      "-keystore",
      file,
      "-storepass",
      password,
    ]),
};

function readerNamed(name: string): Reader {
  const reader = READERS[name];
  if (reader === undefined) throw new Error(`no reader ${name}`);
  return reader;
}

/** How each reader tells that the two certificates and the key are there. */
const SEEN: Readonly<Record<string, RegExp>> = {
  openssl:
    /friendlyName: desk 1 2026-11[\s\S]*subject=O = Suido test, CN = device[\s\S]*CN = issuing[\s\S]*BEGIN PRIVATE KEY/,
  certtool: /Friendly name: desk 1 2026-11[\s\S]*BEGIN CERTIFICATE[\s\S]*BEGIN CERTIFICATE/,
  pk12util:
    /Certificate\(has private key\):[\s\S]*Subject: "CN=device[\s\S]*Certificate:[\s\S]*Subject: "CN=issuing[\s\S]*Key\(shrouded\):\s+Friendly Name: desk 1 2026-11/,
  keytool:
    /Alias name: desk 1 2026-11[\s\S]*Entry type: PrivateKeyEntry\s+Certificate chain length: 2\s+Certificate\[1\]:\s+Owner: CN=device/,
};

/** Java refuses every password that is not ASCII, whoever made the file. Those that we make are ASCII. */
const casesOf = (reader: string): typeof CASES =>
  CASES.filter(({ kind }) => reader !== "keytool" || kind === "ascii");

describe.for(Object.keys(READERS))("P07 P10 %s", (reader) => {
  const open = readerNamed(reader);
  it.for(casesOf(reader))("opens $style with a password of $kind", async ({ password, style }) => {
    const { code, text } = open(await bundle(style, password), password);
    expect(text).toMatch(SEEN[reader] ?? /$^/);
    expect(code).toBe(0);
  });

  it.for(["modern", "compatible"] as const)("opens %s as a browser makes it", async (style) => {
    const { code, text } = open(
      await bundle(style, PASSWORDS.ascii, webPkcs12Crypto),
      PASSWORDS.ascii,
    );
    expect(text).toMatch(SEEN[reader] ?? /$^/);
    expect(code).toBe(0);
  });

  it.for(casesOf(reader))(
    "refuses $style with another password than $kind",
    async ({ password, style }) => {
      const { code, text } = open(await bundle(style, password), `${password}x`);
      expect(code).not.toBe(0);
      expect(text).not.toContain("BEGIN PRIVATE KEY");
    },
  );
});

describe.for(["modern", "compatible"] as const)("P02 P03 P05 %s", (style) => {
  const password = PASSWORDS.ascii;

  it("says of itself what docs/decisions.md promises", async () => {
    const { text } = readerNamed("openssl")(await bundle(style, password), password);
    const pbe = {
      modern: "PBES2, PBKDF2, AES-256-CBC, Iteration 100000, PRF hmacWithSHA256",
      compatible: "pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 10000",
    }[style];
    const mac = {
      modern: "MAC: sha256, Iteration 100000\nMAC length: 32, salt length: 16",
      compatible: "MAC: sha1, Iteration 10000\nMAC length: 20, salt length: 8",
    }[style];
    expect(text).toContain(mac);
    expect(text).toContain(`PKCS7 Encrypted data: ${pbe}`);
    expect(text).toContain(`Shrouded Keybag: ${pbe}`);
  });

  it("P05 the key and its certificate carry the same localKeyID, the chain none", async () => {
    const { text } = readerNamed("openssl")(await bundle(style, password), password);
    const ids = [...text.matchAll(/localKeyID: ([0-9A-F ]+)/g)].map(([, id]) =>
      id?.replaceAll(" ", "").toLowerCase(),
    );
    expect(ids).toEqual([
      Buffer.from(leaf.keyIdentifier).toString("hex"),
      Buffer.from(leaf.keyIdentifier).toString("hex"),
    ]);
    expect(text.match(/friendlyName:/g)).toHaveLength(2);
    expect(text.match(/Certificate bag/g)).toHaveLength(2);
  });

  it("P06 the key in it is the certificate's, and the root is not in it", async () => {
    const file = await bundle(style, password);
    const pass = ["-passin", `pass:${password}`];
    const certificate = mustRun("openssl", ["pkcs12", "-in", file, "-clcerts", "-nokeys", ...pass]);
    const key = mustRun("openssl", ["pkcs12", "-in", file, "-nocerts", "-nodes", ...pass]);
    const publicKey = mustRun("openssl", ["pkey", "-pubout"], key);
    expect(publicKey).toBe(mustRun("openssl", ["x509", "-noout", "-pubkey"], certificate));
    expect(mustRun("openssl", ["pkcs12", "-in", file, "-nokeys", ...pass])).not.toContain(
      "subject=O = Suido test, CN = root",
    );
  });

  it("P10 NSS imports it and can use the key", async () => {
    const file = await bundle(style, password);
    mustRun("pk12util", ["-i", file, "-W", password, "-K", "", "-d", nssDb]);
    expect(mustRun("certutil", ["-L", "-d", nssDb])).toMatch(/desk 1 2026-11\s+u,u,u/);
    mustRun("certutil", ["-F", "-d", nssDb, "-n", FRIENDLY_NAME]);
  });

  it("P10 Node takes it for TLS, and not with another password", async () => {
    const pfx = readFileSync(await bundle(style, password));
    expect(tls.createSecureContext({ pfx, passphrase: password }).context).toBeDefined();
    expect(() => tls.createSecureContext({ pfx, passphrase: "wrong" })).toThrow(
      "mac verify failure",
    );
  });
});
