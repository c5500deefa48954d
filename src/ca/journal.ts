import {
  closeSync,
  existsSync,
  fstatSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
} from "node:fs";
import path from "node:path";
import type { Clock } from "../pki/clock.ts";
import { replaceFileSync, writeFully } from "../storage/durable-file.ts";
import { ClockBehindError, JournalDamagedError } from "./errors.ts";
import { HourlyCount } from "./hourly-count.ts";
import {
  CHAIN_START,
  decodeRecord,
  encodeRecord,
  type HeaderEntry,
  type JournalEntry,
  type JournalHead,
  type JournalRecord,
} from "./journal-record.ts";
import { readLines } from "./line-reader.ts";

/** How far the clock may stand before the last record (docs/decisions.md). More is a clock that was set back. */
const CLOCK_TOLERANCE_MS = 5 * 60 * 1000;

/** `000001.jsonl`: the adopted journal's successor is the next file. */
const FILE = /^\d{6}\.jsonl$/;

/** The files of a journal folder, in the order in which they were begun. */
export function journalFiles(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => FILE.test(name))
    .toSorted()
    .map((name) => path.join(folder, name));
}

/** What the journal knows without being read again. */
class JournalFacts {
  id = "";
  epoch = 0;
  lastAt = 0;
  changeSeq = 0n;
  readonly listNumbers = new Map<string, bigint>();
  readonly #recentIssues = new Map<string, HourlyCount>();

  note(record: JournalRecord): void {
    this.epoch = Math.max(this.epoch, record.epoch);
    this.lastAt = Math.max(this.lastAt, Date.parse(record.at));
    switch (record.kind) {
      case "journal":
        this.id = record.journalId;
        this.#noteChange(record.adopted?.changeSeq ?? "0");
        break;
      case "issued":
        this.#countOf(record.profile).add(Date.parse(record.at));
        break;
      case "list": {
        const number = BigInt(record.number);
        if (number > this.listNumber(record.issuerId))
          this.listNumbers.set(record.issuerId, number);
        break;
      }
      case "change":
        this.#noteChange(record.changeSeq);
        break;
      case "issuer":
      case "epoch":
        break;
    }
  }

  listNumber(issuerId: string): bigint {
    return this.listNumbers.get(issuerId) ?? 0n;
  }

  issuedLastHour(profile: string, now: number): number {
    return this.#countOf(profile).total(now);
  }

  #countOf(profile: string): HourlyCount {
    const known = this.#recentIssues.get(profile);
    if (known !== undefined) return known;
    const count = new HourlyCount();
    this.#recentIssues.set(profile, count);
    return count;
  }

  #noteChange(text: string): void {
    const seq = BigInt(text);
    if (seq > this.changeSeq) this.changeSeq = seq;
  }
}

/**
 * Reads a file from its beginning and holds every record against the chain. Throws JournalDamagedError.
 *
 * @yields each record, the chain's head behind it, and where the next one begins
 */
function* verifiedRecords(
  file: string,
): Generator<{ record: JournalRecord; head: JournalHead; end: number }> {
  let head = CHAIN_START;
  for (const { text, end, isComplete } of readLines(file)) {
    // Whoever lost power while writing left a line without an end. It was never confirmed to anybody.
    if (!isComplete) return;
    const decoded = decodeRecord(text, head);
    if (typeof decoded === "string") {
      throw new JournalDamagedError(`the journal ${file} is damaged: ${decoded}`);
    }
    if (head.seq === 0n && decoded.record.kind !== "journal") {
      throw new JournalDamagedError(`the journal ${file} does not begin with its header`);
    }
    ({ head } = decoded);
    yield { ...decoded, end };
  }
}

/**
 * All records of a folder's journals, oldest first. Throws JournalDamagedError.
 *
 * @yields each record
 */
export function* journalHistory(folder: string): Generator<JournalRecord> {
  for (const file of journalFiles(folder)) {
    for (const { record } of verifiedRecords(file)) yield record;
  }
}

interface OpenFile {
  readonly file: string;
  readonly descriptor: number;
  readonly facts: JournalFacts;
  readonly head: JournalHead;
}

/**
 * The signer's diary: an append-only file of JSON lines, each chained to the one before by SHA-256. What `append` has
 * returned from is on the disk. Whoever holds one holds the folder's lock.
 */
export class Journal {
  readonly folder: string;
  readonly #file: string;
  readonly #descriptor: number;
  readonly #facts: JournalFacts;
  readonly #clock: Clock;
  #head: JournalHead;
  #size: number;
  #failure: Error | undefined;

  constructor({ file, descriptor, facts, head }: OpenFile, clock: Clock) {
    this.folder = path.dirname(file);
    this.#file = file;
    this.#descriptor = descriptor;
    this.#facts = facts;
    this.#head = head;
    this.#size = fstatSync(descriptor).size;
    this.#clock = clock;
  }

  get id(): string {
    return this.#facts.id;
  }

  get head(): JournalHead {
    return this.#head;
  }

