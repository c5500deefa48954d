import type { Listener } from "../config/environment.ts";

/** A Fastify app, as far as one needs to open and close its door. */
interface Door {
  listen(options: { host: string; port: number }): Promise<string>;
}

/** Opens a door; a port in use or a host that is not ours is told in a sentence. */
export async function listenOn(
  door: Door,
  { host, port }: Listener,
  variable: string,
): Promise<void> {
  try {
    await door.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const why =
      code === "EADDRINUSE"
        ? "something else listens there already"
        : `it cannot be opened (${code})`;
    throw Object.assign(new Error(`${variable} is ${host}:${port}, but ${why}`, { cause: error }), {
      code: "listener",
    });
  }
}
