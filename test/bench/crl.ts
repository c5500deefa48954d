import { randomBytes, sign } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import pg from "pg";
import { algorithmIdentifier } from "../../src/pki/certificate.ts";
import { CrlEntries } from "../../src/pki/crl-entries.ts";
import { EntryRows } from "../../src/pki/crl-entry-rows.ts";
import { buildCrlTbs } from "../../src/pki/crl.ts";
import { newSerial, SERIAL_OCTETS, serialBytes } from "../../src/pki/serial.ts";
import { assembleSigned } from "../../src/pki/signed.ts";
import { embeddedUrl } from "../../src/storage/embedded.ts";
import { createIssuing, createRoot } from "../support/certificates.ts";
import { Service } from "../support/service.ts";
import {
  isInstalled,
  limit,
  median,
  type Peer,
  peerOf,
  print,
  processorSeconds,
  run,
} from "./figures.ts";
import { fillCertificates, settle } from "./filling.ts";
import { forgetPeak, peakMegabytes, residentMegabytes } from "./memory.ts";

/**
 * P8. First one list of 100,000 entries alone, as the signer makes it, beside `openssl ca -gencrl`, which has as many in its
 * index. Then everything that runs in production, in a whole `suido serve`: out of the database, a full list and shards,
 * the check by another process, the commit, the VA that gives them out; with 100,000 entries, and with a million beside
 * the limits. While it does, somebody asks the VA 50 times a second, and the longest that he waits is printed.
 */
const FEW = 100_000;
const MANY = Number(process.argv[2] ?? 1_000_000);
const ROUNDS = 5;
/** Until the engine has compiled what is hot. */
const WARM_UP = 3;

const LIMIT_SECONDS = 3;
const LIMIT_MEGABYTES = 400;
/** An OCSP client gives up after some seconds; one that waits this long does not notice. */
const LIMIT_WAIT_MS = 100;
const ASK_EVERY_MS = 20;
const PATIENCE_MS = 60_000;
/** The round before is over then. */
const REST_MS = 1_500;

const issuing = createIssuing(createRoot());
const service = await Service.prepare({ SUIDO_LOG_LEVEL: "error" });
const folder = mkdtempSync(path.join(tmpdir(), "suido-bench-crl-"));

interface Round {
  /** From the wish to the commit that makes the lists current. */
  readonly published: number;
  /** To the moment at which the VA gives them out. */
  readonly visible: number;
  /** Of both of Suido's processes, above what they had before. */
  readonly megabytes: number;
  readonly longestWait: number;
  /** Seconds of processor time, the database's among them. */
  readonly busy: number;
}

async function current(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ number: string }>(
    "select number from ca.list where issuer_id = 'issuing-g1' and scope = 'full' and current",
  );
  return rows[0]?.number ?? "";
}

const givenOut = async (): Promise<string | null> =>
  (await fetch(`${service.vaUrl}/crl/issuing-g1.crl`, { method: "HEAD" })).headers.get("etag");

/** Asks until the VA gives another list out. Returns the longest wait for an answer, in milliseconds. */
async function askUntilOther(than: string | null): Promise<number> {
  let longest = 0;
  for (const began = performance.now(); performance.now() - began < PATIENCE_MS;) {
    const asked = performance.now();
    const etag = await givenOut();
    longest = Math.max(longest, performance.now() - asked);
    if (etag !== than) return longest;
    await sleep(ASK_EVERY_MS);
  }
  throw new Error("the lists were not published in a minute");
}

async function untilOther(client: pg.Client, than: string): Promise<void> {
  while ((await current(client)) === than) await sleep(ASK_EVERY_MS);
}

async function publish(client: pg.Client): Promise<Round> {
  await sleep(REST_MS);
  const { app, signer, postgres } = service.processes();
  const memory = residentMegabytes(app) + residentMegabytes(signer);
  for (const pid of [app, signer]) forgetPeak(pid);
  const number = await current(client);
  const etag = await givenOut();
  const busy = processorSeconds([app, signer, ...postgres]);
  const began = performance.now();
  await client.query("select pg_notify('suido_publish', 'issuing-g1')");
  let published = 0;
  const [longestWait] = await Promise.all([
    askUntilOther(etag),
    untilOther(client, number).then(() => (published = performance.now() - began)),
  ]);
  return {
    published: published / 1000,
    visible: (performance.now() - began) / 1000,
    megabytes: peakMegabytes(app) + peakMegabytes(signer) - memory,
    longestWait,
    busy: processorSeconds([app, signer, ...service.processes().postgres]) - busy,
  };
}

const file = (name: string): string => path.join(folder, name);

const upperSerial = (i: number): string => (2n ** 126n + BigInt(i)).toString(16).toUpperCase();

