import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { expect, it } from "vitest";
import { parseCsr, proofOfPossession } from "../../src/pki/csr.ts";
import { ecKey, verifySignature } from "../support/certificates.ts";
import { makeCsr } from "../support/csr.ts";
import { constructed, primitive } from "../support/der-edit.ts";

/** Requests that are signed whatever stands in them: of any string types, attributes and faults. */
const octets = fc.uint8Array({ maxLength: 12 });
const value = fc
  .tuple(fc.constantFrom(0x01, 0x02, 0x03, 0x05, 0x06, 0x0c, 0x13, 0x14, 0x16, 0x1e), octets)
  .map(([tag, content]) => primitive(tag, content));
const type = fc.constantFrom(
  "550403",
  "55040a",
  "2a864886f70d01090e",
  "2b0601040182370d0203",
  "80",
  "2a",
);
const oidNode = type.map((text) => primitive(0x06, Buffer.from(text, "hex")));
const subject = fc
  .array(
    fc
      .tuple(oidNode, value)
      .map(([name, text]) => constructed(0x31, constructed(0x30, name, text))),
    { maxLength: 3 },
  )
  .map((rdns) => constructed(0x30, ...rdns));
const attributes = fc.array(
  fc
    .tuple(oidNode, fc.array(value, { maxLength: 2 }))
    .map(([name, values]) => constructed(0x30, name, constructed(0x31, ...values))),
  { maxLength: 3 },
);
const version = fc
  .constantFrom(0, 0, 0, 0, 1)
  .map((number) => primitive(0x02, Uint8Array.of(number)));

const key = ecKey();

function isAccepted(der: Uint8Array): boolean {
  try {
    proofOfPossession(parseCsr(der), verifySignature);
    return true;
  } catch {
    return false;
  }
}

function opensslAccepts(der: Uint8Array): boolean {
  const { status, stderr } = spawnSync("openssl", ["req", "-inform", "DER", "-verify", "-noout"], {
    input: der,
    encoding: "utf8",
  });
  return status === 0 && /verify OK/.test(stderr);
}

it("C24 what we take for a proven request, OpenSSL takes too", () => {
  let taken = 0;
  fc.assert(
    fc.property(version, subject, attributes, (number, name, list) => {
      const der = makeCsr(key, { version: number, subject: name, attributes: list });
      const accepted = isAccepted(der);
      taken += Number(accepted);
      expect(!accepted || opensslAccepts(der)).toBe(true);
    }),
    { numRuns: 600 },
  );
  expect(taken).toBeGreaterThan(20);
});

it("C24 a request of which one octet was changed is refused, or OpenSSL takes it too", () => {
  const source = makeCsr(key);
  const accepted = Array.from(source, (octet, index) => {
    const copy = Uint8Array.from(source);
    copy[index] = octet ^ 0x41;
    return copy;
  }).filter(isAccepted);
  expect(accepted.filter((der) => !opensslAccepts(der))).toEqual([]);
  expect(isAccepted(source)).toBe(true);
});
