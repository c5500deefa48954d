import { setTimeout as sleep } from "node:timers/promises";

import { readCrl } from "../../src/pki/crl-reader.ts";
import { type Issued, Service } from "../support/service.ts";
import { lineToEach, requestAbout, type VaLine } from "../support/va-lines.ts";
import { limit, percentile, print } from "./figures.ts";

/**
 * P9: from the answer that says a certificate is revoked to the moment at which every one of three VA processes says so
 * by OCSP, and to the one at which the full list has it. Nobody else does such a thing in a way that could be measured
 * beside it: the peer is the limit. Each of the processes is asked over a line of its own, again and again.
 */
const COUNT = Number(process.argv[2] ?? 100);
const PROCESSES = 3;

/** Revoked one by one over so long, so that they meet the makers of lists at any point of their round. */
const SPREAD_MS = 30_000;

const LIMIT_MS = 1_000;
const LIST_LIMIT_SECONDS = 60;
const LOOK_EVERY_MS = 500;

const service = await Service.prepare({
  SUIDO_LOG_LEVEL: "error",
  SUIDO_VA_PROCESSES: String(PROCESSES),
});

const about = ({ chain, serialNumber }: Issued): Uint8Array =>
  requestAbout(serialNumber, chain[0] ?? "");

/** Asks one process until it says revoked. When that was. */
async function untilRevoked(line: VaLine, body: Uint8Array): Promise<number> {
  while ((await line.ask(body)).status !== "revoked") await sleep(1);
  return performance.now();
}

/** When each serial was first seen on the full list. */
class ListWatch {
  readonly #seen = new Map<string, number>();
  #etag: string | null = "";

  async look(): Promise<void> {
    const response = await fetch(`${service.vaUrl}/crl/issuing-g1.crl`);
    const der = new Uint8Array(await response.arrayBuffer());
    const now = performance.now();
    if (response.headers.get("etag") === this.#etag) return;
    this.#etag = response.headers.get("etag");
    for (const { serial } of readCrl(der).entries())
      if (!this.#seen.has(serial)) this.#seen.set(serial, now);
  }

  /** Looks until all of them are there. */
  async untilAll(serials: readonly string[]): Promise<void> {
    while (!serials.every((serial) => this.#seen.has(serial))) {
      await this.look();
      await sleep(LOOK_EVERY_MS);
    }
  }

  seenAt(serial: string): number {
    return this.#seen.get(serial) ?? Number.NaN;
  }
}

interface Revoked {
  readonly serial: string;
  readonly answeredAt: number;
  /** Milliseconds until the last process said so. */
  readonly everywhere: number;
}

async function revoke(issued: Issued, lines: readonly VaLine[]): Promise<Revoked> {
  const body = about(issued);
  await service.revoke(issued.serialNumber, "cessationOfOperation");
  const answeredAt = performance.now();
  const told = await Promise.all(lines.map((line) => untilRevoked(line, body)));
  const everywhere = Math.max(...told) - answeredAt;
  return { serial: issued.serialNumber, answeredAt, everywhere };
}

async function measure(): Promise<void> {
  const world = await service.world();
  const issued: Issued[] = [];
  while (issued.length < COUNT) issued.push(await service.issue(world));
  const [first] = issued;
  if (first === undefined) return;
  const lines = [...(await lineToEach(service.vaUrl, about(first), PROCESSES)).values()];
  const watch = new ListWatch();
  const all: Revoked[] = [];
  const looking = watch.untilAll(issued.map(({ serialNumber }) => serialNumber));
  for (const one of issued) {
    all.push(await revoke(one, lines));
    await sleep(SPREAD_MS / COUNT);
  }
  await looking;
  for (const line of lines) line.close();
  const ocsp = all.map(({ everywhere }) => everywhere);
  const listed = all.map(({ answeredAt, serial }) => (watch.seenAt(serial) - answeredAt) / 1000);
  print({ name: "P9-revoke-ocsp-median", value: percentile(ocsp, 50), unit: "ms" });
  print({
    name: "P9-revoke-ocsp-p99",
    value: percentile(ocsp, 99),
    unit: "ms",
    beside: limit(LIMIT_MS),
  });
  print({ name: "P9-revoke-list-median", value: percentile(listed, 50), unit: "s" });
  print({
    name: "P9-revoke-list-p99",
    value: percentile(listed, 99),
    unit: "s",
    beside: limit(LIST_LIMIT_SECONDS),
  });
}

try {
  await service.start();
  await service.makeKey();
  await measure();
  await service.stop();
} finally {
  await service.dispose();
}
