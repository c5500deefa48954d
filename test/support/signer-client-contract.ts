import { createHash, generateKeyPairSync, X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { SignerClient } from "../../src/ca/signer-client.ts";
import type { TestCa } from "./signer.ts";

/** A signer at work, and the CA whose rows it signs. */
export interface SignerUnderTest {
  readonly signer: SignerClient;
  readonly ca: TestCa;
}

function newSpki(): Uint8Array {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return new Uint8Array(publicKey.export({ type: "spki", format: "der" }));
}

/** What every way to a signer carries, there and back. `at` gives the same one each time. */
export function describeSignerClient(
  name: "over a fork's channel" | "over a socket",
  at: () => SignerUnderTest,
): void {
  describe(`a signer ${name}`, () => {
    it("issues, and says what it refuses and why", async () => {
      const { ca, signer } = at();
      const serials = await ca.reserveMany(3);
      const odd = await ca.reserve({ profile: "server" });
      const outcomes = await signer.issue([...serials, odd]);
      expect(outcomes).toEqual([
        ...serials.map((serial) => ({ serial, outcome: "good" })),
        {
          serial: odd,
          outcome: "refused",
          findings: ['the profile "server" is not for devices'],
        },
      ]);
    });

    it("journals up to a number", async () => {
      const { ca, signer } = at();
      const serial = await ca.reserve();
      await signer.issue([serial]);
      expect(await signer.journal(await ca.stop(serial, 4))).toBeUndefined();
    });

    it("prepares lists as they were signed, and commits them", async () => {
      const { ca, signer } = at();
      const prepared = await signer.prepareLists("issuing-g1");
      expect(prepared).toMatchObject({
        issuerId: "issuing-g1",
        watermark: await ca.lastChange(),
      });
      expect(prepared.at).toBeInstanceOf(Date);
      expect(prepared.lists).toHaveLength(17);
      for (const { der, number, nextUpdate, sha256, thisUpdate } of prepared.lists) {
        expect(createHash("sha256").update(der).digest("hex")).toBe(sha256);
        expect(typeof number).toBe("bigint");
        expect(nextUpdate.getTime() - thisUpdate.getTime()).toBe(7 * 86_400_000);
      }
      const hashes = prepared.lists.map(({ sha256 }) => sha256);
      expect(await signer.commitLists(prepared.batchId, hashes)).toBeUndefined();
      expect(await ca.currentLists("issuing-g1")).toBe(17);
    });

    it("gives certificates for delegates and servers", async () => {
      const { signer } = at();
      const [first, second] = [newSpki(), newSpki()];
      const delegate = new X509Certificate(await signer.delegate("issuing-g1", first));
      expect(delegate.publicKey.export({ type: "spki", format: "der" })).toEqual(
        Buffer.from(first),
      );
      const names = ["localhost", "*.check.localhost"];
      const server = new X509Certificate(await signer.serverCertificate(second, names));
      expect(server.subjectAltName).toBe("DNS:localhost, DNS:*.check.localhost");
    });

    it("tells its status", async () => {
      const { signer } = at();
      const { journalId, journalSeq, ...status } = await signer.status();
      expect(status).toEqual({ state: "ready", epoch: 1, journalLag: 0, reserved: 0 });
      expect(journalId).toMatch(/^[0-9a-f-]{36}$/);
      expect(journalSeq).toBeGreaterThan(0n);
    });

    it("carries errors across with their code", async () => {
      const { signer } = at();
      for (const ask of [
        () => signer.prepareLists("issuing-g9"),
        () => signer.commitLists("nothing", []),
        () => signer.serverCertificate(newSpki(), []),
      ])
        await expect(ask()).rejects.toMatchObject({ name: "InvalidStateError" });
      await expect(signer.journal(1_000_000n)).rejects.toMatchObject({
        code: "signer-unavailable",
        message: "the signer failed",
        cause: expect.objectContaining({ message: "there is no change 1000000" }) as unknown,
      });
    });

    it("gives each of many callers their own answer", async () => {
      const { ca, signer } = at();
      const serials = await ca.reserveMany(40);
      const asked = serials.map((serial) => signer.issue([serial]));
      await signer.status();
      expect(await Promise.all(asked)).toEqual(
        serials.map((serial) => [{ serial, outcome: "good" }]),
      );
    });
  });
}
