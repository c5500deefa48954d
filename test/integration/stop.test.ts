import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { afterEach, expect, it, vi } from "vitest";

import { freePorts } from "../../src/cli/instance.ts";
import { Service } from "../support/service.ts";

let service: Service | undefined;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await service?.dispose();
});

async function silentConnection(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  sockets.push(socket);
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

it("is not held up by connections on which nothing was ever asked", async () => {
  service = await Service.open();
  const { va, app, mtls } = service.instance.urls;
  for (const url of [va, app, mtls]) await silentConnection(url);
  const from = performance.now();
  expect(await service.stop()).toBe(0);
  expect(performance.now() - from).toBeLessThan(10_000);
});

it("is not held up by a queue that is away, and has told of it once", async () => {
  const [port = 0] = await freePorts(1);
  service = await Service.open({ REDIS_URL: `redis://127.0.0.1:${port}` });
  const { output } = service.instance;
  const told = (): string[] => output.filter((line) => line.includes("the queue is"));
  await vi.waitFor(() => expect(told()).toHaveLength(1), { timeout: 5_000 });
  // Time for several attempts to reach it.
  await sleep(2_000);
  const from = performance.now();
  expect(await service.stop()).toBe(0);
  expect(performance.now() - from).toBeLessThan(3_000);
  expect(told()).toEqual([expect.stringContaining("ECONNREFUSED")]);
  expect(told().join("")).not.toContain("stack");
});
