import { once } from "node:events";
import { connect, type Socket } from "node:net";

import { afterEach, expect, it } from "vitest";

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
