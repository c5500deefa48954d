import type { CsvFormFault, CsvRecord } from "./csv-records.ts";

/** A record as text. */
export interface TextRecord {
  readonly line: number;
  readonly cells: readonly string[];
  readonly fault?: CsvFormFault | "characters";
}

/** What files are written in: Excel in Japan writes Shift_JIS unless it is asked for "CSV UTF-8". */
export type FileEncoding = "utf-8" | "shift_jis";

/** A cell as text, or undefined where its octets are none in this encoding. */
type Decode = (cell: Buffer) => string | undefined;

function decoder(encoding: FileEncoding): Decode {
  const fatal = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  return (cell) => {
    try {
      return fatal.decode(cell);
    } catch {
      return undefined;
    }
  };
}

/** In how many records there is something else. */
function misreadBy(decode: Decode, records: readonly CsvRecord[]): number {
  return records.filter(({ cells }) => cells.some((cell) => decode(cell) === undefined)).length;
}

/**
 * The encoding in which more records are text; UTF-8 where both do as well. One record of rubbish so does not turn the
 * names of all others into something that nobody has written.
 */
export function encodingOf(records: readonly CsvRecord[]): FileEncoding {
  const wrong = misreadBy(decoder("utf-8"), records);
  if (wrong === 0) return "utf-8";
  return misreadBy(decoder("shift_jis"), records) < wrong ? "shift_jis" : "utf-8";
}

/** The records as text. Cells that are none in the encoding are empty, and their record says so. */
export function textOfRecords(
  records: readonly CsvRecord[],
  encoding: FileEncoding,
): readonly TextRecord[] {
  const decode = decoder(encoding);
  return records.map(({ cells, ...record }) => {
    const texts = cells.map(decode);
    return {
      ...record,
      cells: texts.map((text) => text ?? ""),
      ...(texts.includes(undefined) && { fault: "characters" as const }),
    };
  });
}
