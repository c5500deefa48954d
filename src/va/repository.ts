import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { Clock } from "../pki/clock.ts";
import type { Verify } from "../pki/crypto.ts";
import { pemEncode } from "../pki/pem.ts";
import type { Database } from "../storage/database.ts";
import { replaceFile } from "../storage/durable-file.ts";
import { queryIssuers, readIssuers, writeIssuers } from "./kept-issuers.ts";
import { issuerOf, type Issuer, type IssuerRecord, sameIssuers } from "./issuer.ts";
import { listsFolder } from "./kept-lists.ts";
import type { Log } from "./log.ts";
import { MEDIA_TYPE, publicationOf, type Publication } from "./publication.ts";
import { judgeList, listName, type PublishedList } from "./published-list.ts";

export interface RepositoryDeps {
  /** As suido_va. */
  readonly database: Pick<Database, "query">;
  /** The VA's folder. */
  readonly folder: string;
  /** Whether this process writes what is kept there; others of the same VA only begin with it. */
  readonly keeps: boolean;
  readonly clock: Clock;
  readonly verify: Verify;
  readonly log: Log;
  /** Hears of the issuers at the start and whenever they change. */
  readonly onIssuers: (issuers: readonly Issuer[]) => Promise<void>;
}

/** Lists and CA certificates, in memory and on disk. */
export interface Repository {
  /** What is at this path below the VA's address, such as `crl/issuing-g1.crl`. */
  get(path: string): Publication | undefined;
  issuers(): readonly Issuer[];
  lists(): readonly PublishedList[];
  /** Looks now: something was announced. Never rejects. */
  poll(): Promise<void>;
  close(): Promise<void>;
}

/** New lists are announced; this is for announcements that were lost. */
const POLL_MS = 5_000;

/** A full list and 16 shards for each issuer. */
const SCOPES = ["full", ...Array.from({ length: 16 }, (_, i) => `0${i.toString(16)}`)];

interface ListRow {
  readonly issuer_id: string;
  readonly scope: string;
  readonly number: string;
}

/** What was current when it was asked; the list itself is fetched only where it is not the one that we have. */
const CURRENT = `select l.issuer_id, l.scope, l.number::text as number from ca.list l join ca.issuer i on i.id = l.issuer_id
  where l.current and i.state <> 'ended'`;
const DER = `select der from ca.list where issuer_id = $1 and scope = $2 and number = $3 and der is not null`;

/** Opens the repository from the disk's copies, then from the database if it is there, and follows it. */
export async function openRepository(deps: RepositoryDeps): Promise<Repository> {
  const repository = new FollowedRepository(deps);
  await repository.open();
  return repository;
}

class FollowedRepository implements Repository {
  readonly #deps: RepositoryDeps;
  readonly #lists = new Map<string, PublishedList>();
  /** Lists that were refused, so that each is reported once. */
  readonly #refused = new Set<string>();
  #issuers: readonly Issuer[] = [];
  #published: ReadonlyMap<string, Publication> = new Map();
  #timer: NodeJS.Timeout | undefined;
  #polling: Promise<void> | undefined;
  #again = false;
  #away = false;

  constructor(deps: RepositoryDeps) {
    this.#deps = deps;
  }

  async open(): Promise<void> {
    const kept = await readIssuers(this.#deps.folder);
    if (kept.length > 0) {
      await this.#takeIssuers(kept);
      await this.#readKeptLists();
    }
    await this.poll();
    this.#timer = setInterval(() => void this.poll(), POLL_MS).unref();
  }

  get(path: string): Publication | undefined {
    return this.#published.get(path) ?? this.#listInPem(path);
  }

  issuers(): readonly Issuer[] {
    return this.#issuers;
  }

  lists(): readonly PublishedList[] {
    return [...this.#lists.values()];
  }

  poll(): Promise<void> {
    this.#again = true;
    this.#polling ??= this.#pollAll().finally(() => (this.#polling = undefined));
    return this.#polling;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#polling;
  }

  async #pollAll(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        await this.#follow();
        this.#away = false;
      } catch (error) {
        if (!this.#away) this.#deps.log.warn({ err: error }, "lists and issuers are not followed");
        this.#away = true;
      }
    }
  }

  async #follow(): Promise<void> {
    const { database, folder } = this.#deps;
    const records = await queryIssuers(database);
    // A database without any CA has lost them; whoever relies on them goes on being answered.
    if (records.length > 0 && !sameIssuers(records, this.#issuers)) {
      await this.#takeIssuers(records);
      await this.#keep("issuers", () => writeIssuers(folder, records));
    }
    let changed = false;
    try {
      for (const row of await database.query<ListRow>(CURRENT)) {
        if (await this.#followList(row)) changed = true;
      }
    } finally {
      // Also when the database went away in the middle: what has come by then will not be seen as new again.
      if (changed) this.#publish();
    }
  }

  /** A copy that cannot be written is missed at a start without the database only: it keeps nothing from being given out. */
  async #keep(what: string, write: () => Promise<void>): Promise<void> {
    if (!this.#deps.keeps) return;
    try {
      await write();
    } catch (error) {
      this.#deps.log.warn({ err: error, what }, "no copy is kept on disk");
    }
  }

  async #takeIssuers(records: readonly IssuerRecord[]): Promise<void> {
    this.#issuers = records.map(issuerOf);
    for (const { id, state } of this.#issuers) if (state === "ended") this.#forgetLists(id);
    await this.#deps.onIssuers(this.#issuers);
    this.#publish();
  }

  /** Nobody has a certificate of it any more, and its lists are not made anew. */
  #forgetLists(issuerId: string): void {
    for (const scope of SCOPES) this.#lists.delete(listName(issuerId, scope));
  }

