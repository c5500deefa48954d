import { isUtf8 } from "node:buffer";
import type { Readable } from "node:stream";

import type { FastifyInstance, FastifyRequest } from "fastify";

import { type FieldFault, HttpError, MOST_FAULTS } from "./errors.ts";
import type { Problem } from "./problem.ts";

/** One JSON text a line (https://github.com/ndjson/ndjson-spec). */
export const NDJSON = "application/x-ndjson";

const NEWLINE = 0x0a;

/** How much a body may be. */
export interface LineLimits {
  /** In octets, all of it. */
  readonly body: number;
  /** In octets. */
  readonly line: number;
  readonly lines: number;
}

const NO_JSON = "is not well-formed JSON in UTF-8, or has a member __proto__ or constructor";

type ParseJson = (request: FastifyRequest, text: string) => unknown;

const placeOf = (line: number): string => `line ${line}`;

/** Reads a body line by line: beside what it holds, no more than one line of it is in memory. */
class LineReader {
  readonly #limits: LineLimits;
  readonly #take: (line: Buffer) => void;
  #rest: Buffer[] = [];
  #held = 0;
  #octets = 0;

  constructor(limits: LineLimits, take: (line: Buffer) => void) {
    this.#limits = limits;
    this.#take = take;
  }

  add(chunk: Buffer): void {
    this.#octets += chunk.length;
    if (this.#octets > this.#limits.body) throw tooLarge("body", this.#limits.body);
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to >= 0; to = chunk.indexOf(NEWLINE, from)) {
      this.#hold(chunk.subarray(from, to));
      this.#give();
      from = to + 1;
    }
    this.#hold(chunk.subarray(from));
  }

  /** The last line may end without a line feed. */
  end(): void {
    if (this.#held > 0) this.#give();
  }

  #hold(piece: Buffer): void {
    this.#held += piece.length;
    if (this.#held > this.#limits.line) throw tooLarge("line", this.#limits.line);
    this.#rest.push(piece);
  }

  #give(): void {
    const line = Buffer.concat(this.#rest);
    this.#rest = [];
    this.#held = 0;
    this.#take(line);
  }
}

function tooLarge(what: "body" | "line", most: number): HttpError {
  const detail =
    what === "body" ? `has more than ${most} octets` : `has a line of more than ${most} octets`;
  return new HttpError("content-too-large", `the body ${detail}`, [{ field: "body", detail }]);
}

/** The values of the lines, in their order. Throws HttpError with the lines that are none, and when there are too many. */
async function readLines(
  payload: Readable,
  parse: (text: string) => unknown,
  limits: LineLimits,
): Promise<readonly unknown[]> {
  const values: unknown[] = [];
  const faults: FieldFault[] = [];
  const reader = new LineReader(limits, (line) => {
    const number = values.length + 1;
    if (number > limits.lines) {
      const detail = `must have at most ${limits.lines} lines`;
      throw new HttpError("invalid-request", `the body ${detail}`, [{ field: "body", detail }]);
    }
    try {
      values.push(isUtf8(line) ? parse(line.toString("utf8")) : undefined);
    } catch {
      values.push(undefined);
    }
    if (values.at(-1) === undefined && faults.length < MOST_FAULTS)
      faults.push({ field: placeOf(number), detail: NO_JSON });
  });
  // What is left of a body that is refused is not waited for, and its connection must stay for the answer.
  for await (const chunk of payload.iterator({ destroyOnReturn: false }))
    reader.add(chunk as Buffer);
  reader.end();
  if (faults.length > 0) {
    const says = faults.map(({ field, detail }) => `${field} ${detail}`).join("; ");
    throw new HttpError("malformed-request", says, faults);
  }
  return values;
}

/** Takes bodies of lines in this scope: as `{ items }`. */
export function addNdjsonParser(app: FastifyInstance, limits: LineLimits): void {
  const parser = app.getDefaultJsonParser("error", "error");
  const parse: ParseJson = (request, text) => {
    let found: unknown;
    // It calls back before it returns.
    void parser(request, text, (error, value) => {
      if (error !== null) throw error;
      found = value;
    });
    return found;
  };
  app.addContentTypeParser(NDJSON, async (request: FastifyRequest, payload: Readable) => ({
    items: await readLines(payload, (text) => parse(request, text), limits),
  }));
}

/** Whether the body of a request is of lines. */
export function hasLines({ headers }: FastifyRequest): boolean {
  const [type = ""] = (headers["content-type"] ?? "").split(";");
  return type.trim().toLowerCase() === NDJSON;
}

const inLines = (text: string): string =>
  text.replaceAll(/\bitems\[(\d+)\]\.?(?=(\w?))/g, (_, place: string, next: string) =>
    next === "" ? placeOf(Number(place) + 1) : `${placeOf(Number(place) + 1)}: `,
  );

/** The same problem, told in lines (counted from 1) to who sent lines, not items. */
export function problemInLines(problem: Problem): Problem {
  const { detail, errors } = problem;
  return {
    ...problem,
    ...(detail !== undefined && { detail: inLines(detail) }),
    ...(errors !== undefined && {
      errors: errors.map((fault) => ({
        field: inLines(fault.field),
        detail: inLines(fault.detail),
      })),
    }),
  };
}
