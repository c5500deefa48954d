import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, expect, it } from "vitest";

import {
  openFolderSeal,
  readDelegate,
  rootDelegateFile,
  storeRootDelegate,
} from "../../../src/va/delegate-file.ts";

const folder = mkdtempSync(path.join(tmpdir(), "suido-delegate-"));
afterAll(() => rmSync(folder, { recursive: true }));

const random = (octets: number): Uint8Array => randomBytes(octets);
const material = {
  issuerId: "root-g1",
  certificate: randomBytes(300),
  pkcs8: Buffer.from("a private key that nobody may see"),
};
const file = rootDelegateFile(folder);

it("what the ceremony stores is read again, and readable by the owner only", async () => {
  await storeRootDelegate(folder, material, random);
  const seal = await openFolderSeal(folder, random);
  expect(await readDelegate(file, seal)).toEqual(material);
  for (const name of ["seal.key", "root-delegate.json"]) {
    expect(statSync(path.join(folder, name)).mode & 0o777).toBe(0o600);
  }
  const text = readFileSync(file, "utf8");
  expect(text).not.toContain(material.pkcs8.toString("base64"));
});

it("there is none where there is no file", async () => {
  const seal = await openFolderSeal(folder, random);
  expect(await readDelegate(path.join(folder, "none.json"), seal)).toBeUndefined();
});

it.for([
  ["the issuer is another", (text: string) => text.replace("root-g1", "root-g2")],
  [
    "the certificate is another",
    (text: string) => text.replace(/("certificate": ")...../, "$1AAAAA"),
  ],
  ["the key was changed", (text: string) => text.replace(/("key": ")...../, "$1AAAAA")],
  ["the key is too short", (text: string) => text.replace(/"key": "[^"]+"/, '"key": "AAAA"')],
  ["it is not JSON", () => "{"],
  ["it is something else", () => "[]"],
] as const)("does not open when %s", async ([, change]) => {
  await storeRootDelegate(folder, material, random);
  writeFileSync(file, change(readFileSync(file, "utf8")));
  const seal = await openFolderSeal(folder, random);
  await expect(readDelegate(file, seal)).rejects.toMatchObject({ code: "seal-broken" });
});

it("does not open with another folder's key", async () => {
  await storeRootDelegate(folder, material, random);
  const other = await openFolderSeal(path.join(folder, "other"), random);
  await expect(readDelegate(file, other)).rejects.toMatchObject({ code: "seal-broken" });
});

it("those who make the seal's key at the same time share it", async () => {
  const fresh = path.join(folder, "fresh");
  const seals = await Promise.all(Array.from({ length: 8 }, () => openFolderSeal(fresh, random)));
  const sealed = seals.map((seal) => seal.close(material.pkcs8, "context"));
  const last = await openFolderSeal(fresh, random);
  expect(sealed.map((each) => Buffer.from(last.open(each, "context")))).toEqual(
    sealed.map(() => material.pkcs8),
  );
  expect(readdirSync(fresh)).toEqual(["seal.key"]);
});
