import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { Service } from "../support/service.ts";
import { print } from "./figures.ts";

/**
 * Start and rest: how long the first start takes (with the database's cluster and the ceremony) and the second, and what
 * both of Suido's processes hold in memory at rest after light use. The peer is the limit of each.
 */
const FIRST_SECONDS = 30;
const SECOND_SECONDS = 5;
const MEGABYTES = 320;

/** A few of each: what one person does in an hour. */
const LIGHT_USE = 20;
const REST_MS = 10_000;

/** Resident memory in megabytes (proc(5): VmRSS). */
function residentMegabytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
  return Number(kilobytes) / 1024;
}

async function useLightly(service: Service): Promise<void> {
  await service.makeKey();
  const world = await service.world();
  for (let i = 0; i < LIGHT_USE; i++) {
    const { serialNumber } = await service.issue(world);
    await service.status(serialNumber);
    if (i % 4 === 0) await service.revoke(serialNumber);
    await fetch(service.instance.urls.app);
    await service.published("crl/bundle.pem");
  }
}

function printWithin(name: string, value: number, limit: { unit: string; value: number }): void {
  print({ name, value, unit: limit.unit, beside: { value: limit.value, peer: "limit" } });
}

const service = await Service.prepare();
try {
  const first = await service.start();
  await useLightly(service);
  await sleep(REST_MS);
  const { app, signer } = service.processes();
  const memory = { app: residentMegabytes(app), signer: residentMegabytes(signer) };
  await service.stop();
  const second = await service.start();
  await service.stop();
  printWithin("start-first", first / 1000, { unit: "s", value: FIRST_SECONDS });
  printWithin("start-second", second / 1000, { unit: "s", value: SECOND_SECONDS });
  printWithin("rest-memory", memory.app + memory.signer, { unit: "MB", value: MEGABYTES });
  print({ name: "rest-memory-app", value: memory.app, unit: "MB" });
  print({ name: "rest-memory-signer", value: memory.signer, unit: "MB" });
} finally {
  await service.dispose();
}
