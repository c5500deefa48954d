import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import pg from "pg";
import { newSerial, type Serial } from "../../src/pki/serial.ts";
import { embeddedUrl } from "../../src/storage/embedded.ts";
import { makeDeviceKey, Service, type World } from "../support/service.ts";
import { VaServer } from "../support/va-server.ts";
import { limit, median, print, processorSeconds } from "./figures.ts";
import { bind, fillCertificates, settle } from "./filling.ts";

/**
 * P11: what four things cost with a thousand, ten thousand, a hundred thousand and a million certificates: the status
 * memory of one, an OCSP answer that is signed for it, a page of a search in the tenant that has them all, and an issue.
 * By processor time, all processes together. Printed are the costs, and the slope of a straight line through them, both
 * axes logarithmic: 0 is flat, 1 grows with the number of certificates. The peer is the slope that is allowed.
 */
const LARGEST = Number(process.argv[2] ?? 1_000_000);
const SIZES = [1_000, 10_000, 100_000, 1_000_000].filter((size) => size <= LARGEST);

const FLAT = 0.05;
const LOGARITHMIC = 0.15;

/** Rounds at each size, of so many each; the median counts. More than a few, because work of every minute falls into some of them. */
const ROUNDS = 9;
const ANSWERS = 3_000;
const PAGES = 60;
const ISSUES = 100;
/** Until the engine has compiled what is hot: else the first size would seem dear. */
const WARM_UP = 4;

/** What the database does about the new rows by itself is over then. */
const REST_MS = 3_000;

/** Costs by size, in the order of SIZES. */
type Costs = number[];

function slopeOf(costs: Costs): number {
  const points = costs.map((cost, i) => [Math.log(SIZES[i] ?? 1), Math.log(cost)] as const);
  const mean = (at: 0 | 1): number =>
    points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const covariance = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0);
  return covariance / points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
}

function printCosts(name: string, costs: Costs, { unit, most }: { unit: string; most: number }) {
  for (const [i, cost] of costs.entries())
    print({ name: `P11-growth-${name}-${SIZES[i]}`, value: cost, unit });
  const slope = slopeOf(costs);
  print({ name: `P11-growth-${name}-slope`, value: slope, unit: "slope", beside: limit(most) });
}

/** Of this process, in finer steps than /proc has. */
function ownSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000_000;
}

/** Microseconds of processor time for one of so many, by the median of some rounds. */
async function costOf(
  each: () => Promise<unknown>,
  { count, rounds, busy }: { count: number; rounds: number; busy: () => number },
): Promise<number> {
  const costs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const began = busy();
    for (let i = 0; i < count; i++) await each();
    costs.push(((busy() - began) / count) * 1e6);
  }
  return median(costs);
}

/** Status memory and signed answers, in this very process. */
async function measureStatus(): Promise<{ octets: Costs; answers: Costs }> {
  const va = new VaServer();
  await va.open();
  const serials: Serial[] = [];
  const octets: Costs = [];
  const answers: Costs = [];
  const answer = async (): Promise<void> => {
    const serial = serials[Math.floor(Math.random() * serials.length)];
    // With a nonce each answer is signed anew.
    if (serial !== undefined)
      await va.responder.answer(va.ca.request(serial, { nonce: randomBytes(16) }));
  };
  for (const [i, size] of SIZES.entries()) {
    while (serials.length < size) serials.push(va.set(newSerial(randomBytes)));
    octets.push(va.index.octets / size);
    const rounds = { count: ANSWERS, busy: ownSeconds };
    if (i === 0) await costOf(answer, { ...rounds, rounds: WARM_UP });
    answers.push(await costOf(answer, { ...rounds, rounds: ROUNDS }));
  }
  await va.close();
  return { octets, answers };
}

/** Search and issue, in a whole service whose one tenant has all certificates. */
async function measureService(
  service: Service,
  client: pg.Client,
): Promise<{ pages: Costs; issues: Costs }> {
  const world = await service.world();
  const route = `/v1/certificates?corporationId=${world.corporationId}&limit=50`;
  const page = (): Promise<unknown> => service.must("GET", route);
  const busy = (): number => {
    const { app, signer, postgres } = service.processes();
    return processorSeconds([app, signer, ...postgres]);
  };
  const pages: Costs = [];
  const issues: Costs = [];
  let from = 0;
  for (const [i, to] of SIZES.entries()) {
    const rows = { from, to, revoked: "one-in-twenty" } as const;
    await fillCertificates(client, rows);
    await bind(client, rows, world);
    await settle(client);
    await sleep(REST_MS);
    from = to;
    const issue = issuing(service, world);
    if (i === 0) {
      await costOf(page, { count: PAGES, rounds: WARM_UP, busy });
      await costOf(issue, { count: ISSUES, rounds: WARM_UP, busy });
    }
    pages.push(await costOf(page, { count: PAGES, rounds: ROUNDS, busy }));
    issues.push(await costOf(issue, { count: ISSUES, rounds: ROUNDS, busy }));
  }
  return { pages, issues };
}

function issuing(service: Service, { accountId, deviceId }: World): () => Promise<unknown> {
  return () => {
    const body = { accountId, deviceId, csr: makeDeviceKey().csr };
    return service.must("POST", "/v1/certificates", { body });
  };
}

const { answers, octets } = await measureStatus();
printCosts("status-memory", octets, { unit: "octets/certificate", most: FLAT });
printCosts("ocsp-answer", answers, { unit: "us", most: FLAT });

const service = await Service.open({ SUIDO_LOG_LEVEL: "error" });
try {
  const client = new pg.Client({ connectionString: embeddedUrl(service.dataDir) });
  await client.connect();
  try {
    const { issues, pages } = await measureService(service, client);
    printCosts("search-page", pages, { unit: "us", most: LOGARITHMIC });
    printCosts("issue", issues, { unit: "us", most: FLAT });
  } finally {
    await client.end();
  }
} finally {
  await service.dispose();
}
