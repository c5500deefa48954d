import { createHash } from "node:crypto";
import type { Readable } from "node:stream";

import type { FastifyInstance, FastifyRequest } from "fastify";

import { type BatchFile, isBlank, readBatchFile } from "./batch-file.ts";
import { type CsvRecord, CsvRecords } from "./csv-records.ts";
import { HttpError } from "./errors.ts";

export const CSV = "text/csv";

/** A record's octets. An address, an external id, a code and a name in Japanese have room several times over. */
const MOST_RECORD_OCTETS = 4_096;

/** What a line takes at most when all of them do: of so many times the lines a file may be. */
const MOST_LINE_OCTETS = 1_024;

/** The largest file of so many lines, in octets. */
export function mostFileOctets(lines: number): number {
  return (lines + 1) * MOST_LINE_OCTETS;
}

/** A file as it was sent, and what tells it from every other one. */
export interface SentFile extends BatchFile {
  readonly sha256: string;
}

const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** The first octets of a file: whether they say in which encoding it is. */
class Beginning {
  #octets = Buffer.alloc(0);
  isOver = false;

  /** What is to be read of a chunk, once the beginning is known; `isLast` where there is no more. */
  take(chunk: Buffer, isLast: boolean): Buffer {
    if (this.isOver) return chunk;
    this.#octets = Buffer.concat([this.#octets, chunk]);
    if (this.#octets.length < BOM.length && !isLast) return Buffer.alloc(0);
    this.isOver = true;
    return this.hasBom ? this.#octets.subarray(BOM.length) : this.#octets;
  }

  get hasBom(): boolean {
    return this.#octets.subarray(0, BOM.length).equals(BOM);
  }

  get isUtf16(): boolean {
    const [first, second] = this.#octets;
    return (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  }
}

function tooLarge(detail: string): HttpError {
  return new HttpError("content-too-large", `the file ${detail}`, [{ field: "body", detail }]);
}

/**
 * Reads a file of invitations as it comes in. Beside the octets of as many lines as may be, no more than a chunk of it is
 * in memory, and reading ends at the first line beyond them. Throws HttpError.
 */
export async function readCsvFile(payload: Readable, mostLines: number): Promise<SentFile> {
  const records: CsvRecord[] = [];
  let blank = 0;
  const reader = new CsvRecords(MOST_RECORD_OCTETS, (record) => {
    if (isBlank(record)) {
      blank += 1;
      if (blank > mostLines) throw tooLarge(`has more than ${mostLines} empty lines`);
      return;
    }
    // The first one names the columns.
    if (records.length > mostLines)
      throw tooLarge(`has more than ${mostLines} lines: send several smaller files`);
    records.push(record);
  });
  const beginning = new Beginning();
  const hash = createHash("sha256");
  const most = mostFileOctets(mostLines);
  let octets = 0;
  // What is left of a file that is refused is not waited for, and its connection must stay for the answer.
  for await (const chunk of payload.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    octets += chunk.length;
    if (octets > most) throw tooLarge(`has more than ${most} octets`);
    hash.update(chunk);
    reader.add(beginning.take(chunk, false));
  }
  reader.add(beginning.take(Buffer.alloc(0), true));
  reader.end();
  const file: BatchFile = beginning.isUtf16
    ? { lines: [], names: {}, faults: [{ line: 1, code: "utf-16" }] }
    : readBatchFile(records, { isUtf8: beginning.hasBom, most: mostLines });
  return { ...file, sha256: hash.digest("hex") };
}

/** Takes files of invitations in this scope, of at most so many lines below the names of the columns. */
export function addCsvParser(app: FastifyInstance, mostLines: number): void {
  app.addContentTypeParser(CSV, (_request: FastifyRequest, payload: Readable) =>
    readCsvFile(payload, mostLines),
  );
}
