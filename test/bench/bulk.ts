import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { BulkIssue } from "../../src/ca/bulk-issue.ts";
import { makeDeviceKey, Service, type World } from "../support/service.ts";
import { isInstalled, median, peerOf, print, run } from "./figures.ts";

/**
 * A bulk issue through the API, from its request to its end, durable, beside `openssl x509 -req` once for each certificate,
 * which keeps no books; and how long somebody waits for a single certificate meanwhile, beside the same before it.
 */
const TOTAL = Number(process.argv[2] ?? 10_000);
const LOOPED = 100;
const SINGLES = 20;

const folder = mkdtempSync(path.join(tmpdir(), "suido-bench-bulk-"));

async function single(service: Service, { accountId, deviceId }: World): Promise<number> {
  const body = { accountId, deviceId, csr: makeDeviceKey().csr };
  const began = performance.now();
  await service.must("POST", "/v1/certificates", { body });
  return performance.now() - began;
}

const file = (name: string): string => path.join(folder, name);

async function opensslPerSecond(): Promise<readonly number[]> {
  if (!isInstalled("openssl")) return [];
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  await run("openssl", [
    "req",
    "-x509",
    ...key,
    "-subj",
    "/CN=ca",
    "-keyout",
    file("ca.key"),
    "-out",
    file("ca.pem"),
  ]);
  writeFileSync(file("device.csr"), makeDeviceKey().csr);
  const args = [
    "x509",
    "-req",
    "-in",
    file("device.csr"),
    "-CA",
    file("ca.pem"),
    "-CAkey",
    file("ca.key"),
  ];
  const began = performance.now();
  for (let i = 0; i < LOOPED; i++)
    await run("openssl", [...args, "-CAcreateserial", "-days", "395", "-out", file("device.pem")]);
  return [(LOOPED * 1000) / (performance.now() - began)];
}

const service = await Service.open({ SUIDO_LOG_LEVEL: "warn" });
try {
  const world = await service.world();
  const { accountId, deviceId } = world;
  const { corporationId } = await service.must<{ corporationId: string }>(
    "GET",
    `/v1/devices/${deviceId}`,
  );
  const items = Array.from({ length: TOTAL }, () => ({
    accountId,
    deviceId,
    csr: makeDeviceKey().csr,
  }));
  const alone: number[] = [];
  for (let i = 0; i < SINGLES; i++) alone.push(await single(service, world));
  const began = performance.now();
  const call = { body: { corporationId, items }, timeoutMs: 60_000 };
  const { id } = await service.must<BulkIssue>("POST", "/v1/bulk-issues", call);
  const takenMs = performance.now() - began;
  const meanwhile: number[] = [];
  for (;;) {
    meanwhile.push(await single(service, world));
    const { endedAt } = await service.must<BulkIssue>("GET", `/v1/bulk-issues/${id}`);
    if (endedAt !== undefined) break;
    await sleep(100);
  }
  const seconds = (performance.now() - began) / 1000;
  print({ name: "bulk-taken", value: takenMs, unit: "ms" });
  print({
    name: "bulk-issue",
    value: TOTAL / seconds,
    unit: "certificates/s",
    beside: peerOf("openssl-x509-req-loop", await opensslPerSecond()),
  });
  print({
    name: "single-meanwhile",
    value: median(meanwhile),
    unit: "ms",
    beside: peerOf("single-alone", alone),
  });
} finally {
  await service.dispose();
  rmSync(folder, { recursive: true });
}
