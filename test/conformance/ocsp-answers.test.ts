import { randomBytes } from "node:crypto";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { equal } from "../../src/pki/bytes.ts";
import { BACKDATE_MS } from "../../src/pki/clock.ts";
import { Cursor, readOnly, whole } from "../../src/pki/der-reader.ts";
import { context, integer, sequence } from "../../src/pki/der.ts";
import { judgeOcspResponse } from "../../src/pki/ocsp-client.ts";
import { readOcspResponse, type OcspResponseView } from "../../src/pki/ocsp-reader.ts";
import { newSerial, serialBytes, type Serial } from "../../src/pki/serial.ts";
import { nodeDigest } from "../../src/va/digest.ts";
import { createResponder, octetsOf } from "../../src/va/responder.ts";
import { StatusIndex } from "../../src/va/status-index.ts";
import { verifySignature } from "../support/certificates.ts";
import { VaHierarchy } from "../support/va-hierarchy.ts";
import { MAX_STALE_MS, VaServer, base64, nowSeconds } from "../support/va-server.ts";

const va = new VaServer();
beforeAll(() => va.open());
afterAll(() => va.close());

const viewOf = async (response: Response): Promise<OcspResponseView> =>
  readOcspResponse(new Uint8Array(await response.arrayBuffer()));

/** The status of one certificate, from a response that a careful relying party believes. */
async function judged(response: Response, serial: Serial): Promise<unknown> {
  const { basic } = await viewOf(response);
  const { answer, findings } = judgeOcspResponse(
    basic as NonNullable<typeof basic>,
    va.ca.question(serial),
    { digest: nodeDigest, verify: verifySignature, now: new Date() },
  );
  expect(findings).toEqual([]);
  return answer;
}

