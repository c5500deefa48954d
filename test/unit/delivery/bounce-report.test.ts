import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { readBounceReport } from "../../../src/delivery/bounce-report.ts";
import { RegistryError } from "../../../src/registry/errors.ts";

const DIGEST = "0123456789abcdef0123456789abcdef";

interface Report {
  readonly action?: string;
  readonly status?: string;
  readonly original?: string;
  readonly to?: string;
}

/** As Postfix writes it, with CRLF. */
const report = ({
  action = "failed",
  status = "5.1.1",
  original = `Message-ID: <${DIGEST}@suido.example.jp>`,
  to = "no-reply@suido.example.jp",
}: Report = {}): Buffer =>
  Buffer.from(
    `From: MAILER-DAEMON@mx.example.jp (Mail Delivery System)
To: ${to}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="9B095B5ADSN=_01D9:mx.example.jp"

This is a MIME-encapsulated message.

--9B095B5ADSN=_01D9:mx.example.jp
Content-Type: text/plain; charset=us-ascii

I'm sorry. Status: 2.0.0

--9B095B5ADSN=_01D9:mx.example.jp
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.jp
Arrival-Date: Sat, 1 May 2027 09:00:00 +0900 (JST)

Final-Recipient: rfc822; gone@example.jp
Action: ${action}
Status: ${status}
Diagnostic-Code: smtp; 550 5.1.1 <gone@example.jp>:
    no such user

--9B095B5ADSN=_01D9:mx.example.jp
Content-Type: text/rfc822-headers

From: Suido <no-reply@suido.example.jp>
${original}

--9B095B5ADSN=_01D9:mx.example.jp--
`.replaceAll("\n", "\r\n"),
    "latin1",
  );

it("says which mail came back, that it is for good, and why on one line", () => {
  expect(readBounceReport(report())).toEqual({
    message: DIGEST,
    isFinal: true,
    why: "5.1.1 smtp; 550 5.1.1 <gone@example.jp>: no such user",
  });
});

it.for([
  { name: "a mail that is late", given: { action: "delayed", status: "4.4.1" } },
  { name: "one that has arrived", given: { action: "delivered", status: "2.0.0" } },
  { name: "one that failed for a while", given: { status: "4.2.2" } },
])("does not take $name for one that came back", ({ given }) => {
  expect(readBounceReport(report(given))).toMatchObject({ message: DIGEST, isFinal: false });
});

it("goes by the address that the report was sent to where the mail is not in it", () => {
  const own = { original: "Subject: x", to: `bounces+${DIGEST}@suido.example.jp` };
  expect(readBounceReport(report(own)).message).toBe(DIGEST);
});

const note = (lines: Readonly<Record<string, string>>, text: string): Buffer =>
  Buffer.from(
    [...Object.entries(lines).map(([name, value]) => `${name}: ${value}`), "", text].join("\r\n"),
  );

describe("an answer in words, to the address of one mail", () => {
  const from = "Mail Delivery System <MAILER-DAEMON@mx.example.jp>";
  const to = `<bounce+${DIGEST}@bounces.example.jp>`;
  const gone = "Sorry.\r\n<gone@example.jp>: 550 5.1.1 no such user here\r\n";

  it.for([
    { name: "what it was sent to", head: { From: from, To: to } },
    {
      name: "what a server has noted of the envelope",
      head: { From: from, To: "no-reply@suido.example.jp", "Delivered-To": to },
    },
    {
      name: "a report whose parts are broken",
      head: { From: from, To: to, "Content-Type": "multipart/report; report-type=delivery-status" },
    },
  ])("says which mail came back, and why: $name", ({ head }) => {
    expect(readBounceReport(note(head, gone))).toEqual({
      message: DIGEST,
      isFinal: true,
      why: "<gone@example.jp>: 550 5.1.1 no such user here",
    });
  });

  it.for([
    { name: "whoever is away", head: { From: "taro@example.jp", To: to }, text: gone },
    { name: "a server that tries on", head: { From: from, To: to }, text: "4.4.1 delayed" },
    { name: "an address of four numbers", head: { From: from, To: to }, text: "[5.1.1.4] 15.1.1" },
  ])("does not take $name for one that came back", ({ head, text }) => {
    expect(readBounceReport(note(head, text))).toMatchObject({ message: DIGEST, isFinal: false });
  });
});

/** The mail that it names, or the code of what keeps it from naming one. */
function outcomeOf(octets: Buffer): string {
  try {
    return readBounceReport(octets).message;
  } catch (error) {
    return error instanceof RegistryError ? error.code : String(error);
  }
}

describe("what is no report", () => {
  const text = report().toString("latin1");
  it.for([
    { name: "nothing", octets: "" },
    { name: "an out-of-office note", octets: "Content-Type: text/plain\r\n\r\nI am away" },
    { name: "a report of another type", octets: text.replace("delivery-status;", "disposition;") },
    { name: "one without a boundary", octets: text.replace(/\tboundary=.*/, "") },
    { name: "one without its part", octets: text.replace("message/delivery-status", "text/plain") },
    { name: "one without a recipient", octets: text.replace("\r\n\r\nFinal-", "\r\nFinal-") },
    { name: "one of another's mail", octets: text.replace(DIGEST, "CAF+xyz") },
    { name: "one that never ends", octets: `${text}${"\n".repeat(20_001)}` },
  ])("is refused: $name", ({ octets }) => {
    expect(() => readBounceReport(Buffer.from(octets, "latin1"))).toThrow(
      expect.objectContaining({ code: "invalid-value", field: "body" }),
    );
  });

  it("is refused in words, whatever was cut, doubled or changed in one", () => {
    const octets = report();
    fc.assert(
      fc.property(
        fc.nat(octets.length),
        fc.nat(octets.length),
        fc.uint8Array({ maxLength: 20 }),
        (from, to, between) => {
          const edited = Buffer.concat([octets.subarray(0, from), between, octets.subarray(to)]);
          expect(outcomeOf(edited)).toMatch(/^(?:[0-9a-f]{32}|invalid-value)$/);
        },
      ),
      { numRuns: 500 },
    );
  });
});
