import type { Command } from "./command.ts";

/**
 * The commands that a line may mean. What runs for months, the service and the gate beside a proxy, loads nothing of the
 * others: it would keep that in memory.
 */
export async function commandsFor(line: readonly string[]): Promise<readonly Command[]> {
  if (line[0] === "serve") return (await import("./commands/serve.ts")).serveCommands;
  if (line[0] === "gate") return (await import("./commands/gate.ts")).gateCommands;
  const { COMMANDS } = await import("./all-commands.ts");
  return COMMANDS;
}
