import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import pg from "pg";
import pino from "pino";
import { prepareDatabase } from "../../src/storage/bootstrap.ts";
import { embeddedUrl } from "../../src/storage/embedded.ts";
import { Service, type World } from "../support/service.ts";
import { median, peerOf, print, processorSeconds, run, wrk } from "./figures.ts";
import { posting, prepared } from "./posting.ts";

/**
 * P6: a whole `suido serve` issues through its API, requests ready-made, beside pgbench, which sends the same PostgreSQL
 * what an issue commits and nothing else (`issue.sql`), to a database of its own. PostgreSQL is the embedded one with the
 * durability that it has by default. Short rounds that alternate; the medians are printed.
 */
const ROUNDS = Number(process.argv[2] ?? 5);
/** Rounds before those that count: some thousand requests until the engine has compiled what is hot. */
const WARM_UP = 3;
const SECONDS = 4;
const CLIENTS = 32;
/** Requests ready for each second of load: more than can be answered. */
const PREPARED_PER_SECOND = 1_500;

const folder = mkdtempSync(path.join(tmpdir(), "suido-bench-issue-"));

interface Issued {
  readonly certificates: number;
  readonly batches: number;
}

async function issuedSoFar(client: pg.Client): Promise<Issued> {
  const { rows } = await client.query<Issued>(
    "select count(*)::int as certificates, count(distinct good_xid)::int as batches from ca.issued where state = 'good'",
  );
  return rows[0] ?? { certificates: 0, batches: 0 };
}

/** The ids of issue.sql. */
const uuid = (last: string): string => `00000000-0000-7000-8000-${last.padStart(12, "0")}`;
const CORPORATION = uuid("c0");
const id = (last: string): string => `'${uuid(last)}'`;
const octets = (count: number): string => `decode(repeat('5a', ${count}), 'hex')`;

/** A database beside Suido's, with the same schema, an issuer, and one device for each client. */
async function preparePeer(url: string, client: pg.Client): Promise<string> {
  await client.query("create database pgbench");
  const peer = new URL(url);
  peer.pathname = "/pgbench";
  await prepareDatabase({ url: peer.href, log: pino({ level: "silent" }) });
  const connection = new pg.Client({ connectionString: peer.href });
  await connection.connect();
  await connection.query(`
    insert into ca.issuer (id, kind, generation, state, parent_id, serial, certificate, subject, key_identifier, va_url, not_after, created_at)
      values ('issuing-g1', 'issuing', 1, 'active', 'issuing-g1', ${octets(16)}, ${octets(600)}, ${octets(60)}, ${octets(20)}, 'http://va', now() + interval '5 years', now());
    insert into ca.journal_mark (journal_id, seq, hash, change_seq, epoch) values (gen_random_uuid(), 0, ${octets(32)}, 0, 1);
    insert into app.corporation (id, name, created_at, updated_at) values (${id("c0")}, 'c', now(), now());
    insert into app.pharmacy (id, corporation_id, name, created_at, updated_at) values (${id("b0")}, ${id("c0")}, 'p', now(), now());
    insert into app.account (id, corporation_id, name, created_at, updated_at) values (${id("a0")}, ${id("c0")}, 'a', now(), now());
    insert into app.membership (id, corporation_id, account_id, pharmacy_id, role, valid_from, created_at, updated_at)
      values (gen_random_uuid(), ${id("c0")}, ${id("a0")}, ${id("b0")}, 'manager', now() - interval '1 day', now(), now());
    insert into app.device (id, corporation_id, pharmacy_id, name, platform, created_at, updated_at)
      select ('00000000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, ${id("c0")}, ${id("b0")}, 'd' || i, 'windows', now(), now()
      from generate_series(0, ${CLIENTS - 1}) as i`);
  await connection.end();
  return peer.href;
}

/** Debian keeps pgbench with the server's programs, and links it into the path only with the whole package. */
function pgbenchProgram(): string | undefined {
  const servers = "/usr/lib/postgresql";
  const versions = existsSync(servers) ? readdirSync(servers) : [];
  return versions
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => path.join(servers, version, "bin/pgbench"))
    .find((program) => existsSync(program));
}

interface PeerRun {
  readonly program: string;
  readonly round: number;
  readonly batch: number;
}

