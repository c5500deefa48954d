import { BATCH_COLUMNS, type BatchColumn } from "../lifecycle/batch-fault.ts";
import type { BatchLine } from "../lifecycle/enrolment-batch-check.ts";
import { MOST_DEVICES } from "../lifecycle/enrolment-request.ts";
import {
  ENROLMENT_REASONS,
  type EnrolmentReason,
  PLACE_CHOICES,
  type PlaceChoice,
} from "../lifecycle/enrolment-row.ts";
import {
  BATCH_COLUMN_NAMES,
  BATCH_PLACE_NAMES,
  BATCH_REASON_NAMES,
} from "../web/messages/batch-columns.ts";
import type { BatchFaultName } from "../web/messages/batch-faults.ts";
import type { CsvRecord } from "./csv-records.ts";
import { encodingOf, type TextRecord, textOfRecords } from "./csv-text.ts";

/** What is wrong with a file. */
export interface FileFault {
  readonly line: number;
  /** As the file names it; absent where it is the whole line, or the file. */
  readonly column?: string;
  readonly code: BatchFaultName;
  readonly about?: string | number;
}

/** A file of invitations, as far as it could be read. */
export interface BatchFile {
  readonly lines: readonly BatchLine[];
  readonly faults: readonly FileFault[];
  /** How the file names each of its columns. */
  readonly names: Readonly<Partial<Record<BatchColumn, string>>>;
}

/** Names that people type are compared in one spelling. */
function spelling(text: string): string {
  return text.normalize("NFKC").toLowerCase().replaceAll(/\s/g, "");
}

/** The key under which a word stands, or undefined. */
function keyOf<Key extends string>(
  words: Readonly<Record<Key, readonly string[]>>,
  keys: readonly Key[],
  text: string,
): Key | undefined {
  const wanted = spelling(text);
  return keys.find((key) => words[key].includes(wanted));
}

/** Which cell of each line is which column. */
type Places = Partial<Record<BatchColumn, number>>;

interface Header {
  readonly places: Places;
  readonly width: number;
  readonly names: BatchFile["names"];
  readonly faults: readonly FileFault[];
}

function readHeader({ line, cells }: TextRecord): Header {
  const places: Places = {};
  const names: Partial<Record<BatchColumn, string>> = {};
  const faults: FileFault[] = [];
  for (const [place, cell] of cells.entries()) {
    const name = cell.trim();
    // Spreadsheets leave columns without a name behind.
    if (name === "") continue;
    const column = keyOf(BATCH_COLUMN_NAMES, BATCH_COLUMNS, name);
    if (column === undefined) faults.push(fault("unknown-column", { line, about: name }));
    else if (places[column] !== undefined)
      faults.push(fault("double-column", { line, about: name }));
    else {
      places[column] = place;
      names[column] = name;
    }
  }
  const isMissing = (column: BatchColumn): boolean => places[column] === undefined;
  if (isMissing("account")) faults.push(fault("missing-column", { line, about: "account" }));
  if (isMissing("pharmacy") && isMissing("device"))
    faults.push(fault("missing-column", { line, about: "pharmacy" }));
  return { places, names, faults, width: cells.length };
}

function fault(code: BatchFaultName, { line, column, about }: Omit<FileFault, "code">): FileFault {
  return {
    line,
    code,
    ...(column !== undefined && { column }),
    ...(about !== undefined && { about }),
  };
}

/** Reads the cells of one line, and gathers what is wrong with them. */
class LineReading {
  readonly faults: FileFault[] = [];
  readonly #record: TextRecord;
  readonly #header: Header;

  constructor(record: TextRecord, header: Header) {
    this.#record = record;
    this.#header = header;
  }

