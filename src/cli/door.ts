import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { createServer } from "node:net";

import type { Config, Listener } from "../config/environment.ts";
import type { Roles } from "./roles.ts";

/** The listeners of a process by their roles. */
const DOORS = [
  { role: "va", variable: "SUIDO_VA_LISTEN" },
  { role: "app", variable: "SUIDO_APP_LISTEN" },
  { role: "mtls", variable: "SUIDO_MTLS_LISTEN" },
] as const;

/** A Fastify app, as far as one needs to open and close its door. */
interface Door {
  listen(options: { host: string; port: number; reusePort: boolean }): Promise<string>;
}

const WHY: Readonly<Record<string, string>> = {
  EADDRINUSE: "something else listens there already",
  EADDRNOTAVAIL: "this machine has no such address",
  EACCES: "this account may not listen there",
  ENOTFOUND: "no address is known for this host",
  EAI_AGAIN: "no address is known for this host",
};

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "";

/** What whoever started the service must read. */
function refusal(variable: string, { host, port }: Place, cause: unknown): Error {
  const code = codeOf(cause);
  const why = WHY[code] ?? `it cannot be opened (${code})`;
  return Object.assign(new Error(`${variable} is ${host}:${port}, but ${why}`, { cause }), {
    code: "listener",
  });
}

/** Where to listen, and whether other processes of ours do so too. */
export interface Place extends Pick<Listener, "host" | "port"> {
  readonly isShared?: boolean;
}

/** Opens a door; a port in use or a host that is not ours is told in a sentence. */
export async function listenOn(door: Door, place: Place, variable: string): Promise<void> {
  const { host, isShared = false, port } = place;
  try {
    await door.listen({ host, port, reusePort: isShared });
  } catch (error) {
    throw refusal(variable, place, error);
  }
}

async function tryToListen(host: string, port: number): Promise<void> {
  const server = createServer().listen({ host, port });
  await once(server, "listening");
  server.close();
  await once(server, "close");
}

/**
 * Tries every address of a listener. Fastify opens `localhost` on all of its addresses and goes on without those that
 * this machine lacks; one that another program has would take our visitors.
 */
async function tryListener({ host, port }: Listener): Promise<void> {
  await tryToListen(host, port);
  if (host !== "localhost") return;
  for (const { address } of await lookup(host, { all: true })) {
    await tryToListen(address, port).catch((error: unknown) => {
      if (codeOf(error) === "EADDRINUSE") throw error;
    });
  }
}

/**
 * Makes sure that this process can open its doors, before anything lasting is done: a CA that is made on the first start
 * writes the VA's address into its certificates for good.
 */
// One that several processes share is tried alone first, or a second Suido would share it in silence.
export async function tryDoors(config: Config, roles: Roles): Promise<void> {
  for (const { role, variable } of DOORS) {
    if (!roles.has(role)) continue;
    try {
      await tryListener(config[role]);
    } catch (error) {
      throw refusal(variable, config[role], error);
    }
  }
}
