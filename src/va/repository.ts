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
import { latest, ListBundle } from "./list-bundle.ts";
import { createListWork, type ListWork, type WantedList } from "./list-work.ts";
import type { Log } from "./log.ts";
import { MEDIA_TYPE, publicationOf, type Publication } from "./publication.ts";
import { judgeList, type ListCandidate, listName, type PublishedList } from "./published-list.ts";

export interface RepositoryDeps {
  /** As suido_va. */
  readonly database: Pick<Database, "query" | "transaction">;
  /** The VA's folder. */
  readonly folder: string;
  /** Whether this process writes what is kept there; others of the same VA only begin with it. */
  readonly keeps: boolean;
  readonly clock: Clock;
  readonly verify: Verify;
  readonly log: Log;
  /** Hears of the issuers at the start and whenever they change. */
  readonly onIssuers: (issuers: readonly Issuer[]) => Promise<void>;
  /** Does in another thread what takes long; without it everything is done in place. */
  readonly apart?: ListWork;
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

/** Lists of fewer octets are worked on in place: that takes some milliseconds, and a thread longer to start. */
const SHORT = 250_000;

interface ListRow {
  readonly issuer_id: string;
  readonly scope: string;
  readonly number: string;
  readonly octets: number;
}

/** What was current when it was asked; the list itself is fetched only where it is not the one that we have. */
const CURRENT = `select l.issuer_id, l.scope, l.number::text as number, length(l.der) as octets
  from ca.list l join ca.issuer i on i.id = l.issuer_id where l.current and i.state <> 'ended'`;

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
  readonly #inPlace: ListWork;
  readonly #bundle: ListBundle;
  #issuers: readonly Issuer[] = [];
  #published: ReadonlyMap<string, Publication> = new Map();
  #timer: NodeJS.Timeout | undefined;
  #polling: Promise<void> | undefined;
  #again = false;
  #away = false;

  constructor(deps: RepositoryDeps) {
    this.#deps = deps;
    this.#inPlace = createListWork(deps);
    this.#bundle = new ListBundle((octets) => this.#workFor(octets));
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
      for (const part of partsOf((await database.query<ListRow>(CURRENT)).filter(this.#isNew))) {
        if (await this.#followLists(part)) changed = true;
      }
    } finally {
      // Also when the database went away in the middle: what has come by then will not be seen as new again.
      if (changed) await this.#publish();
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
    await this.#publish();
  }

  /** Nobody has a certificate of it any more, and its lists are not made anew. */
  #forgetLists(issuerId: string): void {
    for (const scope of SCOPES) this.#lists.delete(listName(issuerId, scope));
  }

  #workFor(octets: number): ListWork {
    return octets < SHORT ? this.#inPlace : (this.#deps.apart ?? this.#inPlace);
  }

  readonly #isNew = ({ issuer_id: id, number, scope }: ListRow): boolean => {
    const name = listName(id, scope);
    return (
      this.#issuers.some((issuer) => issuer.id === id) &&
      this.#lists.get(name)?.number !== BigInt(number) &&
      !this.#refused.has(`${name} ${number}`)
    );
  };

  async #followLists(rows: readonly ListRow[]): Promise<boolean> {
    const wanted = rows.flatMap(({ issuer_id: id, number, scope }): WantedList[] => {
      const issuer = this.#issuers.find((one) => one.id === id);
      const previousNumber = this.#lists.get(listName(id, scope))?.number;
      if (issuer === undefined) return [];
      return [{ issuer, scope, number, ...(previousNumber !== undefined && { previousNumber }) }];
    });
    const octets = rows.reduce((sum, row) => sum + row.octets, 0);
    let changed = false;
    for (const { judged, wanted: of } of await this.#workFor(octets).load(wanted)) {
      const name = listName(of.issuer.id, of.scope);
      if (this.#take(name, judged)) {
        changed = true;
        await this.#keep(name, () => replaceFile(this.#copyOf(name), [judged.publication.body]));
      } else this.#refused.add(`${name} ${of.number}`);
    }
    return changed;
  }

  /** The last good list stays until one comes that passes the check. */
  #take(name: string, judged: PublishedList | readonly string[]): judged is PublishedList {
    if ("publication" in judged) {
      this.#lists.set(name, judged);
      return true;
    }
    const { log } = this.#deps;
    log.error({ list: name, findings: judged }, "a list is not given out: the check found faults");
    return false;
  }

  #takeKept(kept: ListCandidate): void {
    const { clock, verify } = this.#deps;
    const name = listName(kept.issuer.id, kept.scope);
    this.#take(name, judgeList(kept, { now: clock(), verify }));
  }

  async #readKeptLists(): Promise<void> {
    for (const issuer of this.#issuers.filter(({ state }) => state !== "ended")) {
      for (const scope of SCOPES) {
        const file = this.#copyOf(listName(issuer.id, scope));
        const der = await readFile(file).catch(() => undefined);
        if (der !== undefined) this.#takeKept({ issuer, scope, der });
      }
    }
    await this.#publish();
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

  async #publish(): Promise<void> {
    this.#publishAll();
    await this.#bundle.renew(this.#bundled());
    this.#publishAll();
  }

  #publishAll(): void {
    const published = new Map<string, Publication>();
    for (const [name, { publication }] of this.#lists) published.set(`crl/${name}`, publication);
    for (const issuer of this.#issuers) publishCertificate(published, issuer);
    // A CA without its list is one that nobody can check: a new one comes into both bundles at once, when its list is here.
    const covered = this.#live().filter(this.#hasList);
    if (covered.length > 0) published.set("ca/bundle.pem", certificateBundle(covered));
    if (this.#bundle.current !== undefined && this.#bundled() !== undefined)
      published.set("crl/bundle.pem", this.#bundle.current);
    this.#published = published;
  }

  #live(): readonly Issuer[] {
    return this.#issuers.filter(({ state }) => state !== "ended");
  }

  readonly #hasList = ({ id }: Issuer): boolean => this.#lists.has(listName(id, "full"));

  /** The lists of the bundle. Undefined where one is missing. */
  #bundled(): readonly PublishedList[] | undefined {
    const awaited = this.#live().filter(
      (issuer) => issuer.state !== "announced" || this.#hasList(issuer),
    );
    const lists = awaited.flatMap(({ id }) => this.#lists.get(listName(id, "full")) ?? []);
    return lists.length === 0 || lists.length < awaited.length ? undefined : lists;
  }
}

/** Short lists by themselves, so that one that fails keeps no other; the long ones together: they share a thread. */
function partsOf(rows: readonly ListRow[]): readonly (readonly ListRow[])[] {
  const octets = rows.reduce((sum, row) => sum + row.octets, 0);
  return octets < SHORT ? rows.map((row) => [row]) : [rows];
}

const certificatePem = ({ certificate }: Issuer): string => pemEncode("CERTIFICATE", certificate);

function publishCertificate(into: Map<string, Publication>, issuer: Issuer): void {
  const { certificate, id, notBefore: modifiedAt } = issuer;
  const dates = { modifiedAt };
  into.set(`ca/${id}.cer`, publicationOf(certificate, MEDIA_TYPE.certificate, dates));
  const pem = Buffer.from(certificatePem(issuer));
  into.set(`ca/${id}.pem`, publicationOf(pem, MEDIA_TYPE.pem, dates));
}

function certificateBundle(live: readonly Issuer[]): Publication {
  const modifiedAt = latest(live.map(({ notBefore }) => notBefore));
  return publicationOf(Buffer.from(live.map(certificatePem).join("")), MEDIA_TYPE.pem, {
    modifiedAt,
  });
}