  /** The cell's text without what is around it; undefined for one that is empty, or is not there. */
  cell(column: BatchColumn): string | undefined {
    const place = this.#header.places[column];
    const text = place === undefined ? "" : (this.#record.cells[place] ?? "").trim();
    if (/\p{Cc}/u.test(text)) this.add("control", column);
    return text === "" ? undefined : text.normalize("NFC");
  }

  add(code: BatchFaultName, column: BatchColumn, about?: string): void {
    const { line } = this.#record;
    const name = this.#header.names[column] ?? column;
    this.faults.push(fault(code, { line, column: name, ...(about !== undefined && { about }) }));
  }
}

/** The longest part of a wrong cell that is told back. */
const TOLD = 40;

function countOf(reading: LineReading, hasDevice: boolean): number {
  const text = reading.cell("count");
  if (text === undefined) return 1;
  const count = /^[1-9]\d?$/.test(text.normalize("NFKC")) ? Number(text.normalize("NFKC")) : 0;
  if (count >= 1 && count <= (hasDevice ? 1 : MOST_DEVICES)) return count;
  reading.add("bad-count", "count", text.slice(0, TOLD));
  return 1;
}

function reasonOf(reading: LineReading): EnrolmentReason {
  const text = reading.cell("reason");
  if (text === undefined) return "first";
  const reason = keyOf(BATCH_REASON_NAMES, ENROLMENT_REASONS, text);
  if (reason === undefined) reading.add("bad-reason", "reason", text.slice(0, TOLD));
  return reason ?? "first";
}

/** What becomes of the certificates that the line's device has, if it says so. */
function placeOf(
  reading: LineReading,
  { hasDevice, reason }: { readonly hasDevice: boolean; readonly reason: EnrolmentReason },
): PlaceChoice | undefined {
  const text = reading.cell("place");
  if (text === undefined) return undefined;
  const place = keyOf(BATCH_PLACE_NAMES, PLACE_CHOICES, text);
  if (place === undefined) reading.add("bad-place", "place", text.slice(0, TOLD));
  else if (!hasDevice) reading.add("place-without-device", "place");
  else if (reason === "renewal") reading.add("place-of-renewal", "place");
  return place;
}

/** One line as an invitation, or what is wrong with it. */
function readLine(record: TextRecord, header: Header): BatchLine | readonly FileFault[] {
  const { line, cells } = record;
  if (record.fault !== undefined) return [fault(record.fault, { line })];
  const extra = cells.slice(header.width).some((cell) => cell.trim() !== "");
  if (extra) return [fault("more-cells", { line, about: cells.length })];
  const reading = new LineReading(record, header);
  const account = reading.cell("account");
  const pharmacy = reading.cell("pharmacy");
  const device = reading.cell("device");
  if (account === undefined) reading.add("missing", "account");
  if (pharmacy === undefined && device === undefined) reading.add("missing", "pharmacy");
  const count = countOf(reading, device !== undefined);
  const reason = reasonOf(reading);
  const place = placeOf(reading, { hasDevice: device !== undefined, reason });
  if (reading.faults.length > 0) return reading.faults;
  return {
    line,
    account: account ?? "",
    ...(pharmacy !== undefined && { pharmacy }),
    ...(device !== undefined && { device }),
    count,
    reason,
    ...(place !== undefined && { place }),
  };
}

/** Whether there is nothing in a record: spreadsheets write such lines below the last one. */
export function isBlank({ cells, fault: wrong }: CsvRecord): boolean {
  return wrong === undefined && cells.every((cell) => cell.every((octet) => octet === 0x20));
}

/**
 * Reads the records of a file, none of them blank: the first one names the columns, in English or Japanese. All faults are
 * gathered; what has none is a line that the room can look at. All of them together may ask for so many devices.
 */
export function readBatchFile(
  records: readonly CsvRecord[],
  { isUtf8, most }: { readonly isUtf8: boolean; readonly most: number },
): BatchFile {
  const [first, ...rest] = textOfRecords(records, isUtf8 ? "utf-8" : encodingOf(records));
  if (first === undefined)
    return { lines: [], names: {}, faults: [fault("no-lines", { line: 1 })] };
  const { line } = first;
  if (first.fault !== undefined)
    return { lines: [], names: {}, faults: [fault(first.fault, { line })] };
  const header = readHeader(first);
  const faults = [...header.faults];
  const lines: BatchLine[] = [];
  if (rest.length === 0) faults.push(fault("no-lines", { line }));
  for (const record of header.faults.length > 0 ? [] : rest) {
    const read = readLine(record, header);
    if ("account" in read) lines.push(read);
    else faults.push(...read);
  }
  const beyond = firstBeyond(lines, most);
  if (beyond !== undefined)
    faults.push(
      fault("too-many", { line: beyond.line, column: header.names.count ?? "count", about: most }),
    );
  return { lines, names: header.names, faults };
}

/** The line with which more devices are asked for than may be. */
function firstBeyond(lines: readonly BatchLine[], most: number): BatchLine | undefined {
  let total = 0;
  return lines.find(({ count }) => {
    total += count;
    return total > most;
  });
}
