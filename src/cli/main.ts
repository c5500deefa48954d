import { parseArgs } from "node:util";

import { ConfigurationError } from "../config/environment.ts";
import { createAsking } from "./asking.ts";
import {
  type Command,
  CommandError,
  type Given,
  type Option,
  type Surroundings,
  UsageError,
} from "./command.ts";
import { commandsFor } from "./commands.ts";
import { createSystem } from "./system.ts";

const EVERYBODYS: Readonly<Record<string, Option>> = {
  json: { type: "boolean", help: "answer with one JSON document" },
  help: { type: "boolean", short: "h", help: "say how to use the command" },
};

/** The command whose words the line begins with; the longest wins. */
function findCommand(commands: readonly Command[], line: readonly string[]): Command | undefined {
  return commands
    .filter(({ words }) => words.every((word, i) => line[i] === word))
    .toSorted((a, b) => b.words.length - a.words.length)[0];
}

function usageOf(command: Command): string {
  const positionals = (command.positionals ?? []).map((name) => ` <${name}>`).join("");
  return `suido ${command.words.join(" ")}${positionals}${command.isOpenEnded === true ? " …" : ""}`;
}

function generalHelp(commands: readonly Command[]): string[] {
  const width = Math.max(...commands.map((command) => usageOf(command).length));
  return [
    "suido: a private PKI for pharmacies",
    "",
    ...commands.map((command) => `  ${usageOf(command).padEnd(width)}  ${command.summary}`),
    "",
    "Each takes --json and --help. suido --version tells the version.",
    "Exit codes: 0 done, 1 failed, 2 wrong usage.",
  ];
}

function helpOf(command: Command): string[] {
  const options = Object.entries({ ...command.options, ...EVERYBODYS });
  const spelled = options.map(([name, option]) =>
    option.value === undefined ? `--${name}` : `--${name} ${option.value}`,
  );
  const width = Math.max(...spelled.map((text) => text.length));
  return [
    usageOf(command),
    `  ${command.summary}`,
    "",
    ...options.map(([, { help }], i) => `  ${(spelled[i] ?? "").padEnd(width)}  ${help}`),
  ];
}

/** Reads what stands behind the command's words. Throws UsageError. */
function parseGiven(command: Command, rest: readonly string[]): Given {
  try {
    const { values, positionals } = parseArgs({
      args: [...rest],
      options: Object.fromEntries(
        Object.entries({ ...command.options, ...EVERYBODYS }).map(
          ([name, { type, multiple = false, short }]) => [
            name,
            { type, multiple, ...(short !== undefined && { short }) },
          ],
        ),
      ),
      allowPositionals: true,
      strict: true,
    });
    return { positionals, options: values as Given["options"] };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : "wrong usage", { cause: error });
  }
}

/** Throws UsageError unless there are as many as the command wants. */
function checkPositionals(command: Command, count: number): void {
  const { positionals = [], isOpenEnded = false } = command;
  const isMore = count > positionals.length && !isOpenEnded;
  if (count < positionals.length || isMore) throw new UsageError(`usage: ${usageOf(command)}`);
}

const ASK_FOR_HELP: ReadonlySet<string> = new Set(["--help", "-h", "help"]);

async function dispatch(line: readonly string[], surroundings: Surroundings): Promise<number> {
  if (line.length === 1 && line[0] === "--version") {
    const { version } = await import("./version.ts");
    surroundings.print(`suido ${version}`);
    return 0;
  }
  const commands = await commandsFor(line);
  const command = findCommand(commands, line);
  if (command === undefined) {
    const askedForHelp = line.length === 0 || line.some((word) => ASK_FOR_HELP.has(word));
    if (!askedForHelp) throw new UsageError(`there is no command "${line.join(" ")}"`);
    for (const text of generalHelp(commands)) surroundings.print(text);
    return 0;
  }
  const given = parseGiven(command, line.slice(command.words.length));
  if (given.options["help"] === true) {
    for (const text of helpOf(command)) surroundings.print(text);
    return 0;
  }
  checkPositionals(command, given.positionals.length);
  return await command.run(given, surroundings);
}

/** One sentence for whoever typed the command. What is no fault of theirs shows its stack, because it is ours. */
function sentenceOf(error: unknown): string {
  if (error instanceof CommandError || error instanceof ConfigurationError) return error.message;
  if (error instanceof Error && "code" in error && typeof error.code === "string")
    return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Runs one command line. Returns the exit code: 0 done, 1 failed, 2 wrong usage. */
export async function main(line: readonly string[], env: Surroundings["env"]): Promise<number> {
  // `suido … | head` ends our output, and no more.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  const asking = createAsking();
  const surroundings: Surroundings = {
    env,
    system: createSystem(),
    print: (text) => process.stdout.write(`${text}\n`),
    complain: (text) => process.stderr.write(`${text}\n`),
    ask: asking.ask,
  };
  try {
    return await dispatch(line, surroundings);
  } catch (error) {
    if (error instanceof UsageError) {
      surroundings.complain(`suido: ${error.message}`);
      surroundings.complain('suido: "suido --help" lists the commands');
      return 2;
    }
    surroundings.complain(`suido: ${sentenceOf(error)}`);
    return 1;
  } finally {
    asking.close();
  }
}
