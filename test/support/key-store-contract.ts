import { beforeEach, describe, expect, it } from "vitest";
import type { KeyStore } from "../../src/ca/key-store.ts";
import { system } from "./signer.ts";

/** What every key store does, whatever it is made of. */
export function keyStoreContract(name: string, open: () => Promise<KeyStore>): void {
  describe(`${name} is a key store`, () => {
    let store: KeyStore;
    beforeEach(async () => {
      store = await open();
    });

    it.for([
      { kind: "P-256", algorithm: "ecdsa-with-SHA256" },
      { kind: "P-384", algorithm: "ecdsa-with-SHA384" },
      { kind: "RSA-2048", algorithm: "sha256WithRSAEncryption" },
    ] as const)(
      "makes a $kind key that signs with $algorithm, and opens it again",
      async ({ kind, algorithm }) => {
        const made = await store.generate({ id: "issuing-g1", purpose: "issuing", kind });
        const opened = await store.open("issuing-g1", "issuing");
        expect(opened.algorithm).toBe(algorithm);
        expect(opened.spki).toEqual(made.spki);
        const data = Buffer.from("to be signed");
        expect(system.verify(made.spki, algorithm, data, opened.sign(data))).toBe(true);
        expect(system.verify(made.spki, algorithm, Buffer.from("another"), opened.sign(data))).toBe(
          false,
        );
      },
    );
    it("does not make a key twice", async () => {
      const { spki } = await store.generate({
        id: "issuing-g1",
        purpose: "issuing",
        kind: "P-256",
      });
      await expect(
        store.generate({ id: "issuing-g1", purpose: "issuing", kind: "P-256" }),
      ).rejects.toMatchObject({ code: "key-store" });
      expect((await store.open("issuing-g1", "issuing")).spki).toEqual(spki);
    });
    it("does not open a key for another purpose, nor one that is not there", async () => {
      await store.generate({ id: "root-g1", purpose: "root", kind: "P-384" });
      await expect(store.open("root-g1", "issuing")).rejects.toMatchObject({ code: "key-store" });
      await expect(store.open("root-g2", "root")).rejects.toMatchObject({ code: "key-store" });
    });
    it("lists its keys, and removes one for ever", async () => {
      await store.generate({ id: "root-g1", purpose: "root", kind: "P-384" });
      await store.generate({ id: "issuing-g1", purpose: "issuing", kind: "P-256" });
      expect(await store.list()).toEqual(["issuing-g1", "root-g1"]);
      await store.remove("root-g1");
      expect(await store.list()).toEqual(["issuing-g1"]);
      expect(await store.has("root-g1")).toBe(false);
      await expect(store.remove("root-g1")).rejects.toMatchObject({ code: "key-store" });
    });
  });
}
