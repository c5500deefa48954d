import { Readable } from "node:stream";

import type { TSchema } from "typebox";

import { NDJSON } from "./ndjson-body.ts";
import { named } from "./schemas/common.ts";

/**
 * The lines of a list, below a heading where there is one. The first one is made before anything is sent, so that its
 * failure is still a problem document.
 */
export async function textOf<Line>(
  lines: AsyncIterable<Line>,
  { heading = "", write }: { readonly heading?: string; readonly write: (line: Line) => string },
): Promise<Readable> {
  const iterator = lines[Symbol.asyncIterator]();
  const first = await iterator.next();
  async function* texts(): AsyncGenerator<string> {
    try {
      if (heading !== "") yield heading;
      for (let one = first; one.done !== true; one = await iterator.next()) yield write(one.value);
    } finally {
      await iterator.return?.();
    }
  }
  return Readable.from(texts(), { highWaterMark: 1 });
}

/** One JSON text. */
export const jsonLine = (line: object): string => `${JSON.stringify(line)}\n`;

/** An answer of lines, each of which is one of these. */
export function linesOf(line: TSchema, others: object = {}): object {
  return { description: "Lines.", content: { [NDJSON]: { schema: named(line) }, ...others } };
}
