import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** What came back of a connection. */
export interface Outcome {
  /** Everything that was received. */
  readonly text: string;
  /** How many octets we could write. */
  readonly sent: number;
  /** From the connection to its end, in milliseconds. */
  readonly tookMs: number;
  readonly closed: boolean;
}

/** A connection that does what no decent client does. */
export async function hostile(
  port: number,
  attack: (socket: Socket, isOver: () => boolean) => Promise<void>,
  patienceMs = 20_000,
): Promise<Outcome> {
  const began = performance.now();
  const socket = connect(port, "127.0.0.1");
  const parts: Buffer[] = [];
  let closed = false;
  socket.on("data", (part: Buffer) => parts.push(part));
  socket.on("error", () => undefined);
  const ended = new Promise<void>((resolve) => {
    socket.once("end", resolve);
    socket.once("close", () => {
      closed = true;
      resolve();
    });
  });
  const timer = setTimeout(() => socket.destroy(), patienceMs);
  await once(socket, "connect");
  let over = false;
  void ended.then(() => (over = true));
  await Promise.race([attack(socket, () => over), ended]);
  await ended;
  const tookMs = performance.now() - began;
  clearTimeout(timer);
  const sent = socket.bytesWritten;
  const isClosedByThem = closed || socket.readableEnded;
  socket.destroy();
  const text = Buffer.concat(parts).toString("latin1");
  return { text, sent, tookMs, closed: isClosedByThem && tookMs < patienceMs };
}

/** Writes again and again, no faster than it is taken, until there is an answer, the end, or `octets` are written. */
export async function pour(
  socket: Socket,
  chunk: Uint8Array | string,
  until: { readonly octets: number; readonly isOver: () => boolean },
): Promise<void> {
  const size = typeof chunk === "string" ? Buffer.byteLength(chunk) : chunk.length;
  for (let sent = 0; sent < until.octets && !until.isOver() && socket.writable; sent += size) {
    const isTaken = socket.write(chunk);
    // Who answers and closes while more comes resets the connection, and the answer with it: let it be read first.
    await sleep(1);
    if (socket.bytesRead > 0) return;
    if (!isTaken)
      await Promise.race([once(socket, "drain"), once(socket, "close")]).catch(() => undefined);
  }
}

/** Resident memory of a process, in megabytes (proc(5)). */
export function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}

/** How many files and sockets a process has open. */
export const openFiles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
