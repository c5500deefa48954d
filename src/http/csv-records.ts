/** What is wrong with the form of a record (RFC 4180 §2). */
export type CsvFormFault = "quote-inside" | "after-quote" | "open-quote" | "too-long";

/** A record of comma-separated values: its cells as the octets that stand in the file. */
export interface CsvRecord {
  /** The line on which it begins, from 1. */
  readonly line: number;
  readonly cells: readonly Buffer[];
  /** The first fault in it. Its cells are then what could be read all the same. */
  readonly fault?: CsvFormFault;
}

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;
const COMMA = 0x2c;

/** Where in a cell the reader is: `quoted` may go on over lines, `closed` is behind the closing quotation mark. */
type Place = "beginning" | "plain" | "quoted" | "closed";

/**
 * Reads comma-separated values (RFC 4180) octet by octet, and gives away each record as soon as it is complete: no more
 * than one is held. A line ends with LF, CRLF, or CR as old programs write it. Only ASCII is looked at, which no octet of
 * a longer character is, neither in UTF-8 nor in Shift_JIS (whose second octets begin at 0x40): what characters the cells
 * hold may be found out later. What is wrong with the form is said with the record, and reading goes on; behind a
 * quotation mark that is not closed within `most` octets there is nothing more that could be told apart.
 */
export class CsvRecords {
  readonly #take: (record: CsvRecord) => void;
  /** The octets of the record, without quotation marks and commas. */
  readonly #octets: Buffer;
  #length = 0;
  #cells: Buffer[] = [];
  #cellStart = 0;
  #place: Place = "beginning";
  #fault: CsvFormFault | undefined;
  #line = 1;
  #recordLine = 1;
  #isAfterCr = false;
  #isLost = false;

  constructor(most: number, take: (record: CsvRecord) => void) {
    this.#octets = Buffer.alloc(most);
    this.#take = take;
  }

  add(chunk: Uint8Array): void {
    for (const octet of chunk) {
      if (this.#isLost) return;
      const isSecondOfCrLf = this.#isAfterCr && octet === LF;
      this.#isAfterCr = octet === CR;
      if (isSecondOfCrLf) {
        if (this.#place === "quoted") this.#hold(octet);
      } else this.#next(octet);
    }
  }

  /** The last record may end without the end of a line. */
  end(): void {
    if (this.#isLost) return;
    if (this.#place === "quoted") this.#fault = "open-quote";
    if (this.#place !== "beginning" || this.#cells.length > 0) this.#giveRecord();
  }

  #next(octet: number): void {
    const isLineEnd = octet === LF || octet === CR;
    if (isLineEnd) this.#line += 1;
    if (this.#place === "quoted") {
      if (octet === QUOTE) this.#place = "closed";
      else this.#hold(octet);
    } else if (isLineEnd) this.#giveRecord();
    else if (octet === COMMA) this.#giveCell();
    else if (octet === QUOTE) this.#quote();
    else {
      if (this.#place === "closed") this.#fault ??= "after-quote";
      this.#place = "plain";
      this.#hold(octet);
    }
  }

  #quote(): void {
    if (this.#place === "beginning") {
      this.#place = "quoted";
      return;
    }
    // Two of them within quotation marks are one of the text.
    if (this.#place === "closed") this.#place = "quoted";
    else this.#fault ??= "quote-inside";
    this.#hold(QUOTE);
  }

  #hold(octet: number): void {
    if (this.#length < this.#octets.length) {
      this.#octets[this.#length] = octet;
      this.#length += 1;
      return;
    }
    if (this.#place !== "quoted") {
      this.#fault ??= "too-long";
      return;
    }
    this.#fault = "open-quote";
    this.#giveRecord();
    this.#isLost = true;
  }

  #giveCell(): void {
    // Cells that are empty have no octets, but there must not be any number of them.
    if (this.#cells.length < this.#octets.length)
      this.#cells.push(Buffer.from(this.#octets.subarray(this.#cellStart, this.#length)));
    else this.#fault ??= "too-long";
    this.#cellStart = this.#length;
    this.#place = "beginning";
  }

  #giveRecord(): void {
    this.#giveCell();
    const record = { line: this.#recordLine, cells: this.#cells };
    const fault = this.#fault;
    this.#cells = [];
    this.#length = 0;
    this.#cellStart = 0;
    this.#fault = undefined;
    this.#recordLine = this.#line;
    this.#take(fault === undefined ? record : { ...record, fault });
  }
}
