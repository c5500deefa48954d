import { chmodSync, unlinkSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import type { Logger } from "pino";
import { isErrno } from "../storage/errno.ts";
import { JournalInUseError, SignerUnavailableError } from "./errors.ts";
import { FrameReader, writeFrame } from "./frames.ts";
import { type SignerCall, SignerCalls, signerOver } from "./signer-calls.ts";
import type { SignerClient } from "./signer-client.ts";
import { answerRequest, type SignerRequest } from "./signer-message.ts";
import { readReply, readRequest, writeReply, writeRequest } from "./signer-wire.ts";

/** A thousand serials, or the hashes of a batch of lists, are far below. */
const REQUEST_OCTETS = 256 * 1024;

/** The lists of a million entries in base64, twice: all in one, and in shards. */
const REPLY_OCTETS = 256 * 1024 * 1024;

/** Processes of one machine that need a signer: a few of each role. */
const MOST_CONNECTIONS = 64;

/** A connection with so many requests under way is not read any further until some are answered. */
const MOST_UNDER_WAY = 256;

/** The waits before a lost signer is looked for again. */
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;

/** How long work under way may take to end when the socket is closed. */
const STOP_TIMEOUT_MS = 10_000;

export interface SignerSocket {
  /** Takes no more requests, finishes those under way, and removes the socket. The signer itself goes on. */
  close(): Promise<void>;
}

/** Whether somebody listens there. A file that a killed process has left refuses. */
async function isServed(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    return true;
  } catch (error) {
    if (isErrno(error, "ECONNREFUSED") || isErrno(error, "ENOENT")) return false;
    throw error;
  } finally {
    socket.destroy();
  }
}

/** Listens; a file that nobody answers behind is cleared away first. */
async function listenAt(server: Server, path: string): Promise<void> {
  server.listen(path);
  try {
    await once(server, "listening");
  } catch (error) {
    if (!isErrno(error, "EADDRINUSE")) throw error;
    if (await isServed(path))
      throw new JournalInUseError(`another signer listens at ${path}: stop it first`, {
        cause: error,
      });
    unlinkSync(path);
    server.listen(path);
    await once(server, "listening");
  }
  // The folder keeps others out; within it, the group that the folder belongs to may connect.
  chmodSync(path, 0o660);
}

/** One connection: what comes is read strictly, and whoever sends anything else is cut off without an answer. */
function serveConnection(
  socket: Socket,
  { signer, log }: { readonly signer: SignerClient; readonly log: Logger },
): Set<Promise<void>> {
  const frames = new FrameReader(REQUEST_OCTETS);
  const underWay = new Set<Promise<void>>();
  const answer = async (request: SignerRequest): Promise<void> => {
    const reply = await answerRequest(signer, request);
    if (socket.writable) socket.write(writeFrame(writeReply(request.method, reply)));
  };
  const fail = (error: unknown): void => {
    log.warn({ err: error }, "a connection to the signer is closed");
    socket.destroy();
  };
  const take = (request: SignerRequest): void => {
    const work = answer(request)
      .catch(fail)
      .finally(() => {
        underWay.delete(work);
        if (underWay.size < MOST_UNDER_WAY) socket.resume();
      });
    underWay.add(work);
    if (underWay.size >= MOST_UNDER_WAY) socket.pause();
  };
  socket.on("error", (error) => log.debug({ err: error }, "a connection to the signer broke"));
  socket.on("data", (piece) => {
    try {
      for (const frame of frames.read(piece)) take(readRequest(frame));
    } catch (error) {
      fail(error);
    }
  });
  return underWay;
}

export interface ServeOptions {
  /** Of 107 octets at most (unix(7)), in a folder that nobody else may enter: that is the only access control. */
  readonly path: string;
  readonly signer: SignerClient;
  readonly log: Logger;
}

/** Serves a signer to other processes of this machine over a Unix socket: JSON in frames, checked on both sides. */
export async function serveSocket({ path, signer, log }: ServeOptions): Promise<SignerSocket> {
  const connections = new Map<Socket, Set<Promise<void>>>();
  const server = createServer((socket) => {
    connections.set(socket, serveConnection(socket, { signer, log }));
    socket.on("close", () => connections.delete(socket));
  });
  server.maxConnections = MOST_CONNECTIONS;
  await listenAt(server, path);
  server.on("error", (error) => log.error({ err: error }, "the signer's socket"));
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      const ending = [...connections].map(async ([socket, underWay]) => {
        socket.pause();
        await Promise.all(underWay);
        socket.end(() => socket.destroy());
      });
      const timer = setTimeout(() => {
        for (const socket of connections.keys()) socket.destroy();
      }, STOP_TIMEOUT_MS);
      await Promise.all(ending);
      await closed;
      clearTimeout(timer);
    },
  };
}

export interface ConnectOptions {
  readonly path: string;
  readonly log: Logger;
}

/** Keeps a connection to the socket. While there is none, everything asked is refused at once. */
class Connection {
  readonly #options: ConnectOptions;
  readonly #calls = new SignerCalls();
  #socket: Socket | undefined;
  #isReady = false;
  #isClosed = false;
  #isAway = false;
  #wait = FIRST_WAIT_MS;
  #retry: NodeJS.Timeout | undefined;

  constructor(options: ConnectOptions) {
    this.#options = options;
  }

  open(): void {
    const socket = connect(this.#options.path);
    const frames = new FrameReader(REPLY_OCTETS);
    let why: unknown;
    this.#socket = socket;
    socket.on("connect", () => this.#becomeReady());
    socket.on("error", (error) => (why = error));
    socket.on("close", () => this.#lose(why));
    socket.on("data", (piece) => {
      try {
        for (const frame of frames.read(piece)) this.#hear(frame);
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
  }

  readonly call: SignerCall = (method, args) => {
    if (!this.#isReady)
      return Promise.reject(new SignerUnavailableError("the signer is not reached"));
    const { id, answered } = this.#calls.open(method);
    this.#socket?.write(writeFrame(writeRequest({ id, method, args })));
    return answered;
  };

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    const socket = this.#socket;
    if (socket === undefined || socket.closed) return;
    const closed = once(socket, "close");
    socket.destroy();
    await closed;
  }

  #hear(frame: unknown): void {
    const reply = readReply(frame, (id) => this.#calls.methodOf(id));
    if (reply !== undefined) this.#calls.settle(reply);
    this.#wait = FIRST_WAIT_MS;
  }

  #becomeReady(): void {
    if (this.#isAway) this.#options.log.info("the signer is reached again");
    this.#isReady = true;
    this.#isAway = false;
  }

  #lose(why: unknown): void {
    this.#isReady = false;
    this.#calls.loseAll("the connection to the signer ended before it answered");
    if (this.#isClosed) return;
    if (!this.#isAway)
      this.#options.log.warn({ err: why }, "the signer is not reached, and looked for again");
    this.#isAway = true;
    this.#retry = setTimeout(() => this.open(), this.#wait);
    this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT_MS);
  }
}

/** The signer behind a socket. It need not be there yet, and may go and come back. */
export function connectSigner(options: ConnectOptions): SignerClient {
  const connection = new Connection(options);
  connection.open();
  return signerOver(connection.call, () => connection.close());
}
