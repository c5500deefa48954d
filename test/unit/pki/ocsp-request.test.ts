import { hash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../../src/pki/bytes.ts";
import type { Digest } from "../../../src/pki/crypto.ts";
import {
  boolean,
  context,
  integer,
  nullValue,
  octetString,
  oid,
  sequence,
  utf8String,
} from "../../../src/pki/der.ts";
import { MalformedOcspRequestError } from "../../../src/pki/errors.ts";
import { buildOcspRequest } from "../../../src/pki/ocsp-client.ts";
import { decodeOcspPath, issuerHashes, parseOcspRequest } from "../../../src/pki/ocsp-request.ts";
import { parseSerial } from "../../../src/pki/serial.ts";
import { errorCode } from "../../support/error-code.ts";

const digest: Digest = (name, bytes) => new Uint8Array(hash(name, bytes, "buffer"));

const SHA1 = sequence(oid("1.3.14.3.2.26"), nullValue());
const certId = (serial: number, algorithm = SHA1): Uint8Array =>
  sequence(
    algorithm,
    octetString(new Uint8Array(20).fill(1)),
    octetString(new Uint8Array(20).fill(2)),
    integer(serial),
  );
const list = (...certIds: readonly Uint8Array[]): Uint8Array =>
  sequence(...certIds.map((id) => sequence(id)));
const request = (...members: readonly Uint8Array[]): Uint8Array => sequence(sequence(...members));
const extension = (id: string, value: Uint8Array, ...critical: readonly Uint8Array[]): Uint8Array =>
  sequence(oid(id), ...critical, octetString(value));
const NONCE = "1.3.6.1.5.5.7.48.1.2";
const nonce = (octets: number): Uint8Array =>
  extension(NONCE, octetString(new Uint8Array(octets).fill(7)));
const extensions = (...members: readonly Uint8Array[]): Uint8Array =>
  context(2, sequence(...members));
const ONE = list(certId(5));
const signature = context(0, sequence(sequence(oid("1.2.3")), fromHex("03020001")));

describe("parseOcspRequest accepts", () => {
  it("O08 each CertID as it was sent", () => {
    const ids = [certId(5), certId(0x80, sequence(oid("2.16.840.1.101.3.4.2.1")))];
    const parsed = parseOcspRequest(request(list(...ids)));
    expect(parsed.nonce).toBeUndefined();
    expect(parsed.certIds).toEqual([
      {
        raw: ids[0],
        hashAlgorithm: "sha1",
        issuerNameHash: new Uint8Array(20).fill(1),
        issuerKeyHash: new Uint8Array(20).fill(2),
        serial: new Uint8Array([5]),
      },
      expect.objectContaining({
        raw: ids[1],
        hashAlgorithm: "sha256",
        serial: new Uint8Array([0, 0x80]),
      }),
    ]);
  });

  it.for([
    { name: "SHA-384", id: "2.16.840.1.101.3.4.2.2", known: "sha384" },
    { name: "SHA-512", id: "2.16.840.1.101.3.4.2.3", known: "sha512" },
    { name: "a hash that we do not know", id: "1.2.840.113549.2.5", known: undefined },
  ])("O08 $name", ({ id, known }) => {
    const [parsed] = parseOcspRequest(request(list(certId(1, sequence(oid(id)))))).certIds;
    expect(parsed?.hashAlgorithm).toBe(known);
  });

  it.for([1, 16, 32, 128])("O15 a nonce of %d octets", (octets) => {
    const raw = nonce(octets);
    expect(parseOcspRequest(request(ONE, extensions(raw))).nonce).toEqual({
      value: new Uint8Array(octets).fill(7),
      extensionRaw: raw,
    });
  });

  it.for([
    {
      name: "O10 16 certificates",
      der: request(list(...Array.from({ length: 16 }, () => certId(1)))),
    },
    {
      name: "O15 a critical nonce",
      der: request(
        ONE,
        extensions(extension(NONCE, octetString(new Uint8Array(16)), boolean(true))),
      ),
    },
    {
      name: "O16 an unknown extension",
      der: request(ONE, extensions(extension("1.2.3", new Uint8Array()))),
    },
    {
      name: "O16 an unknown extension of one certificate",
      der: request(
        sequence(sequence(certId(1), context(0, sequence(extension("1.2.3", new Uint8Array()))))),
      ),
    },
    { name: "O16 a requestorName", der: request(context(1, context(4, sequence())), ONE) },
    { name: "O16 an optionalSignature", der: sequence(sequence(ONE), signature) },
    { name: "version 1 written out", der: request(context(0, integer(0)), ONE) },
  ])("$name", ({ der }) => {
    expect(parseOcspRequest(der).certIds.length).toBeGreaterThan(0);
  });
});

describe("parseOcspRequest refuses", () => {
  it.for([
    { name: "O04 nothing", der: new Uint8Array() },
    { name: "O04 bytes after the end", der: new Uint8Array([...request(ONE), 0]) },
    { name: "O04 a request cut short", der: request(ONE).slice(0, -1) },
    { name: "O04 an indefinite length", der: fromHex("30800000") },
    { name: "O10 no certificate", der: request(sequence()) },
    {
      name: "O10 17 certificates",
      der: request(list(...Array.from({ length: 17 }, () => certId(1)))),
    },
    { name: "O15 an empty nonce", der: request(ONE, extensions(nonce(0))) },
    { name: "O15 a nonce of 129 octets", der: request(ONE, extensions(nonce(129))) },
    {
      name: "O15 a nonce that is no OCTET STRING",
      der: request(ONE, extensions(extension(NONCE, utf8String("no")))),
    },
    { name: "O15 two nonces", der: request(ONE, extensions(nonce(16), nonce(16))) },
    {
      name: "O16 an unknown critical extension",
      der: request(ONE, extensions(extension("1.2.3", new Uint8Array(), boolean(true)))),
    },
    {
      name: "O16 one of a single certificate",
      der: request(
        sequence(
          sequence(
            certId(1),
            context(0, sequence(extension("1.2.3", new Uint8Array(), boolean(true)))),
          ),
        ),
      ),
    },
    {
      name: "an explicit FALSE",
      der: request(ONE, extensions(extension("1.2.3", new Uint8Array(), boolean(false)))),
    },
    { name: "an empty list of extensions", der: request(ONE, extensions()) },
    { name: "version 2", der: request(context(0, integer(1)), ONE) },
    {
      name: "a hash with other parameters",
      der: request(list(certId(1, sequence(oid("1.2.3"), integer(1))))),
    },
    {
      name: "a NULL with content",
      der: request(list(certId(1, sequence(oid("1.2.3"), fromHex("050100"))))),
    },
    {
      name: "a serial that is not minimal",
      der: request(list(sequence(SHA1, octetString(), octetString(), fromHex("02020001")))),
    },
    {
      name: "a fifth member of a CertID",
      der: request(list(sequence(SHA1, octetString(), octetString(), integer(1), nullValue()))),
    },
  ])("$name", ({ der }) => {
    expect(() => parseOcspRequest(der)).toThrow(
      expect.objectContaining({ code: "malformed-ocsp-request" }),
    );
  });

  it("arbitrary and mutated bytes with MalformedOcspRequestError or not at all", () => {
    const der = sequence(
      sequence(
        context(1, context(4, sequence())),
        list(certId(1), certId(2)),
        extensions(nonce(16)),
      ),
      signature,
    );
    const mutated = fc
      .array(fc.tuple(fc.nat(der.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      .map((edits) => {
        const bytes = der.slice();
        for (const [at, octet] of edits) bytes[at] = octet;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 80 })), (bytes) => {
        const code = errorCode(() => parseOcspRequest(bytes));
        expect([undefined, "malformed-ocsp-request"]).toContain(code);
      }),
      { numRuns: 3000 },
    );
  });
});

describe("decodeOcspPath", () => {
  const bytes = fromHex("30fbefffbe00");
  const text = Buffer.from(bytes).toString("base64");

  it.for([
    { name: "base64", path: text },
    { name: "slashes in front", path: `//${text}` },
    { name: "missing padding", path: "MA" },
    { name: "padding", path: "MA==" },
  ])("O02 takes $name", ({ path }) => {
    expect(toHex(decodeOcspPath(path))).toBe(
      Buffer.from(path.replace(/^\/+/, ""), "base64").toString("hex"),
    );
  });

  it.for(["", "/", "M", "MA=", "M A=", "MA==\n", "MA-_", "MA==MA==", "%4d", "ü"])(
    "O04 refuses %j",
    (path) => {
      expect(() => decodeOcspPath(path)).toThrow(MalformedOcspRequestError);
    },
  );

  it("decodes what it is given as Buffer does, or refuses", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1 }), (content) => {
        // A request's first octet is 0x30: its base64 never begins with a slash.
        const der = new Uint8Array([0x30, ...content]);
        expect(toHex(decodeOcspPath(Buffer.from(der).toString("base64")))).toBe(toHex(der));
      }),
    );
  });
});

describe("buildOcspRequest", () => {
  const issuerSpki = sequence(sequence(oid("1.2.840.10045.2.1")), fromHex("030400010203"));
  const question = {
    issuerName: sequence(),
    issuerSpki,
    serial: parseSerial("80ff"),
    digestName: "sha256",
  } as const;

  it("O09 hashes the issuer's Name and the octets of its key", () => {
    const [certIdSeen] = parseOcspRequest(buildOcspRequest(question, digest)).certIds;
    expect(certIdSeen).toMatchObject({
      hashAlgorithm: "sha256",
      issuerNameHash: digest("sha256", fromHex("3000")),
      issuerKeyHash: digest("sha256", fromHex("010203")),
      serial: fromHex("0080ff"),
    });
    const issuer = { name: fromHex("3000"), keyOctets: fromHex("010203") };
    expect(certIdSeen).toMatchObject(issuerHashes(issuer, "sha256", digest));
  });

  it("O15 sends the nonce that it is given", () => {
    const value = new Uint8Array(32).fill(9);
    const parsed = parseOcspRequest(buildOcspRequest({ ...question, nonce: value }, digest));
    expect(parsed.nonce?.value).toEqual(value);
  });
});
