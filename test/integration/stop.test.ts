import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { freePorts } from "../../src/cli/instance.ts";
import { startRedis } from "../support/redis.ts";
import { Service } from "../support/service.ts";

let service: Service;
const sockets: Socket[] = [];
beforeAll(async () => {
  service = await Service.open();
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(() => service.dispose());

async function silentConnection(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  sockets.push(socket);
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

it("is not held up by connections on which nothing was ever asked", async () => {
  const { va, app, mtls } = service.instance.urls;
  for (const url of [va, app, mtls]) await silentConnection(url);
  const from = performance.now();
  expect(await service.stop()).toBe(0);
  expect(performance.now() - from).toBeLessThan(10_000);
});

const told = ({ instance }: Service): string[] =>
  instance.output.filter((line) => line.includes("the queue is"));

async function stopLater(running: Service) {
  // Time for several attempts to reach it.
  await sleep(3_000);
  const said = told(running);
  const from = performance.now();
  const code = await running.stop();
  return { code, said, isQuick: performance.now() - from < 3_000 };
}
describe("is not held up by a queue", () => {
  const quickly = {
    code: 0,
    isQuick: true,
    said: [expect.stringMatching(/^(?!.*stack).*the queue is away/) as string],
  };

  it("that never was there, and has told of it once", async () => {
    const [port = 0] = await freePorts(1);
    await service.start({ REDIS_URL: `redis://127.0.0.1:${port}` });
    expect(await stopLater(service)).toEqual(quickly);
  });

  it("that went away, and has told of it once", async () => {
    const redis = await startRedis();
    try {
      await service.start({ REDIS_URL: redis.url });
      await sleep(1_000);
      expect(told(service)).toEqual([]);
    } finally {
      await redis.stop();
    }
    expect(await stopLater(service)).toEqual(quickly);
  });
});
