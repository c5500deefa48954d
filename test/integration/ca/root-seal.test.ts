import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { openFileKeyStore } from "../../../src/ca/file-key-store.ts";
import { readKeks } from "../../../src/ca/kek.ts";
import { type RootSealDeps, sealRootKey } from "../../../src/ca/root-seal.ts";
import { openSealedRoot, readSealedRoot, readShareFiles } from "../../../src/ca/sealed-root.ts";
import { system, TestCa } from "../../support/signer.ts";

const refuse = (): boolean => false;

describe("sealing the root", () => {
  let ca: TestCa;
  let deps: RootSealDeps;
  beforeEach(async () => {
    ca = await TestCa.create();
    await (await ca.start()).close();
    deps = {
      ...system,
      clock: ca.clock,
      database: ca.database,
      store: { folder: path.join(ca.folder, "keys"), keks: readKeks(path.join(ca.folder, "kek")) },
      folder: path.join(ca.folder, "vault"),
      threshold: 3,
      total: 5,
      actor: "cli:test",
    };
  });
  afterEach(() => ca.drop());

  it("moves the key into a folder that three of five shares open", async () => {
    const before = await ca.keyStore.open("root-g1", "root");
    const sealed = await sealRootKey(deps);
    expect(sealed).toMatchObject({ rootId: "root-g1" });
    expect(await ca.keyStore.list()).toEqual(["issuing-g1"]);
    const [a, b, c] = sealed.shares;
    const three = [a?.page, b?.json, c?.page].flatMap((file) => file ?? []);
    const key = await openSealedRoot(deps.folder, readShareFiles(three));
    expect(key.spki).toEqual(before.spki);
    const two = readShareFiles(three.slice(1));
    await expect(openSealedRoot(deps.folder, two)).rejects.toThrow("3 shares open this key");
    expect(statSync(deps.folder).mode & 0o077).toBe(0);
    expect(readdirSync(deps.folder).toSorted()).toEqual([
      "root-g1.key.json",
      "seal.json",
      ...[1, 2, 3, 4, 5].flatMap((n) => [`share-${n}.json`, `share-${n}.txt`]),
    ]);
    const online = openFileKeyStore({
      folder: deps.folder,
      keks: deps.store.keks,
      random: system.random,
    });
    await expect(online.open("root-g1", "root")).rejects.toMatchObject({ code: "key-store" });
  });

  it("leaves no key-encryption key in the folder, and refuses a changed one", async () => {
    await sealRootKey(deps);
    expect(existsSync(path.join(deps.folder, "kek"))).toBe(false);
    const file = path.join(deps.folder, "seal.json");
    const { certificate, sealedAt } = readSealedRoot(deps.folder);
    expect(certificate.length).toBeGreaterThan(300);
    writeFileSync(file, JSON.stringify({ sealedAt }));
    expect(() => readSealedRoot(deps.folder)).toThrow("was changed");
  });

  it("leaves a CA that goes on issuing and publishing, and an audit row", async () => {
    await sealRootKey(deps);
    const signer = await ca.start();
    const serial = await ca.reserve();
    expect(await signer.issue([serial])).toEqual([{ serial, outcome: "good" }]);
    await signer.close();
    const rows = await ca.superuser.query<{ subject: string }>(
      "select subject from app.audit where action = 'issuer.sealed' and actor = 'cli:test'",
    );
    expect(rows).toEqual([{ subject: "issuer/root-g1" }]);
  });

  it("removes nothing when the folder is there already", async () => {
    mkdirSync(deps.folder);
    await expect(sealRootKey(deps)).rejects.toMatchObject({ code: "key-store" });
    expect(await ca.keyStore.has("root-g1")).toBe(true);
    expect(readdirSync(deps.folder)).toEqual([]);
  });

  it("removes nothing when the copy is not the certificate's key", async () => {
    await expect(sealRootKey({ ...deps, verify: refuse })).rejects.toMatchObject({
      code: "key-store",
    });
    expect(await ca.keyStore.has("root-g1")).toBe(true);
  });

  it("removes nothing when so few shares cannot be", async () => {
    await expect(sealRootKey({ ...deps, threshold: 1 })).rejects.toThrow("cannot be");
    expect(await ca.keyStore.has("root-g1")).toBe(true);
    expect(existsSync(deps.folder)).toBe(false);
  });

  it("says so when there is no root key to seal", async () => {
    await sealRootKey(deps);
    const again = { ...deps, folder: `${deps.folder}-2` };
    await expect(sealRootKey(again)).rejects.toThrow("has no root key");
  });
});
