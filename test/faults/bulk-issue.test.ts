import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, expect, it } from "vitest";

import type { BulkIssue, BulkIssueLine } from "../../src/ca/bulk-issue.ts";
import { eventually, makeDeviceKey, Service, type World } from "../support/service.ts";

const TOTAL = 1_200;

let service: Service;
let world: World;
beforeAll(async () => {
  service = await Service.open();
  world = await service.world();
});
afterAll(() => service.dispose());

function look(id: string): Promise<BulkIssue> {
  return service.must<BulkIssue>("GET", `/v1/bulk-issues/${id}`);
}

async function lines(id: string): Promise<BulkIssueLine[]> {
  const answer = await fetch(`${service.instance.urls.app}/v1/bulk-issues/${id}/report`, {
    headers: { authorization: `Bearer ${service.key}` },
  });
  const text = await answer.text();
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as BulkIssueLine);
}

it("a bulk issue is killed in its work, twice, and issues each certificate once", async () => {
  const { accountId, deviceId } = world;
  const items = Array.from({ length: TOTAL }, () => ({
    accountId,
    deviceId,
    csr: makeDeviceKey().csr,
  }));
  const { corporationId } = await service.must<{ corporationId: string }>(
    "GET",
    `/v1/devices/${deviceId}`,
  );
  const body = { corporationId, items };
  const { id } = await service.must<BulkIssue>("POST", "/v1/bulk-issues", { body });
  for (const some of [1, TOTAL / 2]) {
    await eventually(
      () => look(id),
      ({ issued }) => issued >= some,
      20_000,
    );
    await sleep(20 * Math.random());
    await service.killAll();
    await service.start();
  }
  const ended = await eventually(
    () => look(id),
    ({ state }) => state === "ended",
    30_000,
  );
  expect(ended).toMatchObject({ total: TOTAL, issued: TOTAL, failed: 0 });
  const reported = await lines(id);
  expect(reported.map(({ state }) => state)).toEqual(items.map(() => "issued"));
  const serials = new Set(reported.map(({ serialNumber }) => serialNumber));
  expect(serials.size).toBe(TOTAL);
  // Neither is one of them signed that nobody was told of.
  const { items: found } = await service.must<{ items: { serialNumber: string }[] }>(
    "GET",
    `/v1/devices/${deviceId}/certificates`,
  );
  expect(new Set(found.map(({ serialNumber }) => serialNumber))).toEqual(serials);
  await service.checkInvariants();
});
