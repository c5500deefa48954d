import fc from "fast-check";
import { expect, it } from "vitest";
import { pemBlocks, pemDecode, pemEncode, pemFile } from "../../../src/pki/pem.ts";

it.for([
  ["", "-----BEGIN X-----\n-----END X-----\n"],
  ["00", "-----BEGIN X-----\nAA==\n-----END X-----\n"],
  ["0001", "-----BEGIN X-----\nAAE=\n-----END X-----\n"],
  ["ff".repeat(48), `-----BEGIN X-----\n${"/".repeat(64)}\n-----END X-----\n`],
  ["ff".repeat(49), `-----BEGIN X-----\n${"/".repeat(64)}\n/w==\n-----END X-----\n`],
] as const)("writes %s", ([hex, text]) => {
  expect(pemEncode("X", Buffer.from(hex, "hex"))).toBe(text);
});

it("reads what it wrote, and writes what Node would", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (der) => {
      const text = pemEncode("CERTIFICATE", der);
      expect(text.split("\n").slice(1, -2).join("")).toBe(Buffer.from(der).toString("base64"));
      expect(pemDecode(text, "CERTIFICATE")).toEqual(der);
      expect(pemBlocks(`text before\n${text}${text}`, "CERTIFICATE")).toEqual([der, der]);
    }),
  );
});

it("takes lines that end as Windows ends them, and white space around", () => {
  expect(pemDecode("\r\n-----BEGIN X-----\r\nAAE=\r\n-----END X-----\r\n\r\n", "X")).toEqual(
    Uint8Array.of(0, 1),
  );
});

it.for([
  { name: "nothing", text: "" },
  { name: "another label", text: pemEncode("Y", Uint8Array.of(1)) },
  { name: "two blocks", text: pemEncode("X", Uint8Array.of(1)).repeat(2) },
  { name: "text before", text: `hello\n${pemEncode("X", Uint8Array.of(1))}` },
  { name: "text behind", text: `${pemEncode("X", Uint8Array.of(1))}hello` },
  { name: "no end", text: "-----BEGIN X-----\nAAE=\n" },
  { name: "an empty block", text: "-----BEGIN X-----\n-----END X-----" },
  { name: "missing padding", text: "-----BEGIN X-----\nAAE\n-----END X-----" },
  { name: "padding in the middle", text: "-----BEGIN X-----\nAA==AAAA\n-----END X-----" },
  { name: "padding only", text: "-----BEGIN X-----\n====\n-----END X-----" },
  { name: "stray bits", text: "-----BEGIN X-----\nAB==\n-----END X-----" },
  { name: "URL-safe digits", text: "-----BEGIN X-----\n-_-_\n-----END X-----" },
  { name: "headers", text: "-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nAAE=\n-----END X-----" },
])("refuses $name", ({ text }) => {
  expect(() => pemDecode(text, "X")).toThrow(expect.objectContaining({ code: "malformed-pem" }));
});

it("refuses a list of blocks of which one is cut off, and passes over other labels", () => {
  const good = pemEncode("X", Uint8Array.of(1));
  expect(() => pemBlocks(`${good}-----BEGIN X-----\nAA`, "X")).toThrow(
    expect.objectContaining({ code: "malformed-pem" }),
  );
  expect(pemBlocks(`${pemEncode("Y", Uint8Array.of(2))}${good}`, "X")).toEqual([Uint8Array.of(1)]);
});

it("reads a file of blocks with white space between them", () => {
  const [one, two] = [1, 2].map((octet) => pemEncode("X", Uint8Array.of(octet)));
  expect(pemFile(`\n${one}\r\n \n${two}\n`, "X")).toEqual([Uint8Array.of(1), Uint8Array.of(2)]);
});

it.for([
  { name: "nothing", text: " \n" },
  {
    name: "another label",
    text: pemEncode("X", Uint8Array.of(1)) + pemEncode("Y", Uint8Array.of(1)),
  },
  { name: "text before", text: `x\n${pemEncode("X", Uint8Array.of(1))}` },
  { name: "text between", text: `${pemEncode("X", Uint8Array.of(1))}x\n`.repeat(2) },
  { name: "text behind", text: `${pemEncode("X", Uint8Array.of(1))}x` },
  { name: "no end", text: pemEncode("X", Uint8Array.of(1)).slice(0, -8) },
])("refuses a file of blocks with $name", ({ text }) => {
  expect(() => pemFile(text, "X")).toThrow(expect.objectContaining({ code: "malformed-pem" }));
});
