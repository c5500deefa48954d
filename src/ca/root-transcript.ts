import { createHash } from "node:crypto";

import type { Clock } from "../pki/clock.ts";

const START = "0".repeat(64);

const chained = (previous: string, line: string): string =>
  createHash("sha256").update(`${previous}\n${line}`).digest("hex");

/**
 * What happens in a root session, line by line, each with the hash over itself and all before it: the last hash, noted on
 * paper, stands for every line.
 */
export class Transcript {
  readonly #clock: Clock;
  readonly #lines: string[] = [];
  #hash = START;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Adds a line, which has no line feed. */
  add(what: string): void {
    const number = String(this.#lines.length + 1).padStart(3, "0");
    const line = `${number} ${this.#clock().toISOString()} ${what.replaceAll(/\s+/g, " ")}`;
    this.#hash = chained(this.#hash, line);
    this.#lines.push(`${line} #${this.#hash}`);
  }

  get hash(): string {
    return this.#hash;
  }

  get text(): string {
    return this.#lines.map((line) => `${line}\n`).join("");
  }
}

/** What is wrong with a transcript's chain, or nothing. */
export function transcriptFault(text: string): string | undefined {
  const lines = text.split("\n");
  if (lines.pop() !== "" || lines.length === 0) return "the transcript is not whole";
  let hash = START;
  for (const [index, whole] of lines.entries()) {
    const [, line = "", told] = /^(.*) #([0-9a-f]{64})$/.exec(whole) ?? [];
    hash = chained(hash, line);
    if (hash !== told || !line.startsWith(`${String(index + 1).padStart(3, "0")} `))
      return `line ${index + 1} of the transcript does not fit the ones before it`;
  }
  return undefined;
}
