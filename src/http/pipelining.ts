import type { Socket } from "node:net";

import type { FastifyInstance } from "fastify";

/** Proxies do not pipeline at all, and other clients a handful. */
const MOST_WAITING = 32;

/**
 * Ends connections that pile up requests (RFC 9112 §9.3.2). Node.js reads 64 KB at once, which may be 1,500 requests, and
 * answers all of them though nobody takes the answers: 10 MB for a connection, from a client that never reads.
 */
export function limitPipelining(app: FastifyInstance): void {
  const waiting = new WeakMap<Socket, number>();
  app.addHook("onRequest", (request, reply, done) => {
    // An answer gets its socket only when those before it are written.
    if (reply.raw.socket === null) {
      const { socket } = request.raw;
      const count = (waiting.get(socket) ?? 0) + 1;
      waiting.set(socket, count);
      reply.raw.once("close", () => waiting.set(socket, (waiting.get(socket) ?? 1) - 1));
      if (count > MOST_WAITING) {
        socket.destroy();
        return;
      }
    }
    done();
  });
}
