import { type AddressInfo, connect } from "node:net";

import type { FastifyInstance } from "fastify";
import { pino } from "pino";
import { expect, it, onTestFinished } from "vitest";

import { createVaApp } from "../../../src/http/va-app.ts";
import { appWith } from "./app.ts";

async function openApp(): Promise<FastifyInstance> {
  const { app } = await appWith();
  return listening(app);
}

/** The VA's listener without anything to serve. */
async function openVa(detail?: string): Promise<FastifyInstance> {
  const app = await createVaApp({
    responder: {
      answer: () => {
        throw new Error("not here");
      },
      setIssuers: () => undefined,
      setDelegate: () => undefined,
    } as unknown as Parameters<typeof createVaApp>[0]["responder"],
    counts: {} as Parameters<typeof createVaApp>[0]["counts"],
    publication: () => undefined,
    readiness: async () => {
      const ready = detail === undefined;
      return { ready, roles: { va: { ready, ...(!ready && { detail }) } } };
    },
    clock: () => new Date("2026-11-21T09:00:00Z"),
    log: pino({ level: "silent" }),
  });
  return listening(app);
}

async function listening(app: FastifyInstance): Promise<FastifyInstance> {
  onTestFinished(() => app.close());
  await app.listen({ host: "127.0.0.1", port: 0 });
  return app;
}

/** Sends what is given, then more of the same until nobody listens; gives all that came back, and how much was sent. */
function send(
  app: FastifyInstance,
  head: string,
  more?: Buffer,
): Promise<{ readonly answer: string; readonly sent: number }> {
  const { port } = app.server.address() as AddressInfo;
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let [answer, sent] = ["", 0];
    const pump = (): void => {
      if (more === undefined) return;
      while (socket.writable && sent < 500_000_000) {
        sent += more.length;
        if (!socket.write(more)) return void socket.once("drain", pump);
      }
    };
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
    // The rest of what we send is refused; that is what we wait for.
    socket.on("error", () => undefined);
    socket.on("close", () => resolve({ answer, sent }));
    socket.write(head, pump);
  });
}

it("the VA listener tells of its readiness in the shape in which the app does", async () => {
  const ready = await (await openVa()).inject("/health/ready");
  expect(ready.statusCode).toBe(200);
  expect(ready.json()).toEqual({ ready: true, roles: { va: { ready: true } } });
  const away = await (await openVa("no list; no delegate")).inject("/health/ready");
  expect(away.statusCode).toBe(503);
  expect(away.json()).toEqual({
    ready: false,
    roles: { va: { ready: false, detail: "no list; no delegate" } },
  });
});

it.for([
  { name: "a length that is too long", framing: "Content-Length: 1000000000", more: " " },
  {
    name: "no length at all",
    framing: "Transfer-Encoding: chunked",
    more: `10000\r\n${" ".repeat(65_536)}\r\n`,
  },
])("F20: a refused request with a body of $name is not read to its end", async (body) => {
  const app = await openApp();
  const head = `POST /v1/corporations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${body.framing}\r\n\r\n`;
  const { answer, sent } = await send(app, head, Buffer.from(body.more.padEnd(65_536)));
  expect(answer === "" || answer.includes("401 Unauthorized")).toBe(true);
  expect(sent).toBeLessThan(50_000_000);
});

it("keeps the connection of a refused request whose body is short", async () => {
  const app = await openApp();
  const { port } = app.server.address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/v1/corporations`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  expect(response.status).toBe(401);
  expect(response.headers.get("connection")).toBe("keep-alive");
});

it.for([
  { listener: "app", open: openApp, type: "/problems/malformed-request" },
  { listener: "VA", open: () => openVa(), type: "about:blank" },
])("the $listener listener answers what is not HTTP with a problem", async ({ open, type }) => {
  const { answer } = await send(await open(), "\u0016\u0003\u0001 nonsense\r\n\r\n");
  const [head = "", body = ""] = answer.split("\r\n\r\n");
  expect(head).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
  expect(head).toContain("content-type: application/problem+json");
  expect(JSON.parse(body)).toMatchObject({ type, status: 400 });
});

it.for([
  { listener: "app", open: openApp },
  { listener: "VA", open: () => openVa() },
])(
  "F19: the $listener listener gives headers 10 s and a request 30 s at most",
  async ({ open }) => {
    const { server } = await open();
    expect(server.headersTimeout).toBeLessThanOrEqual(10_000);
    expect(server.requestTimeout).toBeLessThanOrEqual(30_000);
    // Node.js takes the longer of the two for the request's, whichever it was given as.
    expect(server.headersTimeout).toBeLessThanOrEqual(server.requestTimeout);
  },
);
