import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toHex } from "../../../src/pki/bytes.ts";
import {
  context,
  contextPrimitive,
  generalizedTime,
  integer,
  nullValue,
  octetString,
  oid,
  sequence,
} from "../../../src/pki/der.ts";
import { readOcspResponse } from "../../../src/pki/ocsp-reader.ts";
import {
  assembleOcspResponse,
  buildResponseData,
  errorResponse,
  type CertStatus,
  type ResponseData,
} from "../../../src/pki/ocsp-response.ts";
import { errorCode } from "../../support/error-code.ts";

const SHA1 = sequence(oid("1.3.14.3.2.26"), nullValue());
const certId = (serial: number | bigint): Uint8Array =>
  sequence(SHA1, octetString(new Uint8Array(20)), octetString(new Uint8Array(20)), integer(serial));
const ALGORITHM = sequence(oid("1.2.840.10045.4.3.2"));
const PRODUCED = new Date("2026-11-21T12:00:01.900Z");
const THIS_UPDATE = new Date("2026-11-21T11:55:00Z");
const NEXT_UPDATE = new Date("2026-11-21T12:10:00Z");
const KEY_HASH = new Uint8Array(20).fill(0xab);
const GOOD: CertStatus = { kind: "good" };

function data(status: CertStatus, changes: Partial<ResponseData> = {}): ResponseData {
  return {
    responderKeyHash: KEY_HASH,
    producedAt: PRODUCED,
    responses: [{ certIdRaw: certId(5), status, thisUpdate: THIS_UPDATE, nextUpdate: NEXT_UPDATE }],
    ...changes,
  };
}

/** The same ResponseData by the plain functions of der.ts. */
function plain(status: Uint8Array, nonce?: Uint8Array): Uint8Array {
  return sequence(
    context(2, octetString(KEY_HASH)),
    generalizedTime(PRODUCED),
    sequence(
      sequence(
        certId(5),
        status,
        generalizedTime(THIS_UPDATE),
        context(0, generalizedTime(NEXT_UPDATE)),
      ),
    ),
    ...(nonce === undefined ? [] : [context(1, sequence(nonce))]),
  );
}

describe("buildResponseData: golden bytes", () => {
  const at = new Date("2026-11-20T00:00:00Z");
  it.for([
    { name: "good", status: GOOD, golden: contextPrimitive(0, new Uint8Array()) },
    { name: "unknown", status: { kind: "unknown" }, golden: contextPrimitive(2, new Uint8Array()) },
    {
      name: "O18 revoked, reason left out when unspecified",
      status: { kind: "revoked", at, reason: 0 },
      golden: context(1, generalizedTime(at)),
    },
    {
      name: "O18 revoked with a reason",
      status: { kind: "revoked", at, reason: 6 },
      golden: context(1, generalizedTime(at), context(0, new Uint8Array([0x0a, 1, 6]))),
    },
  ] as const)("$name", ({ golden, status }) => {
    expect(toHex(buildResponseData(data(status)))).toBe(toHex(plain(golden)));
  });

  it("O15 the nonce's extension as it was sent", () => {
    const nonceExtensionRaw = sequence(oid("1.3.6.1.5.5.7.48.1.2"), octetString(octetString()));
    expect(toHex(buildResponseData(data(GOOD, { nonceExtensionRaw })))).toBe(
      toHex(plain(contextPrimitive(0, new Uint8Array()), nonceExtensionRaw)),
    );
  });

  it("O14 dates have no fraction", () => {
    expect(Buffer.from(buildResponseData(data(GOOD))).toString("latin1")).toContain(
      "\u0018\u000f20261121120001Z",
    );
  });
});

describe("errorResponse", () => {
  it.for([
    ["malformedRequest", "30030a0101"],
    ["internalError", "30030a0102"],
    ["tryLater", "30030a0103"],
    ["sigRequired", "30030a0105"],
    ["unauthorized", "30030a0106"],
  ] as const)("O05 %s is %s", ([status, hex]) => {
    expect(toHex(errorResponse(status))).toBe(hex);
    expect(readOcspResponse(errorResponse(status))).toEqual({ status });
  });
});

describe("assembleOcspResponse", () => {
  it("O12 has no certs when there is no certificate", () => {
    const responseData = buildResponseData(data(GOOD));
    const signature = new Uint8Array([1, 2]);
    const basic = sequence(responseData, ALGORITHM, new Uint8Array([3, 3, 0, 1, 2]));
    expect(
      toHex(
        assembleOcspResponse({
          responseData,
          signatureAlgorithm: ALGORITHM,
          signature,
          certificates: [],
        }),
      ),
    ).toBe(
      toHex(
        sequence(
          new Uint8Array([0x0a, 1, 0]),
          context(0, sequence(oid("1.3.6.1.5.5.7.48.1.1"), octetString(basic))),
        ),
      ),
    );
  });
});