  /** The fencing epoch of the signer that wrote last. */
  get epoch(): number {
    return this.#facts.epoch;
  }

  /** The highest change of status that was written down. */
  get changeSeq(): bigint {
    return this.#facts.changeSeq;
  }

  /** The highest number that a list of this issuer was given. */
  listNumber(issuerId: string): bigint {
    return this.#facts.listNumber(issuerId);
  }

  /** How many certificates of a profile were signed in the last hour. */
  issuedLastHour(profile: string): number {
    return this.#facts.issuedLastHour(profile, this.#clock().getTime());
  }

  /** Throws ClockBehindError when the clock was set back: what is signed now would contradict what was signed before. */
  checkClock(): void {
    const now = this.#clock().getTime();
    if (now < this.#facts.lastAt - CLOCK_TOLERANCE_MS) {
      throw new ClockBehindError(
        `the clock says ${new Date(now).toISOString()}, but the journal was written at ${new Date(this.#facts.lastAt).toISOString()}: nothing is signed until it is right`,
      );
    }
  }

  /**
   * Writes entries down and waits for the disk. After a failure the journal takes no more: what the file holds now is only
   * known by reading it again (a second fsync would report success for pages that the kernel has dropped).
   */
  append(entries: readonly JournalEntry[], epoch: number): JournalHead {
    if (this.#failure !== undefined) throw this.#failure;
    this.checkClock();
    const at = this.#clock().toISOString();
    const records: JournalRecord[] = [];
    let head = this.#head;
    let lines = "";
    for (const entry of entries) {
      const record: JournalRecord = { seq: String(head.seq + 1n), epoch, at, ...entry };
      const encoded = encodeRecord(record, head);
      lines += `${encoded.line}\n`;
      ({ head } = encoded);
      records.push(record);
    }
    try {
      this.#assertAlone();
      const bytes = Buffer.from(lines);
      writeFully(this.#descriptor, bytes);
      fdatasyncSync(this.#descriptor);
      this.#size += bytes.length;
    } catch (cause) {
      if (cause instanceof JournalDamagedError) throw cause;
      this.#failure = new JournalDamagedError(
        "the journal could not be written; the signer must start anew",
        { cause },
      );
      throw this.#failure;
    }
    for (const record of records) this.#facts.note(record);
    this.#head = head;
    return head;
  }

  /** A second writer would break the chain. The lock keeps it away; where a lock does not reach, the file's size tells. */
  #assertAlone(): void {
    if (fstatSync(this.#descriptor).size !== this.#size) {
      throw new JournalDamagedError("another process has written to the journal");
    }
  }

  /** The records of this journal after a place, and what the chain says there; undefined when it was never there. */
  recordsAfter(seq: bigint): {
    readonly hash: string | undefined;
    readonly records: readonly JournalRecord[];
  } {
    let hash: string | undefined = seq === 0n ? CHAIN_START.hash : undefined;
    const records: JournalRecord[] = [];
    for (const { record, head } of verifiedRecords(this.#file)) {
      if (head.seq === seq) ({ hash } = head);
      if (head.seq > seq) records.push(record);
    }
    return { hash, records };
  }

  /** All records, those of journals that were adopted first. */
  history(): Iterable<JournalRecord> {
    return journalHistory(this.folder);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/**
 * Opens the newest journal of a folder: verifies the chain from its beginning, cuts an incomplete last record off, and
 * refuses any other fault and a clock that was set back. Undefined when the folder has none.
 */
export function openJournal(folder: string, clock: Clock): Journal | undefined {
  const file = journalFiles(folder).at(-1);
  if (file === undefined) return undefined;
  const facts = new JournalFacts();
  let head = CHAIN_START;
  let end = 0;
  for (const verified of verifiedRecords(file)) {
    facts.note(verified.record);
    ({ head, end } = verified);
  }
  if (head.seq === 0n) throw new JournalDamagedError(`the journal ${file} has no header`);
  const descriptor = openSync(file, "r+");
  ftruncateSync(descriptor, end);
  fsyncSync(descriptor);
  closeSync(descriptor);
  const journal = new Journal({ file, descriptor: openSync(file, "a"), facts, head }, clock);
  journal.checkClock();
  return journal;
}

/** Begins a journal, or the next one where there are some. */
export function createJournal(
  folder: string,
  header: Omit<HeaderEntry, "kind">,
  { clock, epoch }: { clock: Clock; epoch: number },
): Journal {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = path.join(
    folder,
    `${String(journalFiles(folder).length + 1).padStart(6, "0")}.jsonl`,
  );
  const record: JournalRecord = {
    seq: "1",
    epoch,
    at: clock().toISOString(),
    kind: "journal",
    ...header,
  };
  const { line, head } = encodeRecord(record, CHAIN_START);
  replaceFileSync(file, Buffer.from(`${line}\n`));
  const descriptor = openSync(file, "a");
  const facts = new JournalFacts();
  facts.note(record);
  return new Journal({ file, descriptor, facts, head }, clock);
}
