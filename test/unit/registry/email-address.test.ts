import { describe, expect, it } from "vitest";

import { parseEmailAddress } from "../../../src/registry/email-address.ts";

const LABEL = "a".repeat(63);

describe("parseEmailAddress", () => {
  it.for([
    ["plain", "hanako@example.jp", "hanako@example.jp"],
    ["trimmed", " hanako@example.jp ", "hanako@example.jp"],
    ["case kept", "Hanako@Example.JP", "Hanako@Example.JP"],
    [
      "every atom character",
      "a!#$%&'*+/=?^_`{|}~-.9@example.jp",
      "a!#$%&'*+/=?^_`{|}~-.9@example.jp",
    ],
    ["a carrier's dots", "a..b.@docomo.ne.jp", "a..b.@docomo.ne.jp"],
    ["an A-label", "a@xn--wgv71a119e.jp", "a@xn--wgv71a119e.jp"],
    ["one label", "root@localhost", "root@localhost"],
    [
      "RFC 5321 §4.5.3.1.1: 64 octets",
      `${"a".repeat(64)}@example.jp`,
      `${"a".repeat(64)}@example.jp`,
    ],
    [
      "RFC 5321 §4.5.3.1.3: 254 octets",
      `${"a".repeat(64)}@${LABEL}.${LABEL}.${"a".repeat(61)}`,
      `${"a".repeat(64)}@${LABEL}.${LABEL}.${"a".repeat(61)}`,
    ],
  ])("takes %s", ([, text, address]) => {
    expect(parseEmailAddress(text ?? "", "email")).toBe(address);
  });

  it.for([
    ["nothing", ""],
    ["no @", "example.jp"],
    ["no local part", "@example.jp"],
    ["no domain", "a@"],
    ["two @", "a@b@example.jp"],
    ["two addresses by comma", "a@example.jp,b@example.jp"],
    ["two addresses by semicolon", "a@example.jp;b@example.jp"],
    ["a header", "a@example.jp\r\nBcc: b@example.jp"],
    ["a line feed in the local part", "a\n@example.jp"],
    ["a carriage return in the domain", "a@exam\rple.jp"],
    ["angle brackets", "<a@example.jp>"],
    ["a display name", "Hanako <a@example.jp>"],
    ["a quoted local part", '"a b"@example.jp'],
    ["a comment", "a(x)@example.jp"],
    ["a colon", "group:a@example.jp"],
    ["a space inside", "a b@example.jp"],
    ["NUL", "a\u0000@example.jp"],
    ["not ASCII", "花子@example.jp"],
    ["a U-label", "a@日本語.jp"],
    ["a domain literal", "a@[192.0.2.1]"],
    ["an empty label", "a@example..jp"],
    ["a dot at the end", "a@example.jp."],
    ["a hyphen first", "a@-example.jp"],
    ["a hyphen last", "a@example-.jp"],
    ["a label of 64", `a@${LABEL}a.jp`],
    ["65 octets before the @", `${"a".repeat(65)}@example.jp`],
    ["255 octets", `${"a".repeat(64)}@${LABEL}.${LABEL}.${"a".repeat(62)}`],
  ])("refuses %s", ([, text]) => {
    expect(() => parseEmailAddress(text ?? "", "email")).toThrow(
      expect.objectContaining({ code: "invalid-value", field: "email" }),
    );
  });
});
