import type { System } from "./system.ts";

/** Where a command writes, and what it takes from outside. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly system: System;
  /** One line for people or programs. */
  readonly print: (line: string) => void;
  /** One line about what is going on or wrong. */
  readonly complain: (line: string) => void;
  /** A question to whoever sits there; undefined where nobody answers. */
  readonly ask: (question: string) => Promise<string | undefined>;
}

/** What stood behind the command's words. */
export interface Given {
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
}

export interface Option {
  readonly type: "string" | "boolean";
  /** May be given several times. */
  readonly multiple?: true;
  /** One letter that says the same. */
  readonly short?: string;
  /** For the help: what the value is called. */
  readonly value?: string;
  readonly help: string;
}

/** One command of `suido`: its words, what it takes, and what it does. `--json` and `--help` are everybody's. */
export interface Command {
  readonly words: readonly string[];
  /** Names of what follows the words, in order; all of them are needed. */
  readonly positionals?: readonly string[];
  /** The last of them may come several times. */
  readonly isOpenEnded?: true;
  readonly options?: Readonly<Record<string, Option>>;
  readonly summary: string;
  /** Returns the exit code: 0 done, 1 failed. Throws UsageError for wrong usage, and CommandError for what has a sentence. */
  readonly run: (given: Given, surroundings: Surroundings) => Promise<number>;
}

/** The command line is not one of ours: exit code 2. */
export class UsageError extends Error {}

/** The command cannot do its work, for a reason that one sentence tells: exit code 1. */
export class CommandError extends Error {}

/** The option's text, or undefined when it was not given. */
export function textOption(given: Given, name: string): string | undefined {
  const value = given.options[name];
  return typeof value === "string" ? value : undefined;
}

/** All texts of an option that may be given several times, or undefined when it was not given. */
export function textOptions(given: Given, name: string): readonly string[] | undefined {
  const value = given.options[name];
  return typeof value === "object" ? value : undefined;
}

/** Prints one JSON document, or lines for people. */
export function show(
  given: Given,
  { print }: Surroundings,
  output: { readonly json: unknown; readonly lines: readonly string[] },
): void {
  if (given.options["json"] === true) {
    print(
      JSON.stringify(output.json, (_, value: unknown) =>
        typeof value === "bigint" ? value.toString() : value,
      ),
    );
    return;
  }
  for (const line of output.lines) print(line);
}
