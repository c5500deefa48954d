import { describe, expect, it } from "vitest";
import { concat, fromHex, utf8Bytes } from "../../../src/pki/bytes.ts";
import { readPlainEntry } from "../../../src/pki/crl-plain-entry.ts";
import { integer, sequence, TAG } from "../../../src/pki/der.ts";

const utc = (text: string): Uint8Array =>
  concat([Uint8Array.of(TAG.utcTime, text.length), utf8Bytes(text)]);

const REASON = "300c300a0603551d1504030a01";
const AT = utc("261101123456Z");

function read(bytes: Uint8Array, limit = bytes.length): object | undefined {
  const entry = { at: 0, octets: 0, revokedAt: 0, reason: 0, end: 0 };
  return readPlainEntry(bytes, { at: 0, limit }, entry) ? entry : undefined;
}

describe("readPlainEntry reads", () => {
  const revokedAt = Date.UTC(2026, 10, 1, 12, 34, 56);

  it.for([
    ["no reason", sequence(integer(0x11), AT), { at: 4, octets: 1, revokedAt, reason: 0, end: 20 }],
    [
      "a serial number with a sign octet",
      sequence(fromHex("02020080"), AT),
      { at: 5, octets: 1, revokedAt, reason: 0, end: 21 },
    ],
    [
      "a reason",
      sequence(integer(0x11), AT, fromHex(`${REASON}04`)),
      { at: 4, octets: 1, revokedAt, reason: 4, end: 34 },
    ],
    [
      "29 February",
      sequence(integer(0x11), utc("280229000000Z")),
      { at: 4, octets: 1, revokedAt: Date.UTC(2028, 1, 29), reason: 0, end: 20 },
    ],
  ] as const)("%s", ([, bytes, entry]) => {
    expect(read(bytes)).toEqual(entry);
  });
});

/** The other reader reads these, or says what is wrong with them. */
describe("readPlainEntry leaves to the other reader", () => {
  it.for([
    ["29 February of a year without one", sequence(integer(1), utc("260229000000Z"))],
    ["month 13", sequence(integer(1), utc("261301000000Z"))],
    ["24 o'clock", sequence(integer(1), utc("260228240000Z"))],
    ["a letter in the date", sequence(integer(1), utc("2602280000x0Z"))],
    ["a date of the last century", sequence(integer(1), utc("990228000000Z"))],
    ["a date with an offset", sequence(integer(1), utc("2602280000+09"))],
    ["serial number 0", sequence(integer(0), AT)],
    ["a negative serial number", sequence(fromHex("0201ff"), AT)],
    ["a serial number with an octet too many", sequence(fromHex("02020011"), AT)],
    ["a serial number of 21 octets", sequence(fromHex(`0215${"11".repeat(21)}`), AT)],
    ["removeFromCRL", sequence(integer(1), AT, fromHex(`${REASON}08`))],
    [
      "a reason that is critical",
      sequence(integer(1), AT, fromHex("300f300d0603551d150101ff04030a0101")),
    ],
    ["more behind the reason", sequence(integer(1), AT, fromHex(`${REASON}040500`))],
    ["another tag", concat([Uint8Array.of(0x31), sequence(integer(1), AT).subarray(1)])],
    ["nothing", new Uint8Array()],
  ] as const)("%s", ([, bytes]) => {
    expect(read(bytes)).toBeUndefined();
  });

  it("what reaches beyond the list", () => {
    const bytes = sequence(integer(1), AT);
    expect(read(bytes, bytes.length - 1)).toBeUndefined();
  });
});
