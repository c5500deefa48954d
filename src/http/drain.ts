import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

import type { FastifyInstance } from "fastify";

import { HttpError } from "./errors.ts";

/** How long requests under way may take to end once the listener closes, in milliseconds. */
const PATIENCE_MS = 15_000;

/** How often the open connections are looked at while the listener closes, in milliseconds. */
const SWEEP_MS = 100;

/**
 * A connection is quiet when no octet came between so many sweeps. Until then its next request may be on its way, and to
 * close on that would lose it. It is longer than any answer of the VA: those come from memory, the slowest ask the
 * database once, for at most 250 ms.
 */
const QUIET_SWEEPS = 4;

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

/** Names the other end of a connection: a TLS socket is another object than the socket that was accepted for it. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ""} ${remotePort ?? ""}`;
}

/** Looks at the open connections now and then, and ends those that are quiet; without patience, all. */
function createSweep(
  open: ReadonlySet<Socket>,
  underWay: ReadonlySet<ServerResponse>,
): (isPatient: boolean) => void {
  const seen = new WeakMap<Socket, { readonly octets: number; readonly sweeps: number }>();
  return (isPatient) => {
    const busy = new Set<string>();
    for (const { socket } of underWay) if (socket !== null) busy.add(peerOf(socket));
    for (const socket of open) {
      const before = seen.get(socket);
      const octets = socket.bytesRead;
      const isBusy = busy.has(peerOf(socket)) || before?.octets !== octets;
      const sweeps = isBusy ? 0 : before.sweeps + 1;
      seen.set(socket, { octets, sweeps });
      if (!isPatient || sweeps >= QUIET_SWEEPS) socket.destroy();
    }
  };
}

/** Settles when all of these connections have ended. */
async function ended(sockets: Iterable<Socket>): Promise<void> {
  await Promise.all(
    Array.from(sockets, (socket) => new Promise((resolve) => socket.once("close", resolve))),
  );
}

/**
 * Ends every connection once it is quiet, also one on which nothing was ever asked: browsers open such connections ahead,
 * Node.js counts them as busy, and a stop would wait for them. Only then the listener closes: Node.js ends idle
 * connections with it, also those whose next request is on its way.
 */
function endConnections(app: FastifyInstance, underWay: ReadonlySet<ServerResponse>): void {
  const open = trackConnections(app);
  const sweep = createSweep(open, underWay);
  app.addHook("preClose", async () => {
    let isPatient = true;
    const patience = setTimeout(() => (isPatient = false), PATIENCE_MS);
    const sweeping = setInterval(() => sweep(isPatient), SWEEP_MS);
    app.server.once("close", () => {
      clearTimeout(patience);
      clearInterval(sweeping);
    });
    await ended(open);
  });
}

/**
 * Answers requests under way while the listener closes, each as the last of its connection, and refuses those that come
 * after them.
 */
export function drainBeforeClose(app: FastifyInstance): void {
  const underWay = new Set<ServerResponse>();
  let isClosing = false;
  app.addHook("onRequest", async (_request, { raw }) => {
    underWay.add(raw);
    raw.once("close", () => underWay.delete(raw));
    // Fastify ends the connection with this answer.
    if (isClosing) throw new HttpError("stopping", "this process is about to stop");
  });
  app.addHook("preClose", async () => {
    isClosing = true;
    for (const raw of underWay) if (!raw.headersSent) raw.setHeader("connection", "close");
  });
  endConnections(app, underWay);
}

/** The same for a listener whose every answer is short: it answers to the end, and counts nothing, which would cost each of them. */
export function pauseBeforeClose(app: FastifyInstance): void {
  endConnections(app, new Set());
}
