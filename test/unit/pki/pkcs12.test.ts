import { createDecipheriv, createHmac, hash, pbkdf2Sync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { nodePkcs12Crypto } from "../../../src/ca/pkcs12-crypto.ts";
import { fromHex, toHex } from "../../../src/pki/bytes.ts";
import { newBundlePassword } from "../../../src/pki/bundle-password.ts";
import {
  Cursor,
  contentOf,
  oidText,
  readOnly,
  readTlv,
  whole,
} from "../../../src/pki/der-reader.ts";
import { octetString, sequence, utf8String } from "../../../src/pki/der.ts";
import { PURPOSE, bmpPassword, pkcs12Kdf } from "../../../src/pki/pkcs12-kdf.ts";
import { buildPkcs12, type Pkcs12Input, type Pkcs12Style } from "../../../src/pki/pkcs12.ts";

describe("pkcs12Kdf", () => {
  // The vectors that Bouncy Castle and Botan test with (password "smeg" and "queeg").
  it.for([
    {
      name: "a 3DES key",
      password: "smeg",
      salt: "0a58cf64530d823f",
      iterations: 1,
      purpose: PURPOSE.encryptionKey,
      octets: 24,
      key: "8aaae6297b6cb04642ab5b077851284eb7128f1a2a7fbca3",
    },
    {
      name: "a vector",
      password: "smeg",
      salt: "0a58cf64530d823f",
      iterations: 1,
      purpose: PURPOSE.initialVector,
      octets: 8,
      key: "79993dfe048d3b76",
    },
    {
      name: "a MAC key",
      password: "smeg",
      salt: "3d83c0e4546ac140",
      iterations: 1,
      purpose: PURPOSE.macKey,
      octets: 20,
      key: "8d967d88f6caa9d714800ab3d48051d63f73a312",
    },
    {
      name: "many iterations",
      password: "queeg",
      salt: "05dec959acff72f7",
      iterations: 1000,
      purpose: PURPOSE.encryptionKey,
      octets: 24,
      key: "ed2034e36328830ff09df1e1a07dd357185dac0d4f9eb3d4",
    },
  ])("makes $name", ({ iterations, key, octets, password, purpose, salt }) => {
    const derived = pkcs12Kdf(
      {
        digestName: "sha1",
        password: bmpPassword(password),
        salt: fromHex(salt),
        iterations,
        purpose,
        octets,
      },
      nodePkcs12Crypto.digest,
    );
    expect(toHex(derived)).toBe(key);
  });

  it.for([
    ["", "0000"],
    ["Beavis", "0042006500610076006900730000"],
    ["é", "00e90000"],
    ["😀", "d83dde000000"],
  ] as const)("P07 spells the password %j as %s", ([password, hex]) => {
    expect(toHex(bmpPassword(password))).toBe(hex);
  });
});

function input(style: Pkcs12Style): Pkcs12Input {
  return {
    key: sequence(utf8String("key")),
    certificate: sequence(utf8String("leaf")),
    chain: [sequence(utf8String("issuing"))],
    friendlyName: "受付1",
    localKeyId: fromHex("0102030405"),
    password: "ABCD-é",
    style,
  };
}

/** The members of a constructed value. */
function members(der: Uint8Array): Uint8Array[] {
  const cursor = new Cursor(readOnly(der));
  const found: Uint8Array[] = [];
  while (!cursor.done) found.push(whole(cursor.next()));
  return found;
}

/** Goes down by member numbers. */
function at(der: Uint8Array, ...path: readonly number[]): Uint8Array {
  return path.reduce((value, index) => members(value)[index] ?? new Uint8Array(), der);
}

const content = (der: Uint8Array): Uint8Array => contentOf(readTlv(der, 0));
const oidOf = (der: Uint8Array): string => oidText(readTlv(der, 0));

describe("buildPkcs12, taken apart by hand", async () => {
  const modern = await buildPkcs12(input("modern"), nodePkcs12Crypto);
  const safe = content(at(modern, 1, 1, 0));
  const encryptedContent = at(safe, 0, 1, 0, 1);

  it("P01 is version 3, with an EncryptedData, a data and a MAC", () => {
    expect(toHex(at(modern, 0))).toBe("020103");
    expect(oidOf(at(modern, 1, 0))).toBe("1.2.840.113549.1.7.1");
    expect(oidOf(at(safe, 0, 0))).toBe("1.2.840.113549.1.7.6");
    expect(oidOf(at(safe, 1, 0))).toBe("1.2.840.113549.1.7.1");
    expect(members(modern)).toHaveLength(3);
  });

  it("P02 modern: HMAC-SHA-256 by the PKCS#12 derivation, 16 octets of salt, 100,000 iterations", () => {
    const salt = content(at(modern, 2, 1));
    expect(salt).toHaveLength(16);
    expect(toHex(at(modern, 2, 2))).toBe("02030186a0");
    const key = pkcs12Kdf(
      {
        digestName: "sha256",
        password: bmpPassword("ABCD-é"),
        salt,
        iterations: 100_000,
        purpose: PURPOSE.macKey,
        octets: 32,
      },
      nodePkcs12Crypto.digest,
    );
    expect(toHex(content(at(modern, 2, 0, 1)))).toBe(
      createHmac("sha256", key).update(safe).digest("hex"),
    );
  });

  it("P02 modern: PBES2 with PBKDF2 hmacWithSHA256 and AES-256-CBC, the password as UTF-8", () => {
    const algorithm = at(encryptedContent, 1);
    expect(oidOf(at(algorithm, 0))).toBe("1.2.840.113549.1.5.13");
    const parameters = at(algorithm, 1, 0, 1);
    const salt = content(at(parameters, 0));
    expect(salt).toHaveLength(16);
    expect(toHex(at(parameters, 1))).toBe("02030186a0");
    expect(oidOf(at(parameters, 2, 0))).toBe("1.2.840.113549.2.9");
    expect(oidOf(at(algorithm, 1, 1, 0))).toBe("2.16.840.1.101.3.4.1.42");
    const key = pbkdf2Sync("ABCD-é", salt, 100_000, 32, "sha256");
    const decipher = createDecipheriv("aes-256-cbc", key, content(at(algorithm, 1, 1, 1)));
    const bags = Buffer.concat([
      decipher.update(content(at(encryptedContent, 2))),
      decipher.final(),
    ]);
    expect(members(bags)).toHaveLength(2);
    // P05 the person's own certificate has the attributes, the chain has none.
    expect(toHex(content(at(bags, 0, 1, 0, 1, 0)))).toBe(toHex(input("modern").certificate));
    expect(toHex(at(bags, 0, 2))).toBe(toHex(at(content(at(safe, 1, 1, 0)), 0, 2)));
    expect(members(at(bags, 1))).toHaveLength(2);
  });

  it("P05 the key carries friendlyName and localKeyId", () => {
    const attributes = toHex(at(content(at(safe, 1, 1, 0)), 0, 2));
    expect(attributes).toContain("1e0653d74ed80031");
    expect(attributes).toContain(toHex(octetString(input("modern").localKeyId)));
  });

  it("P03 compatible: 3DES for both bags, SHA-1 for the MAC, 8 octets of salt, 10,000 iterations", async () => {
    const compatible = await buildPkcs12(input("compatible"), nodePkcs12Crypto);
    const inner = content(at(compatible, 1, 1, 0));
    const pbe = "1.2.840.113549.1.12.1.3";
    const [certificates, key] = [
      at(inner, 0, 1, 0, 1, 1),
      at(content(at(inner, 1, 1, 0)), 0, 1, 0, 0),
    ];
    expect([certificates, key].map((algorithm) => oidOf(at(algorithm, 0)))).toEqual([pbe, pbe]);
    expect(toHex(at(key, 1, 1))).toBe("02022710");
    expect(content(at(key, 1, 0))).toHaveLength(8);
    expect(oidOf(at(compatible, 2, 0, 0, 0))).toBe("1.3.14.3.2.26");
    expect(content(at(compatible, 2, 1))).toHaveLength(8);
    expect(toHex(at(compatible, 2, 2))).toBe("02022710");
  });

  it("draws every salt and vector anew", async () => {
    const drawn: number[] = [];
    const random = (octets: number): Uint8Array => {
      drawn.push(octets);
      return nodePkcs12Crypto.random(octets);
    };
    await buildPkcs12(input("modern"), { ...nodePkcs12Crypto, random });
    expect(drawn).toEqual([16, 16, 16, 16, 16]);
  });
});

describe("newBundlePassword", () => {
  it("is 20 unambiguous characters in groups of four", () => {
    const password = newBundlePassword((octets) =>
      hash("sha512", "seed", "buffer").subarray(0, octets),
    );
    expect(password).toMatch(/^(?:[A-HJ-NP-Z2-9]{4}-){4}[A-HJ-NP-Z2-9]{4}$/);
  });

  it("uses each of 32 characters for eight octets", () => {
    const counts = new Map<string, number>();
    for (let octet = 0; octet < 256; octet++) {
      const character = newBundlePassword((octets) => new Uint8Array(octets).fill(octet)).charAt(0);
      counts.set(character, (counts.get(character) ?? 0) + 1);
    }
    expect(counts.size).toBe(32);
    expect([...counts.values()].every((count) => count === 8)).toBe(true);
  });
});