const dates = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => new Date(1000 * seconds));
const statuses: fc.Arbitrary<CertStatus> = fc.oneof(
  fc.constant<CertStatus>({ kind: "good" }),
  fc.constant<CertStatus>({ kind: "unknown" }),
  fc.record({
    kind: fc.constant("revoked" as const),
    at: dates,
    reason: fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 9, 10),
  }),
);
const singles = fc.record({
  certIdRaw: fc.bigInt({ min: 1n, max: (1n << 159n) - 1n }).map(certId),
  status: statuses,
  thisUpdate: dates,
  nextUpdate: dates,
});

/** What the reader should see of a status. */
function seen(status: CertStatus): object {
  return status.kind === "revoked"
    ? { status: "revoked", revokedAt: status.at, reason: status.reason }
    : { status: status.kind };
}

describe("what the builder writes, readOcspResponse reads", () => {
  it("O10 response for response, in order", () => {
    fc.assert(
      fc.property(
        fc.array(singles, { minLength: 1, maxLength: 16 }),
        fc.array(
          fc.uint8Array({ maxLength: 400 }).map((bytes) => sequence(octetString(bytes))),
          {
            maxLength: 3,
          },
        ),
        fc.uint8Array({ minLength: 1, maxLength: 128 }),
        (responses, certificates, nonce) => {
          const responseData = buildResponseData({
            responderKeyHash: KEY_HASH,
            producedAt: THIS_UPDATE,
            responses,
            nonceExtensionRaw: sequence(
              oid("1.3.6.1.5.5.7.48.1.2"),
              octetString(octetString(nonce)),
            ),
          });
          const der = assembleOcspResponse({
            responseData,
            signatureAlgorithm: ALGORITHM,
            signature: nonce,
            certificates,
          });
          expect(readOcspResponse(der)).toMatchObject({
            status: "successful",
            basic: {
              responseData,
              signatureAlgorithm: "ecdsa-with-SHA256",
              signature: nonce,
              certificates,
              responderKeyHash: KEY_HASH,
              producedAt: THIS_UPDATE,
              nonce,
              responses: responses.map(({ certIdRaw, nextUpdate, status, thisUpdate }) => ({
                certIdRaw,
                nextUpdate,
                thisUpdate,
                ...seen(status),
              })),
            },
          });
        },
      ),
      { numRuns: 100 },
    );
  });
});

const basicOf = (...members: readonly Uint8Array[]): Uint8Array =>
  sequence(
    new Uint8Array([0x0a, 1, 0]),
    context(0, sequence(oid("1.3.6.1.5.5.7.48.1.1"), octetString(sequence(...members)))),
  );

describe("readOcspResponse refuses", () => {
  const responseData = buildResponseData(data(GOOD));
  const bits = new Uint8Array([3, 2, 0, 1]);
  it.for([
    { name: "status 4", der: sequence(new Uint8Array([0x0a, 1, 4])) },
    { name: "status 7", der: sequence(new Uint8Array([0x0a, 1, 7])) },
    { name: "successful without content", der: sequence(new Uint8Array([0x0a, 1, 0])) },
    {
      name: "an error with content",
      der: sequence(new Uint8Array([0x0a, 1, 1]), context(0, sequence())),
    },
    {
      name: "another response type",
      der: sequence(
        new Uint8Array([0x0a, 1, 0]),
        context(0, sequence(oid("1.2.3"), octetString())),
      ),
    },
    {
      name: "O12 certs that is empty",
      der: basicOf(responseData, ALGORITHM, bits, context(0, sequence())),
    },
    {
      name: "bytes after the end",
      der: new Uint8Array([...basicOf(responseData, ALGORITHM, bits), 0]),
    },
  ])("$name", ({ der }) => {
    expect(() => readOcspResponse(der)).toThrow(expect.objectContaining({ code: "malformed-der" }));
  });

  it("arbitrary and mutated bytes with a PkiError or not at all", () => {
    const der = basicOf(responseData, ALGORITHM, bits, context(0, sequence(sequence())));
    const mutated = fc
      .array(fc.tuple(fc.nat(der.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      .map((edits) => {
        const bytes = der.slice();
        for (const [at, octet] of edits) bytes[at] = octet;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 80 })), (bytes) => {
        const codes = [undefined, "malformed-der", "invalid-serial"];
        expect(codes).toContain(errorCode(() => readOcspResponse(bytes)));
      }),
      { numRuns: 2000 },
    );
  });
});
