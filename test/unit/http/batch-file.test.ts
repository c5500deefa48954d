import { Readable } from "node:stream";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { mostFileOctets, readCsvFile, type SentFile } from "../../../src/http/csv-body.ts";
import type { HttpError } from "../../../src/http/errors.ts";

const fileOf = (...chunks: readonly (string | Buffer)[]): Promise<SentFile> =>
  readCsvFile(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), 100);

/** Where which faults are, in short. */
const faultsOf = ({ faults }: SentFile): readonly string[] =>
  faults.map(({ line, column, code, about }) =>
    [line, column ?? "-", code, about ?? ""].join(" ").trimEnd(),
  );

describe("a file of invitations", () => {
  it.for([
    "account,pharmacy,device,count,reason\ntaro@x.jp,001,Counter 1,1,replacement\n",
    "\ufeffアカウント,薬局,端末,台数,理由\r\ntaro@x.jp,001,Counter 1,,入れ替え\r\n,,,,\r\n",
    '"端末 ",Reason,ＰＨＡＲＭＡＣＹ,account,,\n Counter 1 ,REPLACEMENT,001,taro@x.jp,,',
  ])("has its columns in any order, in English or Japanese: %j", async (text) => {
    expect(await fileOf(text)).toMatchObject({
      faults: [],
      lines: [
        {
          line: 2,
          account: "taro@x.jp",
          pharmacy: "001",
          device: "Counter 1",
          count: 1,
          reason: "replacement",
        },
      ],
    });
  });

  it.for<[string, string | Buffer, readonly string[]]>([
    ["nothing", "", ["1 - no-lines"]],
    ["no line", "account,device\n\n", ["1 - no-lines"]],
    ["UTF-16", Buffer.from("\ufeffaccount,device\n", "utf16le"), ["1 - utf-16"]],
    ["a foreign column", "account,device,note\na@x.jp,d,\n", ["1 - unknown-column note"]],
    ["a column twice", "account,device,端末\na@x.jp,d,\n", ["1 - double-column 端末"]],
    [
      "no columns that matter",
      "count\n1\n",
      ["1 - missing-column account", "1 - missing-column pharmacy"],
    ],
    ["an empty cell", "アカウント,端末\n,d\n", ["2 アカウント missing"]],
    ["NUL", "account,device\na@x.jp,d\0\n", ["2 device control"]],
    [
      "a line break",
      'account,device\na@x.jp,"d\ne"\nb@x.jp,\0',
      ["2 device control", "4 device control"],
    ],
    [
      "octets of no text",
      Buffer.from("account,device\na@x.jp,\xff\n", "latin1"),
      ["2 - characters"],
    ],
    ["more cells than columns", "account,device\na@x.jp,d,e\n", ["2 - more-cells 3"]],
    [
      "what is no number and no reason",
      "account,device,count,reason\na@x.jp,d,two,because\n",
      ["2 count bad-count two", "2 reason bad-reason because"],
    ],
    [
      "a number beside a device",
      "account,pharmacy,device,count\na@x.jp,1,,50\na@x.jp,1,,51\na@x.jp,1,d,2\n",
      ["3 count bad-count 51", "4 count bad-count 2"],
    ],
    [
      "more devices than lines may be",
      "account,pharmacy,台数\na@x.jp,1,50\na@x.jp,1,50\na@x.jp,1,1\n",
      ["4 台数 too-many 100"],
    ],
    ["a mark that stays open", 'account,device\n"a@x.jp,d\n', ["2 - open-quote"]],
  ])("tells of %s where it is", async ([, text, faults]) => {
    expect(faultsOf(await fileOf(text))).toEqual(faults);
  });

  it("is never anything but lines and faults, whatever it holds", async () => {
    const text = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.string().map((s) => Buffer.from(s)),
    );
    const head = fc.constantFrom("", "account,device\n", "アカウント,薬局,台数\n");
    await fc.assert(
      fc.asyncProperty(head, text, async (before, rest) => {
        const { lines, faults } = await fileOf(before, Buffer.from(rest));
        expect(lines.length + faults.length).toBeGreaterThan(0);
      }),
    );
  });
});

/** Endless, and counts what is read of it. */
function endless(chunk: string): { readonly stream: Readable; readonly read: () => number } {
  let octets = 0;
  function* chunks(): Generator<Buffer> {
    for (;;) {
      octets += chunk.length;
      yield Buffer.from(chunk);
    }
  }
  return { stream: Readable.from(chunks(), { highWaterMark: 1 }), read: () => octets };
}

describe("a file that is too large", () => {
  it.for([
    ["of lines", "taro@x.jp,001,Counter 1\n".repeat(100)],
    ["of empty lines", "\n".repeat(1_000)],
    ["of one line", "a".repeat(1_000)],
    ["behind a mark that stays open", '"'.padEnd(1_000, "x")],
  ])("is refused %s before it ends", async ([, chunk = ""]) => {
    const { stream, read } = endless(chunk);
    await expect(readCsvFile(stream, 100)).rejects.toThrow(
      expect.objectContaining({ code: "content-too-large" }) as HttpError,
    );
    expect(read()).toBeLessThan(mostFileOctets(100) + 10 * chunk.length);
    expect(stream.destroyed).toBe(false);
  });
});
