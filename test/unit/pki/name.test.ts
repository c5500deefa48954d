import fc from "fast-check";
import { expect, it } from "vitest";
import {
  type AttributeType,
  commonNameOf,
  encodeName,
  nameText,
  readName,
} from "../../../src/pki/name.ts";
import { constructed, decode, encode, primitive } from "../../support/der-edit.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

it.for([
  ["CN", "Ab", "300d310b300906035504030c024162"],
  ["C", "JP", "300d310b3009060355040613024a50"],
  ["serialNumber", "1", "300c310a30080603550405130131"],
  ["DC", "jp", "301431123010060a0992268993f22c64011916026a70"],
  ["emailAddress", "a@b", "30143112301006092a864886f70d0109011603614062"],
] as const)("encodes %s=%s", ([type, value, expected]) => {
  expect(hex(encodeName([{ type, value }]))).toBe(expected);
});

it("encodes the empty name", () => {
  expect(hex(encodeName([]))).toBe("3000");
});

const BOUNDS: readonly (readonly [AttributeType, number])[] = [
  ["CN", 64],
  ["O", 64],
  ["OU", 64],
  ["L", 128],
  ["ST", 128],
  ["title", 64],
  ["serialNumber", 64],
  ["pseudonym", 128],
  ["SN", 32768],
  ["GN", 32768],
  ["emailAddress", 255],
];

it.for(BOUNDS)("takes %s with %d characters and no more", ([type, most]) => {
  expect(readName(encodeName([{ type, value: "a".repeat(most) }]))).toHaveLength(1);
  expect(() => encodeName([{ type, value: "a".repeat(most + 1) }])).toThrow(
    expect.objectContaining({ code: "invalid-name" }),
  );
});

it("counts characters, not octets: 64 of four octets each fit, 65 do not", () => {
  expect(commonNameOf(encodeName([{ type: "CN", value: "𠮷".repeat(64) }]))).toBe("𠮷".repeat(64));
  expect(() => encodeName([{ type: "CN", value: "𠮷".repeat(65) }])).toThrow(
    expect.objectContaining({ code: "invalid-name" }),
  );
});

it.for([
  ["CN", ""],
  ["CN", "a\nb"],
  ["CN", "\ud800"],
  ["C", "jp"],
  ["C", "JPN"],
  ["serialNumber", "a_b"],
  ["DC", "薬局"],
] as const)("refuses %s=%j", ([type, value]) => {
  expect(() => encodeName([{ type, value }])).toThrow(
    expect.objectContaining({ code: "invalid-name" }),
  );
});

it("shows a name as RFC 4514 has it: the most specific first, escaped", () => {
  const name = encodeName([
    { type: "C", value: "JP" },
    { type: "O", value: " a, b+c " },
    { type: "CN", value: '#"x"' },
  ]);
  expect(nameText(name)).toBe(String.raw`CN=\#\"x\",O=\ a\, b\+c\ ,C=JP`);
});

it("shows attributes that it does not know by their OID and encoding", () => {
  const strange = constructed(0x30, primitive(0x06, Uint8Array.of(0x2a, 3)), primitive(0x0c, "x"));
  const known = constructed(
    0x30,
    primitive(0x06, Uint8Array.of(0x55, 4, 3)),
    primitive(0x1e, Uint8Array.of(0x30, 0x42)),
  );
  expect(nameText(encode(constructed(0x30, constructed(0x31, strange, known))))).toBe(
    "1.2.3=#0c0178+CN=あ",
  );
});

it("finds the most specific common name", () => {
  const name = encodeName([
    { type: "CN", value: "first" },
    { type: "CN", value: "second" },
    { type: "O", value: "x" },
  ]);
  expect(commonNameOf(name)).toBe("second");
  expect(commonNameOf(encodeName([]))).toBeUndefined();
});

const commonName = (tag: number, content: Uint8Array): Uint8Array =>
  encode(
    constructed(
      0x30,
      constructed(
        0x31,
        constructed(0x30, primitive(0x06, Uint8Array.of(0x55, 4, 3)), primitive(tag, content)),
      ),
    ),
  );

it.for([
  { name: "broken UTF-8", tag: 0x0c, content: [0xc3] },
  { name: "an overlong UTF-8 form", tag: 0x0c, content: [0xc0, 0x80] },
  { name: "a star in a PrintableString", tag: 0x13, content: [0x2a] },
  { name: "eight bits in an IA5String", tag: 0x16, content: [0x80] },
  { name: "half a BMP character", tag: 0x1e, content: [0x30] },
  { name: "a surrogate pair in a BMPString", tag: 0x1e, content: [0xd8, 0, 0xdc, 0] },
  { name: "an integer", tag: 0x02, content: [1] },
])("refuses to read $name", ({ tag, content }) => {
  expect(() => readName(commonName(tag, Uint8Array.from(content)))).toThrow(
    expect.objectContaining({ code: "malformed-der" }),
  );
});

it("refuses an empty RDN", () => {
  expect(() => readName(encode(constructed(0x30, constructed(0x31))))).toThrow(
    expect.objectContaining({ code: "malformed-der" }),
  );
});

it("reads back what it wrote", () => {
  const text = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 8 })
    .filter((value) => !/\p{Cc}/u.test(value));
  fc.assert(
    fc.property(text, text, (cn, o) => {
      const der = encodeName([
        { type: "O", value: o },
        { type: "CN", value: cn },
      ]);
      expect(readName(der).map(([attribute]) => attribute?.text)).toEqual([o, cn]);
      expect(encode(decode(der))).toEqual(Buffer.from(der));
    }),
  );
});