  async #followList(row: ListRow): Promise<boolean> {
    const name = listName(row.issuer_id, row.scope);
    const have = this.#lists.get(name);
    if (have?.number === BigInt(row.number) || this.#refused.has(`${name} ${row.number}`)) {
      return false;
    }
    const issuer = this.#issuers.find(({ id }) => id === row.issuer_id);
    const values = [row.issuer_id, row.scope, row.number];
    const [found] = await this.#deps.database.query<{ der: Buffer }>(DER, values);
    // Without its bytes the list was replaced a moment ago: the next poll finds its successor.
    if (issuer === undefined || found === undefined) return false;
    if (!this.#take(issuer, row.scope, found.der)) {
      this.#refused.add(`${name} ${row.number}`);
      return false;
    }
    await this.#keep(name, () => replaceFile(this.#copyOf(name), [found.der]));
    return true;
  }

  /** The last good list stays until one comes that passes the check. */
  #take(issuer: Issuer, scope: string, der: Uint8Array): boolean {
    const name = listName(issuer.id, scope);
    const previousNumber = this.#lists.get(name)?.number;
    const candidate = {
      issuer,
      scope,
      der,
      ...(previousNumber === undefined ? {} : { previousNumber }),
    };
    const { clock, log, verify } = this.#deps;
    const judged = judgeList(candidate, { now: clock(), verify });
    if ("publication" in judged) {
      this.#lists.set(name, judged);
      return true;
    }
    log.error({ list: name, findings: judged }, "a list is not given out: the check found faults");
    return false;
  }

  async #readKeptLists(): Promise<void> {
    for (const issuer of this.#issuers.filter(({ state }) => state !== "ended")) {
      for (const scope of SCOPES) {
        const file = this.#copyOf(listName(issuer.id, scope));
        const der = await readFile(file).catch(() => undefined);
        if (der !== undefined) this.#take(issuer, scope, der);
      }
    }
    this.#publish();
  }

  #copyOf(name: string): string {
    return join(listsFolder(this.#deps.folder), name);
  }

  /** Lists are asked for in PEM by people who try things out: it is made when they do, and not kept. */
  #listInPem(path: string): Publication | undefined {
    const name = /^crl\/(.+)\.pem$/.exec(path)?.[1];
    const list = name === undefined ? undefined : this.#lists.get(`${name}.crl`);
    if (list === undefined) return undefined;
    const pem = Buffer.from(pemEncode("X509 CRL", list.publication.body));
    const dates = { modifiedAt: list.thisUpdate, expiresAt: list.nextUpdate };
    return publicationOf(pem, MEDIA_TYPE.pem, dates);
  }

  #publish(): void {
    const published = new Map<string, Publication>();
    for (const [name, { publication }] of this.#lists) published.set(`crl/${name}`, publication);
    for (const issuer of this.#issuers) publishCertificate(published, issuer);
    const hasList = ({ id }: Issuer): boolean => this.#lists.has(listName(id, "full"));
    const live = this.#issuers.filter(({ state }) => state !== "ended");
    // A CA without its list is one that nobody can check: a new one comes into both bundles at once, when its list is here.
    const covered = live.filter(hasList);
    if (covered.length > 0) published.set("ca/bundle.pem", certificateBundle(covered));
    const isAwaited = (issuer: Issuer): boolean => issuer.state !== "announced" || hasList(issuer);
    const bundle = listBundle(live.filter(isAwaited), this.#lists);
    if (bundle !== undefined) published.set("crl/bundle.pem", bundle);
    this.#published = published;
  }
}

const certificatePem = ({ certificate }: Issuer): string => pemEncode("CERTIFICATE", certificate);

function publishCertificate(into: Map<string, Publication>, issuer: Issuer): void {
  const { certificate, id, notBefore: modifiedAt } = issuer;
  const dates = { modifiedAt };
  into.set(`ca/${id}.cer`, publicationOf(certificate, MEDIA_TYPE.certificate, dates));
  const pem = Buffer.from(certificatePem(issuer));
  into.set(`ca/${id}.pem`, publicationOf(pem, MEDIA_TYPE.pem, dates));
}

const latest = (dates: readonly Date[]): Date =>
  dates.reduce((a, b) => (a > b ? a : b), new Date(0));

function certificateBundle(live: readonly Issuer[]): Publication {
  const modifiedAt = latest(live.map(({ notBefore }) => notBefore));
  return publicationOf(Buffer.from(live.map(certificatePem).join("")), MEDIA_TYPE.pem, {
    modifiedAt,
  });
}

/**
 * One full list for each live CA, and nothing else: a proxy refuses everybody where one is missing, GnuTLS lets revoked
 * certificates in where there are shards, and everything does where there are deltas. Undefined where one is missing.
 */
function listBundle(
  live: readonly Issuer[],
  lists: ReadonlyMap<string, PublishedList>,
): Publication | undefined {
  const full: PublishedList[] = [];
  for (const { id } of live) {
    const list = lists.get(listName(id, "full"));
    if (list === undefined) return undefined;
    full.push(list);
  }
  const [first] = full;
  if (first === undefined) return undefined;
  const text = full.map(({ publication }) => pemEncode("X509 CRL", publication.body)).join("");
  const modifiedAt = latest(full.map(({ thisUpdate }) => thisUpdate));
  const expiresAt = full.reduce(
    (a, { nextUpdate }) => (nextUpdate < a ? nextUpdate : a),
    first.nextUpdate,
  );
  return publicationOf(Buffer.from(text), MEDIA_TYPE.pem, { modifiedAt, expiresAt });
}
