import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

import Fastify, { type FastifyInstance } from "fastify";
import { expect, it, onTestFinished } from "vitest";

import { drainBeforeClose, pauseBeforeClose } from "../../../src/http/drain.ts";
import { installErrorReplies } from "../../../src/http/error-replies.ts";

const listeners = [
  { name: "app", drain: drainBeforeClose },
  { name: "VA", drain: pauseBeforeClose },
] as const;

/** A listener with one address, whose answers take a while. */
async function listening(drain: (app: FastifyInstance) => void, ms: number): Promise<Listening> {
  const app = Fastify({ return503OnClosing: false, forceCloseConnections: "idle" });
  drain(app);
  installErrorReplies(app);
  let begun = 0;
  app.get("/", async () => {
    begun += 1;
    await wait(ms);
    return { done: true };
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  return { app, port, begun: () => begun };
}

interface Listening {
  readonly app: FastifyInstance;
  readonly port: number;
  /** Requests that have reached the route. */
  readonly begun: () => number;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

interface Failure {
  readonly code: string | undefined;
  /** Whether the connection had carried a request before. */
  readonly reused: boolean;
}

function get(port: number, agent: Agent): Promise<Answer | Failure> {
  return new Promise((resolve) => {
    const asked = request({ host: "127.0.0.1", port, agent }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, headers, body });
      });
    });
    asked.on("error", (error: NodeJS.ErrnoException) =>
      resolve({ code: error.code, reused: asked.reusedSocket }),
    );
    asked.end();
  });
}

/** Asks again and again over one connection until it is refused; gives everything that came. */
async function client(port: number): Promise<readonly (Answer | Failure)[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const all: (Answer | Failure)[] = [];
  for (;;) {
    const answer = await get(port, agent);
    all.push(answer);
    if (!("status" in answer) || answer.status !== 200) break;
    // Like a person's program: now and then it thinks.
    await wait(all.length % 7);
  }
  agent.destroy();
  return all;
}

it.for(listeners)(
  "the $name listener, stopped under load, answers every request of 16 clients on connections that stay open",
  async ({ drain }) => {
    const { app, port, begun } = await listening(drain, 2);
    const clients = Promise.all(Array.from({ length: 16 }, () => client(port)));
    while (begun() < 200) await wait(5);
    await app.close();
    const all = (await clients).flat();
    expect(all.filter((one) => "status" in one && one.status === 200)).toHaveLength(begun());
    // A new connection may come too late: refused, or still waiting to be accepted, with nothing of it read.
    expect(all.filter((one) => "reused" in one && one.reused)).toEqual([]);
  },
);

it("answers what is under way and refuses what comes after with a problem, each as the last of its connection", async () => {
  const { app, port, begun } = await listening(drainBeforeClose, 700);
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  const early = get(port, agent);
  while (begun() < 1) await wait(5);
  const closing = app.close();
  await wait(50);
  const late = await get(port, agent);
  expect(late).toMatchObject({
    status: 503,
    headers: {
      connection: "close",
      "retry-after": "5",
      "content-type": "application/problem+json",
      "cache-control": "no-store",
    },
  });
  expect(JSON.parse("body" in late ? late.body : "")).toMatchObject({
    type: "/problems/stopping",
    status: 503,
  });
  expect(await early).toMatchObject({ status: 200, headers: { connection: "close" } });
  await closing;
});

it.for(listeners)(
  "the $name listener answers a request whose octets trickle in while it closes",
  async ({ drain }) => {
    const { app, port } = await listening(drain, 1);
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
    await once(socket, "connect");
    const closing = app.close();
    for (const part of ["GET / HTTP/1.1\r\n", "Host: x\r\n", "Accept: */*\r\n", "\r\n"]) {
      await wait(250);
      socket.write(part);
    }
    await once(socket, "close");
    expect(answer).toMatch(/^HTTP\/1\.1 (?:200|503) /);
    expect(answer.toLowerCase()).toContain("connection: close");
    await closing;
  },
);

it.for(listeners)(
  "the $name listener does not wait for a connection on which nothing is asked",
  async ({ drain }) => {
    const { app, port } = await listening(drain, 1);
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    const from = performance.now();
    await app.close();
    expect(performance.now() - from).toBeLessThan(3_000);
  },
);
