import { describe, expect, it } from "vitest";

import { nodePkcs12Crypto } from "../../../../src/ca/pkcs12-crypto.ts";
import { fromHex, toHex } from "../../../../src/pki/bytes.ts";
import { buildPkcs12, type Pkcs12Input, type Pkcs12Crypto } from "../../../../src/pki/pkcs12.ts";
import { webPkcs12Crypto } from "../../../../src/web/browser/pkcs12-crypto.ts";

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("the primitives of a page", () => {
  it.for([
    // FIPS 180-2 appendices A.1 and B.1.
    ["sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"],
    ["sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  ] as const)("%s of abc", ([name, hex]) => {
    expect(toHex(webPkcs12Crypto.digest(name, ascii("abc")))).toBe(hex);
  });

  it("knows no digest that no bundle has", () => {
    expect(() => webPkcs12Crypto.digest("sha512", ascii("abc"))).toThrow(RangeError);
  });

  it.for([
    // RFC 2202 §3 and RFC 4231 §4.3, both test case 2.
    ["sha1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"],
    ["sha256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"],
  ] as const)("HMAC with %s", async ([name, hex]) => {
    const code = await webPkcs12Crypto.hmac(
      name,
      ascii("Jefe"),
      ascii("what do ya want for nothing?"),
    );
    expect(toHex(code)).toBe(hex);
  });

  it("PBKDF2 with HMAC-SHA-256 (RFC 7914 §11)", async () => {
    const parameters = { salt: ascii("NaCl"), iterations: 80_000, octets: 64 };
    expect(toHex(await webPkcs12Crypto.pbkdf2Sha256(ascii("Password"), parameters))).toBe(
      "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56a1d425a1225833549adb841b51c9b3176a272bdebba1d078478f62b397f33c8d",
    );
  });

  it("AES-256 in CBC (NIST SP 800-38A §F.2.5)", async () => {
    const encrypted = await webPkcs12Crypto.aes256Cbc(
      fromHex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"),
      fromHex("000102030405060708090a0b0c0d0e0f"),
      fromHex("6bc1bee22e409f96e93d7e117393172a"),
    );
    // The second block is padding only.
    expect(encrypted).toHaveLength(32);
    expect(toHex(encrypted.subarray(0, 16))).toBe("f58c4c04d6e5f1ba779eabfb5f7bfbd6");
  });

  it("3DES, the first block without a vector (NIST SP 800-67 §B.1)", async () => {
    const encrypted = await webPkcs12Crypto.des3Cbc(
      fromHex("0123456789abcdef23456789abcdef01456789abcdef0123"),
      new Uint8Array(8),
      ascii("The qufck brown fox jump"),
    );
    expect(encrypted).toHaveLength(32);
    expect(toHex(encrypted.subarray(0, 8))).toBe("a826fd8ce53b855f");
  });

  const LENGTHS = Array.from({ length: 34 }, (_, length) => length);
  it.for(["aes256Cbc", "des3Cbc"] as const)("pads %s as node:crypto does", async (name) => {
    const [keyOctets, ivOctets] = { aes256Cbc: [32, 16], des3Cbc: [24, 8] }[name];
    const parts = (length: number): [Uint8Array, Uint8Array, Uint8Array] => [
      webPkcs12Crypto.random(keyOctets ?? 0),
      webPkcs12Crypto.random(ivOctets ?? 0),
      webPkcs12Crypto.random(length),
    ];
    for (const length of LENGTHS) {
      const input = parts(length);
      const [web, node] = await Promise.all([
        webPkcs12Crypto[name](...input),
        nodePkcs12Crypto[name](...input),
      ]);
      expect([length, toHex(web)]).toEqual([length, toHex(node)]);
    }
  });
});

/** These primitives, but for the numbers, which are 1, 2, 3 … */
function counted(crypto: Pkcs12Crypto): Pkcs12Crypto {
  let drawn = 0;
  return { ...crypto, random: (octets) => new Uint8Array(octets).fill(++drawn) };
}

it.for(["modern", "compatible"] as const)(
  "a page and the server make the very same %s bundle from the same numbers",
  async (style) => {
    const input: Pkcs12Input = {
      key: webPkcs12Crypto.random(138),
      certificate: webPkcs12Crypto.random(700),
      chain: [webPkcs12Crypto.random(600)],
      friendlyName: "受付1号機 2027-12",
      localKeyId: webPkcs12Crypto.random(20),
      password: "ABCD-EFGH-JKLM-NPQR-STUV",
      style,
    };
    const web = await buildPkcs12(input, counted(webPkcs12Crypto));
    expect(toHex(web)).toBe(toHex(await buildPkcs12(input, counted(nodePkcs12Crypto))));
  },
);
