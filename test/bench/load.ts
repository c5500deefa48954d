import { rmSync } from "node:fs";
import path from "node:path";

import pg from "pg";
import { embeddedUrl } from "../../src/storage/embedded.ts";
import { Service } from "../support/service.ts";
import { limit, print } from "./figures.ts";
import { fillCertificates, settle } from "./filling.ts";
import { peakMegabytes } from "./memory.ts";

/**
 * P10: a whole `suido serve` starts on a database with 600,000 certificates, one in twenty of them revoked, until it answers
 * OCSP: out of the database, and out of the snapshot that the last stop has left. The same with a million. The start
 * includes the embedded database's own. The peers are the limits, which were set for 600,000 and for the VA alone.
 */
const SIZES = [600_000, 1_000_000] as const;

const LIMIT_SECONDS = 5;
const LIMIT_MEGABYTES = 400;
const LIMIT_OCTETS = 32;

const service = await Service.prepare({ SUIDO_LOG_LEVEL: "error" });

async function withClient(work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: embeddedUrl(service.dataDir) });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

/** A figure of /metrics. */
async function figure(name: string): Promise<number> {
  const text = await (await fetch(`${service.instance.urls.app}/metrics`)).text();
  const line = text.split("\n").find((each) => each.startsWith(`${name} `));
  return Number(line?.split(" ")[1]);
}

const snapshot = path.join(service.dataDir, "va", "status.snapshot");

interface Started {
  readonly seconds: number;
  /** The most that the process with the VA had until it was ready; the app, the jobs and the mTLS listener are in it too. */
  readonly megabytes: number;
}

/** `suido serve` says that it is ready only when the VA is. */
async function start(): Promise<Started> {
  const seconds = (await service.start()) / 1000;
  return { seconds, megabytes: peakMegabytes(service.pid) };
}

function printStart(name: string, { megabytes, seconds }: Started, empty: Started): void {
  print({ name, value: seconds, unit: "s", beside: limit(LIMIT_SECONDS) });
  print({
    name: `${name}-memory-above-empty`,
    value: megabytes - empty.megabytes,
    unit: "MB",
    beside: limit(LIMIT_MEGABYTES),
  });
}

async function measure(size: number, from: number, empty: Started): Promise<void> {
  await withClient(async (client) => {
    await fillCertificates(client, { from, to: size, revoked: "one-in-twenty" });
    await settle(client);
  });
  await service.stop();
  rmSync(snapshot, { force: true });
  const name = `P10-load-${size / 1000}k`;
  printStart(`${name}-from-the-database`, await start(), empty);
  const certificates = await figure("suido_va_certificates");
  if (!(certificates >= size)) throw new Error(`the VA knows ${certificates} of ${size}`);
  print({
    name: `${name}-memory-a-certificate`,
    value: (await figure("suido_va_status_bytes")) / certificates,
    unit: "octets",
    beside: limit(LIMIT_OCTETS),
  });
  await service.stop();
  printStart(`${name}-from-the-snapshot`, await start(), empty);
}

try {
  await service.start();
  await service.stop();
  const empty = await start();
  print({ name: "P10-load-empty", value: empty.seconds, unit: "s" });
  let from = 0;
  for (const size of SIZES) {
    await measure(size, from, empty);
    from = size;
  }
  await service.stop();
} finally {
  await service.dispose();
}
