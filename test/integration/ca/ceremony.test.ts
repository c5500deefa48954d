import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkFrozenVaUrl } from "../../../src/ca/ceremony.ts";
import { describeCa } from "../../../src/ca/description.ts";
import { checkInvariants } from "../../../src/ca/invariants.ts";
import { pemEncode } from "../../../src/pki/pem.ts";
import { mustRun } from "../../support/openssl-ca.ts";
import { Crash, Fate, system, TestCa, VA_URL } from "../../support/signer.ts";

describe("the ceremony", () => {
  let ca: TestCa;
  beforeEach(async () => {
    ca = await TestCa.create();
  });
  afterEach(() => ca.drop());

  const describeIt = () =>
    describeCa({ database: ca.database, keyStore: ca.keyStore, digest: system.digest });

  async function faults(): Promise<readonly string[]> {
    const now = new Date(ca.clock().getTime() + 120_000);
    return (
      await checkInvariants({
        database: ca.database,
        journalFolder: ca.journalFolder,
        now,
        digest: system.digest,
        scope: { verify: system.verify },
      })
    ).faults;
  }

  it("makes root, issuing CA, their lists and the root's delegate, as decided", async () => {
    await (await ca.start()).close();
    const [root, issuing] = await describeIt();
    if (root === undefined || issuing === undefined) throw new Error("two CAs were expected");
    expect(root).toMatchObject({
      id: "root-g1",
      kind: "root",
      state: "active",
      keyAlgorithm: "ecdsa-with-SHA384",
      hasKey: true,
      vaUrl: VA_URL,
    });
    expect(issuing).toMatchObject({
      id: "issuing-g1",
      kind: "issuing",
      state: "active",
      keyAlgorithm: "ecdsa-with-SHA256",
      hasKey: true,
      vaUrl: VA_URL,
    });
    expect(root.fingerprint).toBe(
      new X509Certificate(root.certificate).fingerprint256.replaceAll(":", "").toLowerCase(),
    );
    expect(issuing.list?.entries).toBe(0);
    const pem = (name: string, der: Uint8Array): string => {
      const file = path.join(ca.folder, name);
      writeFileSync(file, pemEncode("CERTIFICATE", der));
      return file;
    };
    const trust = pem("root.pem", root.certificate);
    expect(
      mustRun("openssl", [
        "verify",
        "-x509_strict",
        "-CAfile",
        trust,
        pem("issuing.pem", issuing.certificate),
      ]),
    ).toContain("OK");
    const text = mustRun("openssl", [
      "x509",
      "-noout",
      "-text",
      "-in",
      path.join(ca.folder, "issuing.pem"),
    ]);
    for (const part of [
      `URI:${VA_URL}/crl/root-g1.crl`,
      `OCSP - URI:${VA_URL}/ocsp`,
      `CA Issuers - URI:${VA_URL}/ca/root-g1.cer`,
      "CA:TRUE, pathlen:0",
      "X509v3 Any Policy",
    ]) {
      expect(text).toContain(part);
    }
    const [delegate] = ca.delegates;
    expect(delegate?.issuerId).toBe("root-g1");
    expect(
      mustRun("openssl", [
        "verify",
        "-x509_strict",
        "-purpose",
        "ocsphelper",
        "-CAfile",
        trust,
        pem("ocsp.pem", delegate?.certificate ?? Buffer.alloc(0)),
      ]),
    ).toContain("OK");
    expect(await faults()).toEqual([]);
  });
  it("changes nothing when it is done a second time", async () => {
    await (await ca.start()).close();
    const before = await describeIt();
    await (await ca.start()).close();
    expect(await describeIt()).toEqual(before);
    expect(ca.delegates).toHaveLength(1);
  });

  /** Dies the nth time that a step is reached. */
  class LateFate extends Fate {
    left: number;
    constructor(step: string, nth: number) {
      super();
      this.left = nth;
      const { checkpoint } = this;
      Object.defineProperty(this, "checkpoint", {
        value: (at: string) => {
          if (at === step && --this.left === 0) this.crashAt = step;
          checkpoint(at);
        },
      });
    }
  }

  // Written down are the epoch, then root, issuing CA, the root's list, the root's delegate, the issuing CA's lists.
  it.for(
    [1, 2, 3, 4, 5, 6].flatMap((nth) => [
      { step: "journaled", nth },
      { step: "committed", nth },
    ]),
  )(
    "interrupted when something is $step for the $nth. time, it is finished by the next start",
    async ({ step, nth }) => {
      await expect(ca.start(new LateFate(step, nth))).rejects.toThrow(Crash);
      const signer = await ca.start();
      const serial = await ca.reserve();
      expect(await signer.issue([serial])).toMatchObject([{ outcome: "good" }]);
      await signer.close();
      expect((await describeIt()).map(({ id }) => id)).toEqual(["root-g1", "issuing-g1"]);
      expect(ca.delegates.length).toBeGreaterThan(0);
      expect(await faults()).toEqual([]);
    },
  );
  it("uses the key of a ceremony that ended before anything was signed", async () => {
    const { spki } = await ca.keyStore.generate({ id: "root-g1", purpose: "root", kind: "P-384" });
    await (await ca.start()).close();
    const [root] = await describeIt();
    expect(
      new X509Certificate(root?.certificate ?? "").publicKey.export({
        format: "der",
        type: "spki",
      }),
    ).toEqual(spki);
  });
  it("freezes the VA's address", async () => {
    await (await ca.start()).close();
    await checkFrozenVaUrl(ca.database, VA_URL);
    await expect(checkFrozenVaUrl(ca.database, "http://elsewhere.test")).rejects.toThrow(
      `this CA has written ${VA_URL} into its certificates`,
    );
  });
  it("works on without the root's key once it was taken out", async () => {
    await (await ca.start()).close();
    await ca.keyStore.remove("root-g1");
    const signer = await ca.start();
    const serial = await ca.reserve();
    expect(await signer.issue([serial])).toMatchObject([{ outcome: "good" }]);
    await expect(signer.prepareLists("root-g1")).rejects.toMatchObject({ code: "key-store" });
    await signer.close();
  });
  it("does not start with a key that is not the issuing CA's", async () => {
    await (await ca.start()).close();
    await ca.keyStore.remove("issuing-g1");
    await expect(ca.start()).rejects.toThrow('there is no key "issuing-g1"');
    await ca.keyStore.generate({ id: "issuing-g1", purpose: "issuing", kind: "P-256" });
    await expect(ca.start()).rejects.toThrow("is not the one of the certificate");
  });
});
