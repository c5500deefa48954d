import {
  appendFileSync,
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import fc from "fast-check";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { JournalEntry } from "../../../src/ca/journal-record.ts";
import { createJournal, type Journal, journalFiles, openJournal } from "../../../src/ca/journal.ts";
import { readJournals } from "../../../src/ca/invariants-journal.ts";
import { HourlyCount } from "../../../src/ca/hourly-count.ts";
import { createSystem } from "../../../src/cli/system.ts";

const all = mkdtempSync(path.join(tmpdir(), "suido-journal-"));
afterAll(() => rmSync(all, { recursive: true }));

const NOW = new Date("2026-11-21T03:00:00Z");
let now = NOW;
const clock = (): Date => now;
let folder: string;
beforeEach(() => {
  now = NOW;
  folder = mkdtempSync(path.join(all, "t-"));
});

const create = (): Journal =>
  createJournal(folder, { journalId: "0b0d7f0e-43a1-4b5e-9a54-9f6d3f2f6c11" }, { clock, epoch: 0 });
const deny = (changeSeq: number): JournalEntry => ({
  kind: "change",
  change: "deny",
  changeSeq: String(changeSeq),
  changedAt: NOW.toISOString(),
  subject: `api-key:${changeSeq}`,
});
const list = (number: bigint): JournalEntry => ({
  kind: "list",
  issuerId: "issuing-g1",
  scope: "full",
  number: String(number),
  watermark: "0",
  thisUpdate: NOW.toISOString(),
  nextUpdate: NOW.toISOString(),
  sha256: "00".repeat(32),
});
const file = (): string => journalFiles(folder)[0] ?? "";
const reopened = (): Journal => {
  const journal = openJournal(folder, clock);
  if (journal === undefined) throw new Error("no journal");
  return journal;
};

describe("the journal", () => {
  it("is not there until it is begun", () => {
    expect(openJournal(folder, clock)).toBeUndefined();
  });
  it("says after it was opened again what it said before", () => {
    const journal = create();
    journal.append([deny(7), list(41n)], 3);
    journal.append([deny(9)], 4);
    const again = reopened();
    for (const one of [journal, again]) {
      expect(one.head.seq).toBe(4n);
      expect(one.epoch).toBe(4);
      expect(one.changeSeq).toBe(9n);
      expect(one.listNumber("issuing-g1")).toBe(41n);
      expect(one.listNumber("root-g1")).toBe(0n);
    }
    expect(again.head).toEqual(journal.head);
    expect([...again.history()].map(({ kind }) => kind)).toEqual([
      "journal",
      "change",
      "list",
      "change",
    ]);
  });
  it("knows what came after a place, and that a place never was", () => {
    const journal = create();
    const place = journal.append([deny(1)], 1);
    journal.append([deny(2)], 1);
    const { hash, records } = journal.recordsAfter(place.seq);
    expect(hash).toBe(place.hash);
    expect(records).toMatchObject([{ changeSeq: "2" }]);
    expect(journal.recordsAfter(99n).hash).toBeUndefined();
  });
  it("cuts an incomplete last record off, wherever it was cut", () => {
    const journal = create();
    journal.append([deny(1)], 1);
    const { head } = journal;
    const whole = readFileSync(file());
    journal.append([deny(2)], 1);
    const longer = readFileSync(file());
    for (let end = whole.length; end < longer.length; end += 7) {
      writeFileSync(file(), longer.subarray(0, end));
      expect(reopened().head).toEqual(head);
      expect(readFileSync(file())).toEqual(whole);
    }
  });
  it("refuses any other change of any octet", () => {
    const journal = create();
    journal.append([deny(1), list(5n)], 1);
    journal.append([deny(2)], 2);
    const good = readFileSync(file());
    fc.assert(
      fc.property(
        fc.nat({ max: good.length - 2 }),
        fc.integer({ min: 1, max: 255 }),
        (at, flip) => {
          const bad = Buffer.from(good);
          bad[at] = (bad[at] ?? 0) ^ flip;
          writeFileSync(file(), bad);
          expect(() => openJournal(folder, clock)).toThrow(
            expect.objectContaining({ code: "journal-damaged" }),
          );
        },
      ),
    );
  });
  it("is found faulty by the invariants' own reader too, and sound by both when it is", async () => {
    const { digest } = createSystem();
    const journal = create();
    journal.append([deny(1), list(5n)], 1);
    const sound = await readJournals([file()], digest);
    expect(sound).toMatchObject({ faults: [], records: 3, changes: 1, changeSeq: 1n });
    writeFileSync(file(), readFileSync(file(), "utf8").replace("api-key:1", "api-key:2"));
    expect((await readJournals([file()], digest)).faults).toEqual([
      expect.stringContaining("record 2 does not fit"),
    ]);
  });
  it("takes no more after the disk failed", () => {
    const journal = create();
    journal.close();
    expect(() => journal.append([deny(1)], 1)).toThrow(
      expect.objectContaining({ code: "journal-damaged" }),
    );
    // The descriptor's number is another file's now, which must not get a record.
    const other = openSync(path.join(folder, "other"), "w+");
    writeSync(other, "another file");
    expect(() => journal.append([deny(1)], 1)).toThrow(
      expect.objectContaining({ code: "journal-damaged" }),
    );
    closeSync(other);
    expect(readFileSync(path.join(folder, "other"), "utf8")).toBe("another file");
  });
  it("notices a second writer before it breaks the chain", () => {
    const first = create();
    const second = reopened();
    second.append([deny(1)], 2);
    expect(() => first.append([deny(2)], 1)).toThrow("another process has written to the journal");
    expect(reopened().head).toEqual(second.head);
  });
  it("bears a clock that is five minutes behind, not one that is more", () => {
    const journal = create();
    now = new Date(NOW.getTime() - 5 * 60_000);
    journal.append([deny(1)], 1);
    now = new Date(NOW.getTime() - 5 * 60_000 - 1);
    expect(() => journal.append([deny(2)], 1)).toThrow(
      expect.objectContaining({ code: "clock-behind" }),
    );
    expect(() => openJournal(folder, clock)).toThrow(
      expect.objectContaining({ code: "clock-behind" }),
    );
    now = NOW;
    journal.append([deny(2)], 1);
    expect(reopened().changeSeq).toBe(2n);
  });
  it("goes on in a new file that names the head of the one before", () => {
    const old = create();
    old.append([deny(8)], 1);
    const adopted = {
      journalId: old.id,
      seq: String(old.head.seq),
      hash: old.head.hash,
      changeSeq: "8",
      by: ["Sato", "Tanaka"],
    };
    createJournal(
      folder,
      { journalId: "1b0d7f0e-43a1-4b5e-9a54-9f6d3f2f6c11", adopted },
      { clock, epoch: 1 },
    );
    const journal = reopened();
    expect(journal.head.seq).toBe(1n);
    expect(journal.changeSeq).toBe(8n);
    expect([...journal.history()].map(({ kind }) => kind)).toEqual([
      "journal",
      "change",
      "journal",
    ]);
  });
  it("reads records that are longer than what is read at once", () => {
    const journal = create();
    const subject = "x".repeat(3_000_000);
    journal.append(
      [
        { kind: "change", change: "deny", changeSeq: "1", changedAt: NOW.toISOString(), subject },
        deny(2),
      ],
      1,
    );
    expect(reopened().changeSeq).toBe(2n);
    appendFileSync(file(), "x".repeat(2_000_000));
    expect(reopened().changeSeq).toBe(2n);
  });
});

describe("HourlyCount", () => {
  it("counts the last sixty minutes and forgets what is older", () => {
    const count = new HourlyCount();
    const start = NOW.getTime();
    for (let minute = 0; minute < 90; minute++) count.add(start + minute * 60_000);
    expect(count.total(start + 89 * 60_000)).toBe(60);
    expect(count.total(start + 99 * 60_000)).toBe(50);
    expect(count.total(start + 200 * 60_000)).toBe(0);
  });
});
