import { closeSync, openSync, readSync } from "node:fs";

/** Large enough that reading is not what takes the time. */
const CHUNK_OCTETS = 1 << 20;

const LINE_FEED = 0x0a;

/** A line of a file, without its line feed. */
export interface Line {
  readonly text: string;
  /** Where the next line begins. */
  readonly end: number;
  /** False for a last line that has no line feed. */
  readonly isComplete: boolean;
}

/**
 * The lines of a file, one after the other: it may be larger than memory.
 *
 * @yields each line; the last one may be incomplete
 */
export function* readLines(file: string): Generator<Line> {
  const descriptor = openSync(file, "r");
  try {
    const chunk = Buffer.alloc(CHUNK_OCTETS);
    let rest: Buffer = Buffer.alloc(0);
    let end = 0;
    for (let at = 0; ;) {
      const octets = readSync(descriptor, chunk, 0, chunk.length, at);
      if (octets === 0) break;
      at += octets;
      const held = Buffer.concat([rest, chunk.subarray(0, octets)]);
      let begin = 0;
      for (let feed = held.indexOf(LINE_FEED); feed >= 0; feed = held.indexOf(LINE_FEED, begin)) {
        end += feed + 1 - begin;
        yield { text: held.toString("utf8", begin, feed), end, isComplete: true };
        begin = feed + 1;
      }
      rest = held.subarray(begin);
    }
    if (rest.length > 0) {
      yield { text: rest.toString("utf8"), end: end + rest.length, isComplete: false };
    }
  } finally {
    closeSync(descriptor);
  }
}