/** What `openssl ca` wants: a key, a certificate, an index with as many revoked, and a configuration. */
async function prepareOpenssl(): Promise<void> {
  const key = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const made = ["-keyout", file("key"), "-out", file("cert"), "-subj", "/CN=ca"];
  await run("openssl", [...key, ...made]);
  const lines = Array.from(
    { length: FEW },
    (_, i) =>
      `R\t271231000000Z\t261101000000Z,cessationOfOperation\t${upperSerial(i)}\tunknown\t/CN=d`,
  );
  writeFileSync(file("index"), `${lines.join("\n")}\n`);
  writeFileSync(file("number"), "01\n");
  writeFileSync(
    file("config"),
    `[ca]\ndefault_ca = ours\n[ours]\ndatabase = ${file("index")}\ncrlnumber = ${file("number")}\ncertificate = ${file("cert")}
private_key = ${file("key")}\ndefault_md = sha256\ndefault_crl_days = 7\ncrl_extensions = ext\n[ext]\nauthorityKeyIdentifier = keyid\n`,
  );
}

async function openssl(): Promise<number> {
  const began = performance.now();
  const out = ["-out", file("crl")];
  await run("openssl", ["ca", "-config", file("config"), "-gencrl", ...out]);
  return FEW / ((performance.now() - began) / 1000);
}

async function rounds(client: pg.Client): Promise<readonly Round[]> {
  const all: Round[] = [];
  // The first one runs code that nothing has run yet.
  await publish(client);
  while (all.length < ROUNDS) all.push(await publish(client));
  return all;
}

/** Rows as the database gives them. */
function rowsInMemory(): EntryRows {
  const rows = new EntryRows(FEW);
  for (let row = 0; row < FEW; row++) {
    rows.octets.set(serialBytes(newSerial(randomBytes)), rows.serialEnd(row) - SERIAL_OCTETS);
    rows.put(row, { revokedAt: Date.now() - row * 1000, reason: 5, shard: 0 });
  }
  return rows;
}

/** The list alone, as the signer makes it of rows in memory: sorted, encoded, signed. Entries a second. */
function make(rows: EntryRows): number {
  const began = performance.now();
  const signatureAlgorithm = algorithmIdentifier("ecdsa-with-SHA256");
  const tbs = buildCrlTbs({
    issuerName: issuing.facts.subject,
    issuerKeyIdentifier: issuing.facts.keyIdentifier,
    signatureAlgorithm,
    number: 1n,
    thisUpdate: new Date(),
    nextUpdate: new Date(Date.now() + 7 * 86_400_000),
    entries: CrlEntries.sorted(rows),
  });
  assembleSigned(tbs, signatureAlgorithm, sign("sha256", tbs, issuing.key.privateKey));
  return FEW / ((performance.now() - began) / 1000);
}

/** The list alone, ours and OpenSSL's by turns. */
async function besideOpenssl(): Promise<Peer> {
  const rows = rowsInMemory();
  const ours: number[] = [];
  const theirs: number[] = [];
  const hasOpenssl = isInstalled("openssl");
  if (hasOpenssl) await prepareOpenssl();
  for (let round = 0; round < WARM_UP + 2 * ROUNDS; round++) {
    const rate = make(rows);
    if (round < WARM_UP) continue;
    ours.push(rate);
    if (hasOpenssl) theirs.push(await openssl());
  }
  const beside = peerOf("openssl-ca-gencrl", theirs);
  print({ name: "P8-crl-100k-made", value: median(ours), unit: "entries/s", beside });
  return beside;
}

const middle = (all: readonly Round[], what: keyof Round): number =>
  median(all.map((round) => round[what]));

function printMany(all: readonly Round[]): void {
  const figure = (
    what: keyof Round,
    name: string,
    { unit, most }: { readonly unit: string; readonly most?: number },
  ): void =>
    print({
      name: `P8-crl-${name}`,
      value: middle(all, what),
      unit,
      ...(most !== undefined && { beside: limit(most) }),
    });
  figure("published", "published", { unit: "s", most: LIMIT_SECONDS });
  figure("visible", "visible", { unit: "s" });
  figure("busy", "processor-time", { unit: "s" });
  figure("megabytes", "memory-above-idle", { unit: "MB", most: LIMIT_MEGABYTES });
  figure("longestWait", "longest-wait-at-the-va", { unit: "ms", most: LIMIT_WAIT_MS });
}

async function measure(client: pg.Client): Promise<void> {
  const beside = await besideOpenssl();
  await fillCertificates(client, { from: 0, to: FEW, revoked: "all" });
  await settle(client);
  const few = middle(await rounds(client), "published");
  print({ name: "P8-crl-100k-published", value: FEW / few, unit: "entries/s", beside });
  await fillCertificates(client, { from: FEW, to: MANY, revoked: "all" });
  await settle(client);
  printMany(await rounds(client));
}

try {
  await service.start();
  const client = new pg.Client({ connectionString: embeddedUrl(service.dataDir) });
  await client.connect();
  try {
    await measure(client);
  } finally {
    await client.end();
  }
} finally {
  await service.dispose();
  rmSync(folder, { recursive: true });
}