describe("what an answer says", () => {
  it("O05 errors have no responseBytes and nobody may keep them", async () => {
    const stranger = new VaHierarchy();
    const response = await va.post(stranger.request(newSerial(randomBytes)));
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(base64(new Uint8Array(await response.arrayBuffer()))).toBe("MAMKAQY=");
  });

  it.for(["sha1", "sha256"] as const)(
    "O06 a foreign issuer is unauthorized (%s)",
    async (digestName) => {
      const serial = va.fresh();
      const other = new VaHierarchy().issuingIssuer;
      const foreignKey = va.ca.request(serial, { digestName, issuerSpki: other.spki });
      expect((await viewOf(await va.post(foreignKey))).status).toBe("unauthorized");
      const foreignName = va.ca.request(serial, {
        digestName,
        issuerName: va.ca.rootIssuer.subject,
      });
      expect((await viewOf(await va.post(foreignName))).status).toBe("unauthorized");
    },
  );

  it("O07 a serial that was never issued is unknown, signed, and kept by nobody", async () => {
    const serial = newSerial(randomBytes);
    const response = await va.post(va.ca.request(serial));
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await judged(response, serial)).toMatchObject({ status: "unknown" });
  });

  it("O07 a serial of another issuer of ours is unknown", async () => {
    const serial = va.fresh({ issuer: va.rootNumber });
    expect(await judged(await va.post(va.ca.request(serial)), serial)).toMatchObject({
      status: "unknown",
    });
  });

  it.for(["sha1", "sha256", "sha384", "sha512"] as const)(
    "O08 O09 the CertID is echoed byte for byte (%s)",
    async (digestName) => {
      const serial = va.fresh();
      const request = va.ca.request(serial, { digestName });
      const { basic } = await viewOf(await va.post(request));
      const certId = basic?.responses[0]?.certIdRaw ?? new Uint8Array();
      expect(Buffer.from(request).includes(Buffer.from(certId))).toBe(true);
      const { findings } = judgeOcspResponse(
        basic as NonNullable<typeof basic>,
        va.ca.question(serial, { digestName }),
        { digest: nodeDigest, verify: verifySignature, now: new Date() },
      );
      expect(findings).toEqual([]);
    },
  );

  it("O10 several certificates are answered in their order", async () => {
    const serials = [
      va.fresh(),
      va.fresh({ state: "revoked", reason: 1, revokedAt: nowSeconds() }),
      newSerial(randomBytes),
      va.fresh(),
    ];
    const response = await va.post(requestOf(serials.map((serial) => va.ca.request(serial))));
    expect(response.headers.get("cache-control")).toBe("no-store");
    const { basic } = await viewOf(response);
    expect(basic?.responses.map(({ serial, status }) => [serial, status])).toEqual([
      [serials[0], "good"],
      [serials[1], "revoked"],
      [serials[2], "unknown"],
      [serials[3], "good"],
    ]);
  });

  it("O10 certificates of several issuers are unauthorized, and more than sixteen malformed", async () => {
    const own = va.ca.request(va.fresh());
    const { spki: issuerSpki, subject: issuerName } = va.ca.rootIssuer;
    const roots = va.ca.request(va.fresh(), { issuerName, issuerSpki });
    expect((await viewOf(await va.post(requestOf([own, roots])))).status).toBe("unauthorized");
    const many = requestOf(Array.from({ length: 17 }, () => own));
    expect((await viewOf(await va.post(many))).status).toBe("malformedRequest");
  });

  it("O11 O12 the responder is named by the SHA-1 of its key and sends its certificate", async () => {
    const { basic } = await viewOf(
      await va.post(va.ca.request(va.fresh(), { digestName: "sha256" })),
    );
    const delegate = va.surroundings.delegates.get("issuing-g1");
    expect(basic?.responderKeyHash).toEqual(new Uint8Array(delegate?.keyHash ?? []));
    expect(basic?.certificates).toHaveLength(1);
    expect(
      equal(basic?.certificates[0] ?? new Uint8Array(), delegate?.certificate ?? new Uint8Array()),
    ).toBe(true);
  });

  it("O13 nextUpdate never outlives the delegate", async () => {
    const short = va.ca.delegate("issuing-g1", 2 / 24 / 60);
    await va.with({ delegates: new Map([["issuing-g1", short]]) }, async () => {
      const { basic } = await viewOf(await va.post(va.ca.request(va.fresh())));
      expect(basic?.responses[0]?.nextUpdate).toEqual(short.notAfter);
    });
  });

  it("O13 without a delegate, or with one that has ended, the answer is tryLater", async () => {
    const serial = va.fresh();
    await va.with({ delegates: new Map() }, async () => {
      expect((await viewOf(await va.post(va.ca.request(serial)))).status).toBe("tryLater");
    });
    const short = va.ca.delegate("issuing-g1", 2 / 24 / 60);
    const later = { delegates: new Map([["issuing-g1", short]]), now: () => short.notAfter };
    await va.with(later, async () => {
      expect((await viewOf(await va.post(va.ca.request(serial)))).status).toBe("tryLater");
    });
  });

  it("O14 the dates are whole seconds, backdated, and ten minutes apart", async () => {
    await va.with({ known: Date.now() }, async () => {
      const { basic } = await viewOf(await va.post(va.ca.request(va.fresh())));
      const single = basic?.responses[0];
      expect(basic?.producedAt.getTime()).toBeLessThanOrEqual(Date.now());
      expect(single?.thisUpdate.getTime()).toBe(
        Math.floor((va.surroundings.known - BACKDATE_MS) / 1000) * 1000,
      );
      const life = (single?.nextUpdate?.getTime() ?? 0) - (single?.thisUpdate.getTime() ?? 0);
      expect(life).toBeGreaterThanOrEqual(600_000);
      expect(life).toBeLessThanOrEqual(602_000);
    });
  });

  it("O14 while the database is away the answer shows its age, and stays usable", async () => {
    const known = Date.now() - 3 * 60 * 60 * 1000;
    await va.with({ known }, async () => {
      const { basic } = await viewOf(await va.post(va.ca.request(va.fresh())));
      const single = basic?.responses[0];
      expect(single?.thisUpdate.getTime()).toBeLessThanOrEqual(known - BACKDATE_MS);
      expect(single?.nextUpdate?.getTime()).toBeGreaterThan(Date.now());
    });
    await va.with({ known: Date.now() - MAX_STALE_MS - 1000 }, async () => {
      expect((await viewOf(await va.post(va.ca.request(va.fresh())))).status).toBe("tryLater");
    });
  });

  it.for([1, 16, 32, 128])(
    "O15 a nonce of %i octets is echoed and kept by nobody",
    async (length) => {
      const nonce = new Uint8Array(randomBytes(length));
      const serial = va.fresh();
      const response = await va.post(va.ca.request(serial, { nonce }));
      expect(response.headers.get("cache-control")).toBe("no-store");
      const { basic } = await viewOf(response);
      expect(basic?.nonce).toEqual(nonce);
      const again = await viewOf(await va.post(va.ca.request(serial)));
      expect(again.basic?.nonce).toBeUndefined();
    },
  );

  it.for([0, 129, 300])("O15 a nonce of %i octets is malformed", async (length) => {
    const request = va.ca.request(va.fresh(), { nonce: randomBytes(length) });
    expect((await viewOf(await va.post(request))).status).toBe("malformedRequest");
  });

  it("O17 GET may be cached until shortly before nextUpdate, and is confirmed by its tag", async () => {
    const text = encodeURIComponent(base64(va.ca.request(va.fresh())));
    const first = await va.get(text);
    const view = await viewOf(first);
    const single = view.basic?.responses[0];
    expect(first.headers.get("last-modified")).toBe(single?.thisUpdate.toUTCString());
    expect(first.headers.get("expires")).toBe(single?.nextUpdate?.toUTCString());
    const control = first.headers.get("cache-control") ?? "";
    expect(control).toMatch(/^max-age=\d+, public, no-transform, must-revalidate$/);
    const remaining = ((single?.nextUpdate?.getTime() ?? 0) - Date.now()) / 1000;
    expect(Number(/\d+/.exec(control)?.[0])).toBeLessThanOrEqual(remaining);
    expect(Number(/\d+/.exec(control)?.[0])).toBeGreaterThan(200);
    const etag = first.headers.get("etag") ?? "";
    expect(etag).toMatch(/^"[\w-]+"$/);
    const second = await va.get(text, { "if-none-match": etag });
    expect(second.status).toBe(304);
    expect(await second.text()).toBe("");
    const head = await fetch(`${va.url}/ocsp/${text}`, { method: "HEAD" });
    expect(head.headers.get("etag")).toBe(etag);
    expect(head.headers.get("content-length")).toBe(first.headers.get("content-length"));
  });

  it("O17 what was cached as good is not served in the moment of the revocation", async () => {
    const serial = va.fresh();
    const request = va.ca.request(serial);
    const before = await (await va.post(request)).arrayBuffer();
    expect(
      Buffer.from(await (await va.post(request)).arrayBuffer()).equals(Buffer.from(before)),
    ).toBe(true);
    va.set(serial, { state: "revoked", reason: 1, revokedAt: nowSeconds() });
    expect(await judged(await va.post(request), serial)).toMatchObject({
      status: "revoked",
      reason: 1,
    });
  });

  it.for([0, 1, 2, 3, 4, 5, 9, 10])(
    "O18 revoked for reason %i, with the published date",
    async (reason) => {
      const revokedAt = nowSeconds();
      const serial = va.fresh({ state: "revoked", reason, revokedAt });
      const answer = await judged(await va.post(va.ca.request(serial)), serial);
      expect(answer).toMatchObject({
        status: "revoked",
        reason,
        revokedAt: new Date(revokedAt * 1000 - BACKDATE_MS),
      });
    },
  );

  it("O18 hold is certificateHold and ends", async () => {
    const serial = va.fresh({ state: "hold", reason: 6, revokedAt: nowSeconds() });
    const request = va.ca.request(serial);
    expect(await judged(await va.post(request), serial)).toMatchObject({
      status: "revoked",
      reason: 6,
    });
    va.set(serial);
    expect(await judged(await va.post(request), serial)).toMatchObject({ status: "good" });
  });

  it("O19 a certificate that has ended keeps its status, and a revoked one never looks better with age", async () => {
    // The index knows no dates: what was good or revoked stays so, and the proxies look at the dates themselves.
    const good = va.fresh();
    const revoked = va.fresh({ state: "revoked", reason: 1, revokedAt: nowSeconds() });
    const later = new Date(Date.now() + 500 * 86_400_000);
    const delegates = new Map([["issuing-g1", va.ca.delegate("issuing-g1", 600)]]);
    await va.with({ now: () => later, known: later.getTime(), delegates }, async () => {
      for (const [serial, status] of [
        [good, "good"],
        [revoked, "revoked"],
      ] as const) {
        const { basic } = await viewOf(await va.post(va.ca.request(serial)));
        expect(basic?.responses[0]).toMatchObject({ serial, status });
        expect(basic?.responses[0]?.thisUpdate.getTime()).toBeGreaterThan(Date.now());
      }
    });
  });

  it("O20 the answer fits nginx's buffer with its headers", async () => {
    const text = encodeURIComponent(base64(va.ca.request(va.fresh())));
    const { body, head } = await va.raw(`GET /ocsp/${text} HTTP/1.0\r\n\r\n`);
    expect(body.length).toBeGreaterThan(400);
    expect(head.length + body.length).toBeLessThan(2_048);
  });

  it("O21 nothing of a revoked CA is good", async () => {
    const own = new StatusIndex();
    const number = own.issuerNumber("issuing-g1");
    const status = { issuer: number, state: "good", reason: 0, revokedAt: 0 } as const;
    const serial = newSerial(randomBytes);
    own.set(serialBytes(serial), status);
    const rootsNumber = own.issuerNumber("root-g1");
    own.set(va.ca.issuingIssuer.serial, { ...status, issuer: rootsNumber });
    const other = createResponder({
      index: own,
      known: () => Date.now(),
      lookUp: () => Promise.resolve("done" as const),
      delegate: (id) => va.surroundings.delegates.get(id),
      clock: () => new Date(),
      maxStaleMs: MAX_STALE_MS,
      onError: () => undefined,
    });
    other.setIssuers([va.ca.rootIssuer, va.ca.issuingIssuer]);
    const answer = async (): Promise<OcspResponseView> =>
      readOcspResponse(octetsOf(await other.answer(va.ca.request(serial))));
    expect((await answer()).basic?.responses[0]).toMatchObject({ status: "good" });
    const at = nowSeconds();
    own.set(va.ca.issuingIssuer.serial, {
      issuer: rootsNumber,
      state: "revoked",
      reason: 2,
      revokedAt: at,
    });
    expect((await answer()).basic?.responses[0]).toMatchObject({ status: "revoked", reason: 2 });
  });

  it("O22 the delegate signs with ecdsa-with-SHA256", async () => {
    const { basic } = await viewOf(await va.post(va.ca.request(va.fresh())));
    expect(basic?.signatureAlgorithm).toBe("ecdsa-with-SHA256");
  });
});

/** One request about the certificates of all these. */
function requestOf(requests: readonly Uint8Array[]): Uint8Array {
  const members = requests.map((request) => {
    const tbs = new Cursor(readOnly(request)).next();
    return whole(new Cursor(new Cursor(tbs).next()).next());
  });
  return sequence(sequence(context(0, integer(0)), sequence(...members)));
}