/** Reservations a second, each with its share of the batches' commits. */
async function pgbench(url: string, { program, round, batch }: PeerRun): Promise<number> {
  const script = path.join(import.meta.dirname, "issue.sql");
  const load = ["-c", `${CLIENTS}`, "-j", "1", "-T", `${SECONDS}`];
  const variables = ["-D", `round=${round}`, "-D", `batch=${batch}`, "-D", "n=0"];
  const said = await run(
    program,
    ["-n", "-M", "prepared", ...load, ...variables, "-f", script, url],
    { PGOPTIONS: `-c role=suido_app -c suido.corporation_id=${CORPORATION}` },
  );
  const rate = /tps = ([\d.]+) \(without/.exec(said)?.[1];
  if (rate === undefined || !said.includes("number of failed transactions: 0"))
    throw new Error(`pgbench: ${said}`);
  return Number(rate);
}

/** What a round gave, by the clock on the wall and by the processor's. */
interface Round {
  readonly perSecond: number;
  readonly perProcessorSecond: number;
}

/** Processes of the service and its database, or of the database alone. pgbench and wrk are not counted. */
function busySeconds(service: Service, whose: "all" | "database"): number {
  const { app, signer, postgres } = service.processes();
  return processorSeconds(whose === "all" ? [app, signer, ...postgres] : postgres);
}

/** One round of real requests; `batch` is how many certificates the signer committed at once. */
async function issueRound(
  service: Service,
  client: pg.Client,
  script: string,
): Promise<Round & { readonly batch: number }> {
  const before = await issuedSoFar(client);
  const began = busySeconds(service, "all");
  const perSecond = await wrk({
    url: `${service.instance.urls.app}/v1/certificates`,
    connections: CLIENTS,
    seconds: SECONDS,
    script,
  });
  const seconds = busySeconds(service, "all") - began;
  const after = await issuedSoFar(client);
  const certificates = after.certificates - before.certificates;
  // An answer that is no new certificate would flatter us. Those under way at the end have no answer.
  if (certificates < perSecond * SECONDS * 0.98 - CLIENTS)
    throw new Error(`${certificates} certificates for ${perSecond * SECONDS} answers`);
  const batch = Math.max(1, Math.round(certificates / (after.batches - before.batches)));
  return { perSecond, perProcessorSecond: certificates / seconds, batch };
}

async function peerRound(service: Service, url: string, round: PeerRun): Promise<Round> {
  const began = busySeconds(service, "database");
  const perSecond = await pgbench(url, round);
  const seconds = busySeconds(service, "database") - began;
  return { perSecond, perProcessorSecond: (perSecond * SECONDS) / seconds };
}

function printRatio(name: string, ours: readonly number[], theirs: readonly number[]): void {
  const beside = peerOf("pgbench-same-commits", theirs);
  print({ name, value: median(ours), unit: "certificates/s", beside });
}

async function measure(service: Service, client: pg.Client): Promise<void> {
  const peer = await preparePeer(embeddedUrl(service.dataDir) ?? "", client);
  const worlds: World[] = [];
  while (worlds.length < CLIENTS) worlds.push(await service.world());
  const program = pgbenchProgram();
  const ours: Round[] = [];
  const theirs: Round[] = [];
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const bodies = prepared(worlds, SECONDS * PREPARED_PER_SECOND);
    const issued = await issueRound(
      service,
      client,
      posting({ folder, name: `${round}`, bodies, authorization: `Bearer ${service.key}` }),
    );
    if (round >= WARM_UP) ours.push(issued);
    if (program === undefined) continue;
    const committed = await peerRound(service, peer, { program, round, batch: issued.batch });
    if (round >= WARM_UP) theirs.push(committed);
  }
  printRatio(
    "P6-issue",
    ours.map(({ perSecond }) => perSecond),
    theirs.map(({ perSecond }) => perSecond),
  );
  printRatio(
    "P6-issue-by-processor-time",
    ours.map(({ perProcessorSecond }) => perProcessorSecond),
    theirs.map(({ perProcessorSecond }) => perProcessorSecond),
  );
}

const service = await Service.open({ SUIDO_LOG_LEVEL: "warn" });
try {
  const client = new pg.Client({ connectionString: embeddedUrl(service.dataDir) });
  await client.connect();
  try {
    await measure(service, client);
  } finally {
    await client.end();
  }
} finally {
  await service.dispose();
  rmSync(folder, { recursive: true });
}
