import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { csvRow, shownText } from "../../../src/http/csv-row.ts";
import { type CsvFormFault, type CsvRecord, CsvRecords } from "../../../src/http/csv-records.ts";
import { encodingOf, textOfRecords } from "../../../src/http/csv-text.ts";

interface Read {
  readonly line: number;
  readonly cells: readonly string[];
  readonly fault?: CsvFormFault;
}

/** The records of octets that come in pieces of these lengths. */
function read(octets: Buffer, pieces: readonly number[] = [], most = 4_096): CsvRecord[] {
  const records: CsvRecord[] = [];
  const reader = new CsvRecords(most, (record) => records.push(record));
  let from = 0;
  for (const piece of pieces) {
    reader.add(octets.subarray(from, from + piece));
    from += piece;
  }
  reader.add(octets.subarray(from));
  reader.end();
  return records;
}

function readText(text: string, most?: number): readonly Read[] {
  return read(Buffer.from(text), [], most).map(({ cells, ...record }) =>
    Object.assign(record, { cells: cells.map((cell) => cell.toString("utf8")) }),
  );
}

describe("RFC 4180 §2", () => {
  it.for<{ readonly name: string; readonly text: string; readonly records: readonly Read[] }>([
    {
      name: "each record is a line, and ends with a line break",
      text: "aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n",
      records: [
        { line: 1, cells: ["aaa", "bbb", "ccc"] },
        { line: 2, cells: ["zzz", "yyy", "xxx"] },
      ],
    },
    {
      name: "the last one may have none",
      text: "aaa\r\nbbb",
      records: [
        { line: 1, cells: ["aaa"] },
        { line: 2, cells: ["bbb"] },
      ],
    },
    {
      name: "spaces are part of a cell, and the last cell is not followed by a comma",
      text: " a ,\r\n",
      records: [{ line: 1, cells: [" a ", ""] }],
    },
    {
      name: "line breaks, commas and quotation marks stand in quotation marks",
      text: '"a\r\nb","c,d","e""f"\n"",x\n',
      records: [
        { line: 1, cells: ["a\r\nb", "c,d", 'e"f'] },
        { line: 3, cells: ["", "x"] },
      ],
    },
    {
      name: "a line may end with CR alone, as old programs write it",
      text: "a\rb\r\rc",
      records: [
        { line: 1, cells: ["a"] },
        { line: 2, cells: ["b"] },
        { line: 3, cells: [""] },
        { line: 4, cells: ["c"] },
      ],
    },
    { name: "nothing is no record", text: "", records: [] },
  ])("$name", ({ text, records }) => {
    expect(readText(text)).toEqual(records);
  });

  it.for<{ readonly text: string; readonly faults: readonly [number, CsvFormFault][] }>([
    { text: 'a,b"c\nd\n', faults: [[1, "quote-inside"]] },
    { text: 'a\n"b"c\nd', faults: [[2, "after-quote"]] },
    { text: 'a\n"b\nc\nd', faults: [[2, "open-quote"]] },
    { text: `a\n${"b".repeat(20)}\nc`, faults: [[2, "too-long"]] },
    { text: `a\n${",".repeat(20)}\nc`, faults: [[2, "too-long"]] },
    // What follows it could be anything, and is not told apart.
    { text: `a\n"b\n${"c,d\n".repeat(9)}"x"y`, faults: [[2, "open-quote"]] },
  ])("tells the fault of $text by its line", ({ text, faults }) => {
    const found = readText(text, 16).flatMap(({ line, fault }) =>
      fault === undefined ? [] : [[line, fault]],
    );
    expect(found).toEqual(faults);
  });
});

const piece = fc.constantFrom("a", "薬", "ソ", ",", '"', '""', "\n", "\r\n", " ", "\t");
const pieces = fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 10 });

/** Another reader of the same format, or undefined where it refuses the text. */
function judge(text: string): unknown {
  try {
    return parse(text, { relax_column_count: true, record_delimiter: ["\r\n", "\n", "\r"] });
  } catch {
    return undefined;
  }
}

it("reads what another reader reads, refuses what that refuses, and wherever the octets are cut", () => {
  const text = fc.array(piece, { maxLength: 24 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(text, pieces, (written, cuts) => {
      const records = read(Buffer.from(written), cuts);
      const cells = textOfRecords(records, "utf-8").map((record) => record.cells);
      const isWhole = records.every(({ fault }) => fault === undefined);
      expect(isWhole ? cells : undefined).toEqual(judge(written));
    }),
    { numRuns: 2_000 },
  );
});

it("reads back what is written", () => {
  const rows = fc.array(fc.array(fc.string({ unit: "grapheme" }), { minLength: 1, maxLength: 5 }), {
    minLength: 1,
  });
  fc.assert(
    fc.property(rows, pieces, (written, cuts) => {
      const text = written.map((row) => csvRow(row)).join("");
      const found = textOfRecords(read(Buffer.from(text), cuts), "utf-8");
      expect(found.map(({ cells }) => cells)).toEqual(written);
    }),
  );
});

/** As Python's cp932 writes it: second octets that are ASCII, half-width kana, and characters that NEC and IBM added. */
const SHIFT_JIS = Buffer.from(
  "8341834a8345839383672c96f28bc72c925b96962c979d97520d0a7461726f40782e6a702c835c955c2c22eee08bb4c0ccde2c8160318d86222c93fc82ea91d682a60d0a",
  "hex",
);

describe("the encoding", () => {
  it("is Shift_JIS where that reads more", () => {
    const records = read(SHIFT_JIS);
    expect(encodingOf(records)).toBe("shift_jis");
    expect(textOfRecords(records, "shift_jis").map(({ cells }) => cells)).toEqual([
      ["アカウント", "薬局", "端末", "理由"],
      ["taro@x.jp", "ソ表", "髙橋ﾀﾌﾞ,～1号", "入れ替え"],
    ]);
  });

  it("is UTF-8 where one line is rubbish, and that line says so", () => {
    const text = Buffer.concat([
      Buffer.from("薬局,端末\n"),
      Buffer.from([0xff, 0x0a]),
      Buffer.from("本店\n"),
    ]);
    const records = read(text);
    expect(encodingOf(records)).toBe("utf-8");
    expect(textOfRecords(records, "utf-8")).toEqual([
      { line: 1, cells: ["薬局", "端末"] },
      { line: 2, cells: [""], fault: "characters" },
      { line: 3, cells: ["本店"] },
    ]);
  });
});

it.for([
  ["=HYPERLINK(1)", "'=HYPERLINK(1)"],
  ["+81", "'+81"],
  ["-1", "'-1"],
  ["@x", "'@x"],
  ["受付1号機", "受付1号機"],
])("shows %s as %s in a spreadsheet", ([text, shown]) => {
  expect(shownText(text)).toBe(shown);
});
