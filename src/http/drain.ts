import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

import type { FastifyInstance } from "fastify";

/** How long requests under way may take to end once the listener closes, in milliseconds. */
const PATIENCE_MS = 15_000;

/** Answers of the VA come from memory; the slowest ask the database once, for at most 250 ms. */
const SHORT_PATIENCE_MS = 400;

/** How often connections are ended that came or stayed while the listener closes. */
const SWEEP_MS = 100;

/** Where Node.js tells of every connection that a server of this process has accepted. */
const ACCEPTED = "net.server.socket";

/**
 * The open connections of a listener. Fastify has a second server for the other address of `localhost` and shows only the
 * first, and neither counts a connection that is still in its TLS handshake; the port is what all of them share.
 */
function trackConnections(app: FastifyInstance): ReadonlySet<Socket> {
  const open = new Set<Socket>();
  const hear = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    const isOurs = app
      .addresses()
      .some((address) => typeof address !== "string" && address.port === socket.localPort);
    if (!isOurs) return;
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  };
  subscribe(ACCEPTED, hear);
  app.addHook("onClose", async () => {
    unsubscribe(ACCEPTED, hear);
  });
  return open;
}

/** Ends every connection before the listener closes, as soon as `settled` says that nobody waits for an answer. */
function endConnections(app: FastifyInstance, settled: () => Promise<unknown>): void {
  const open = trackConnections(app);
  const sweep = (): void => {
    for (const socket of open) socket.destroy();
  };
  app.addHook("preClose", async () => {
    await settled();
    sweep();
    const timer = setInterval(sweep, SWEEP_MS);
    app.server.once("close", () => clearInterval(timer));
  });
}

const wait = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });

/**
 * Lets requests under way end, then ends every connection, also one on which nothing was ever asked: browsers open such
 * connections ahead, Node.js counts them as busy, and a stop would wait for them.
 */
export function drainBeforeClose(app: FastifyInstance): void {
  const underWay = new Set<ServerResponse>();
  app.addHook("onRequest", async (_request, { raw }) => {
    underWay.add(raw);
    raw.once("close", () => underWay.delete(raw));
  });
  endConnections(app, () => {
    const ends = [...underWay].map((raw) => new Promise((resolve) => raw.once("close", resolve)));
    return Promise.race([Promise.all(ends), wait(PATIENCE_MS)]);
  });
}

/** The same for a listener whose every answer is short: it waits without counting requests, which would cost each of them. */
export function pauseBeforeClose(app: FastifyInstance): void {
  endConnections(app, () => wait(SHORT_PATIENCE_MS));
}
