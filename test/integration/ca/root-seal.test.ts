import { existsSync, mkdirSync, statSync } from "node:fs";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { openFileKeyStore } from "../../../src/ca/file-key-store.ts";
import { readKek, readKeks } from "../../../src/ca/kek.ts";
import { type RootSealDeps, sealRootKeys } from "../../../src/ca/root-seal.ts";
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
      actor: "cli:test",
    };
  });
  afterEach(() => ca.drop());

  it("moves the key into a folder that opens by its own key-encryption key only", async () => {
    const before = await ca.keyStore.open("root-g1", "root");
    expect(await sealRootKeys(deps)).toEqual(["root-g1"]);
    expect(await ca.keyStore.list()).toEqual(["issuing-g1"]);
    const kek = readKek(path.join(deps.folder, "kek"));
    const vault = openFileKeyStore({ folder: deps.folder, keks: [kek], random: system.random });
    expect((await vault.open("root-g1", "root")).spki).toEqual(before.spki);
    expect(statSync(deps.folder).mode & 0o077).toBe(0);
    const online = openFileKeyStore({
      folder: deps.folder,
      keks: deps.store.keks,
      random: system.random,
    });
    await expect(online.open("root-g1", "root")).rejects.toMatchObject({ code: "key-store" });
  });

  it("leaves a CA that goes on issuing and publishing, and an audit row", async () => {
    await sealRootKeys(deps);
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
    await expect(sealRootKeys(deps)).rejects.toMatchObject({ code: "key-store" });
    expect(await ca.keyStore.has("root-g1")).toBe(true);
    expect(existsSync(path.join(deps.folder, "kek"))).toBe(false);
  });

  it("removes nothing when the copy is not the certificate's key", async () => {
    await expect(sealRootKeys({ ...deps, verify: refuse })).rejects.toMatchObject({
      code: "key-store",
    });
    expect(await ca.keyStore.has("root-g1")).toBe(true);
  });

  it("says so when there is no root key to seal", async () => {
    await sealRootKeys(deps);
    const again = { ...deps, folder: `${deps.folder}-2` };
    await expect(sealRootKeys(again)).rejects.toThrow("has no root key");
  });
});
