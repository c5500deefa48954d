import type { Command } from "./command.ts";
import { serveCommands } from "./commands/serve.ts";

/** The commands that a line may mean. The service loads nothing of the others: it would keep that in memory for months. */
export async function commandsFor(line: readonly string[]): Promise<readonly Command[]> {
  if (line[0] === "serve") return serveCommands;
  const { COMMANDS } = await import("./all-commands.ts");
  return COMMANDS;
}
