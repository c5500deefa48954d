import { randomBytes, randomUUID } from "node:crypto";

import { expect, it } from "vitest";

import {
  checkThreshold,
  checkTogether,
  combineShares,
  type NamedShare,
  readShare,
  type RootShare,
  type Sealing,
  splitSecret,
  writeShareJson,
  writeSharePage,
} from "../../../src/ca/root-shares.ts";

const secret = randomBytes(32);
const facts = {
  ceremonyId: randomUUID(),
  threshold: 3,
  total: 5,
  rootFingerprint: randomBytes(32).toString("hex"),
};
const shares = await splitSecret(secret, facts);
const sealing: Sealing = { ...facts, commitment: shares[0]?.commitment ?? "" };
const named = (which: readonly RootShare[]): NamedShare[] =>
  which.map((share) => ({ name: `share-${share.index}`, share }));

/** Every choice of so many. */
function choices<T>(from: readonly T[], count: number): T[][] {
  if (count === 0) return [[]];
  return from.flatMap((first, i) =>
    choices(from.slice(i + 1), count - 1).map((rest) => [first].concat(rest)),
  );
}

it("restores the secret from each of the ten choices of three, and from four and five", async () => {
  const threes = choices(shares, 3);
  expect(threes).toHaveLength(10);
  for (const some of [...threes, ...choices(shares, 4), [...shares]])
    expect(Buffer.from(await combineShares(named(some), sealing))).toEqual(secret);
});

it("restores nothing from any two, whether it counts them or not", async () => {
  for (const two of choices(shares, 2)) {
    await expect(combineShares(named(two), sealing)).rejects.toMatchObject({ code: "key-store" });
    await expect(combineShares(named(two), { ...sealing, threshold: 2 })).rejects.toThrow(
      "do not give the key that was split",
    );
  }
});

it("recognises a wrong combination, even of a share whose checksum is right", async () => {
  const [a, b, c] = shares.map((share) => ({ ...share, share: share.share.slice() }));
  expect(c?.share.length).toBe(33);
  c?.share.set([1, 2, 3]);
  const forged = named([a, b, c].flatMap((share) => share ?? []));
  const reread = forged.map(({ name, share }) => readShare(name, writeShareJson(share)));
  await expect(combineShares(reread, sealing)).rejects.toThrow("do not give the key");
});

it("reads a share back from JSON and from the page, however it is typed", () => {
  for (const share of shares) {
    expect(readShare("a", writeShareJson(share)).share).toEqual(share);
    const page = writeSharePage(share);
    expect(readShare("b", page).share).toEqual(share);
    const lines = page.split("\n").filter((line) => /^\d\d /.test(line));
    expect(lines).toHaveLength(10);
    const typed = lines
      .toReversed()
      .map((line) => line.replace("  ", ": ").toLowerCase().replaceAll("0", "o"))
      .map((line) => line.replace(/^([o\d]+)/, (number) => number.replaceAll("o", "0")))
      .map((line) =>
        line.replaceAll("1", "l").replace(/^(l*\d*l*)/, (n) => n.replaceAll("l", "1")),
      );
    expect(readShare("c", typed.join("\r\n")).share).toEqual(share);
  }
});

it("names the corrupted share, and the line", () => {
  const [share] = shares.flatMap((each) => (each.index === 2 ? each : []));
  const page = writeSharePage(share ?? ({} as RootShare));
  const line = /^04 {2}(.)/m.exec(page);
  const other = line?.[1] === "7" ? "8" : "7";
  const wrong = page.replace(/^04 {2}./m, `04  ${other}`);
  expect(() => readShare("share-2.txt", wrong)).toThrow(/share-2\.txt.*line 4 is mistyped/);
  expect(() => readShare("share-2.txt", page.replace(/^09.*$/m, ""))).toThrow(/line 9 is missing/);
  expect(() => readShare("share-2.txt", page.replace(/^(01 {2}.)/m, "$1?"))).toThrow(
    /line 1 has "\?"/,
  );
  const json = JSON.parse(writeShareJson(share ?? ({} as RootShare))) as Record<string, unknown>;
  for (const changed of [{ index: 3 }, { threshold: 2 }, { rootFingerprint: "00".repeat(32) }])
    expect(() => readShare("share-2.json", JSON.stringify({ ...json, ...changed }))).toThrow(
      /share-2\.json.*checksum does not fit/,
    );
});

it("takes no line of another share", () => {
  const [a = "", b = ""] = shares.map((share) => writeSharePage(share));
  const line = /^07 .*$/m.exec(b)?.[0] ?? "";
  expect(a).not.toContain(line);
  expect(() => readShare("mixed", a.replace(/^07 .*$/m, line))).toThrow(/mixed with another/);
});

it("refuses a share of another sealing by name, and the same one twice", async () => {
  const others = await splitSecret(secret, { ...facts, ceremonyId: randomUUID() });
  const mixed = [...named(shares.slice(0, 2)), { name: "stranger", share: others[2] }].flatMap(
    ({ name, share }) => (share === undefined ? [] : [{ name, share }]),
  );
  await expect(combineShares(mixed, sealing)).rejects.toThrow(/stranger is of another sealing/);
  const [first] = named(shares);
  const twice = [first, first].flatMap((share) => share ?? []);
  expect(() => checkTogether(twice, sealing)).toThrow(/the same share/);
});

it.for([
  [1, 3],
  [3, 3],
  [2, 2],
  [2, 17],
  [4, 3],
])("refuses %i of %i", ([threshold = 0, total = 0]) => {
  expect(() => checkThreshold(threshold, total)).toThrow("cannot be");
});

it("takes two of three and three of five", () => {
  expect(() => checkThreshold(2, 3)).not.toThrow();
  expect(() => checkThreshold(3, 5)).not.toThrow();
});
