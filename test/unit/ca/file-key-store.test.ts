import { fork } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { openFileKeyStore, rewrap, rotateKek } from "../../../src/ca/file-key-store.ts";
import { makeKek, nextKekFile, readKek, readKeks } from "../../../src/ca/kek.ts";
import { createSystem } from "../../../src/cli/system.ts";
import { keyStoreContract } from "../../support/key-store-contract.ts";

const { random } = createSystem();
const all = mkdtempSync(path.join(tmpdir(), "suido-keys-"));
afterAll(() => rmSync(all, { recursive: true }));

let base: string;
let folder: string;
let kekFile: string;
beforeEach(() => {
  base = mkdtempSync(path.join(all, "t-"));
  folder = path.join(base, "keys");
  kekFile = path.join(base, "kek");
  makeKek(kekFile, random);
});

const open = (keks = readKeks(kekFile)) => openFileKeyStore({ folder, keks, random });

keyStoreContract("the file key store", async () => open());

describe("the file key store", () => {
  const ids = ["issuing-g1", "issuing-g2", "issuing-g3"];
  const fill = async (): Promise<Uint8Array[]> => {
    const keys = await Promise.all(
      ids.map((id) => open().generate({ id, purpose: "issuing", kind: "P-256" })),
    );
    return keys.map(({ spki }) => spki);
  };
  const spkis = (): Promise<Uint8Array[]> =>
    Promise.all(ids.map(async (id) => (await open().open(id, "issuing")).spki));

  it("keeps keys where only their owner reads them, and never in the clear", async () => {
    await fill();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const file = path.join(folder, "issuing-g1.key.json");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { sealed } = JSON.parse(readFileSync(file, "utf8")) as { sealed: string };
    expect(Buffer.from(sealed, "base64").includes(Buffer.from("2a8648ce3d0201", "hex"))).toBe(
      false,
    );
  });
  it("says in one sentence that the key-encryption key is the wrong one", async () => {
    await fill();
    const other = makeKek(path.join(base, "other"), random);
    await expect(open([other]).open("issuing-g1", "issuing")).rejects.toThrow(
      'the key "issuing-g1" is sealed with another key-encryption key than SUIDO_KEK_FILE names',
    );
  });
  it.for([
    {
      name: "another purpose",
      edit: (text: string) => text.replace('"purpose":"issuing"', '"purpose":"root"'),
      purpose: "root",
      says: "has been changed",
    },
    {
      name: "another algorithm",
      edit: (text: string) => text.replace('"P-256"', '"P-384"'),
      purpose: "issuing",
      says: "has been changed",
    },
    {
      name: "a changed octet",
      edit: (text: string) =>
        text.replace(/"sealed":"(.)/, (_, c: string) => `"sealed":"${c === "A" ? "B" : "A"}`),
      purpose: "issuing",
      says: "has been changed",
    },
    {
      name: "no JSON",
      edit: (text: string) => text.slice(5),
      purpose: "issuing",
      says: "cannot be read as a key",
    },
    {
      name: "another format",
      edit: (text: string) => text.replace("suido-key-1", "suido-key-9"),
      purpose: "issuing",
      says: "is not a file of this key store",
    },
  ] as const)("does not open a file with $name", async ({ edit, purpose, says }) => {
    await fill();
    const file = path.join(folder, "issuing-g1.key.json");
    writeFileSync(file, edit(readFileSync(file, "utf8")));
    await expect(open().open("issuing-g1", purpose)).rejects.toThrow(says);
  });
  it("does not open a file under another key's name", async () => {
    await fill();
    renameSync(path.join(folder, "issuing-g1.key.json"), path.join(folder, "issuing-g2.key.json"));
    await expect(open().open("issuing-g2", "issuing")).rejects.toThrow(
      'holds the key "issuing-g1"',
    );
  });
  it("changes the key-encryption key", async () => {
    const before = await fill();
    const old = readKek(kekFile);
    rotateKek({ folder, kekFile, random });
    expect(readKek(kekFile).id).not.toBe(old.id);
    expect(existsSync(nextKekFile(kekFile))).toBe(false);
    expect(await spkis()).toEqual(before);
    await expect(open([old]).open("issuing-g1", "issuing")).rejects.toThrow(
      "another key-encryption key",
    );
  });
  it.for([1, 2, 3])(
    "killed after %i of 3 keys were sealed anew: every key opens, and the change can be finished",
    async (kills) => {
      const before = await fill();
      const child = fork(new URL("../../support/rotate-and-die.ts", import.meta.url), [
        folder,
        kekFile,
        String(kills),
      ]);
      expect(await once(child, "exit")).toEqual([null, "SIGKILL"]);
      expect(existsSync(nextKekFile(kekFile))).toBe(true);
      expect(await spkis()).toEqual(before);
      rotateKek({ folder, kekFile, random });
      expect(existsSync(nextKekFile(kekFile))).toBe(false);
      expect(await spkis()).toEqual(before);
      expect(readdirSync(folder).toSorted()).toEqual(ids.map((id) => `${id}.key.json`));
    },
  );
  it("seals nothing anew when one file does not open", async () => {
    await fill();
    const strange = makeKek(path.join(base, "strange"), random);
    expect(() =>
      rewrap({ folder, random }, strange, makeKek(path.join(base, "to"), random)),
    ).toThrow("another key-encryption key");
    expect(await spkis()).toHaveLength(3);
  });
});

describe("the key-encryption key", () => {
  it("is made once, for its owner alone", () => {
    expect(statSync(kekFile).mode & 0o777).toBe(0o600);
    expect(() => makeKek(kekFile, random)).toThrow("already");
  });
  it.for([0o640, 0o604, 0o660, 0o601])("is refused with mode %o", (mode) => {
    chmodSync(kekFile, mode);
    expect(() => readKek(kekFile)).toThrow("others may read the key-encryption key");
  });
  it.for([
    { name: "31 octets", text: Buffer.alloc(31).toString("base64") },
    { name: "33 octets", text: Buffer.alloc(33).toString("base64") },
    { name: "hex", text: "00".repeat(32) },
    { name: "nothing", text: "" },
  ])("is refused when it is $name", ({ text }) => {
    writeFileSync(kekFile, text);
    expect(() => readKek(kekFile)).toThrow("is not 32 octets in base64");
  });
  it("is asked for with the command that makes one", () => {
    expect(() => readKek(path.join(base, "none"))).toThrow("openssl rand -base64 32");
  });
});
