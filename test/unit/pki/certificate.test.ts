import fc from "fast-check";
import { expect, it } from "vitest";
import {
  algorithmIdentifier,
  assembleCertificate,
  buildTbs,
  type TbsRequest,
} from "../../../src/pki/certificate.ts";
import { parseCertificate, parseTbs } from "../../../src/pki/certificate-view.ts";
import { ApprovedTbs } from "../../../src/pki/approved.ts";
import { LintError, PkiError } from "../../../src/pki/errors.ts";
import { createProfile } from "../../../src/pki/profile.ts";
import { encodeName } from "../../../src/pki/name.ts";
import { parseSerial } from "../../../src/pki/serial.ts";
import {
  createIssuing,
  createRoot,
  DEVICE_URI,
  deviceRequest,
  digest,
  PROFILE_FIELDS,
  profiles,
  serverRequest,
} from "../../support/certificates.ts";
import { decode, descend, encode, primitive } from "../../support/der-edit.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** A key whose bytes never change: RFC 6979 A.2.5's. */
const SPKI = Buffer.from(
  "3059301306072a8648ce3d020106082a8648ce3d030107034200" +
    "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6" +
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
  "hex",
);

const GOLDEN: TbsRequest = {
  profile: profiles.device,
  serial: parseSerial("4142434445464748494a4b4c4d4e4f50"),
  issuer: {
    subject: encodeName([{ type: "CN", value: "CA" }]),
    keyIdentifier: new Uint8Array(20).fill(0xaa),
    signatureAlgorithm: "ecdsa-with-SHA256",
    urls: { crl: "http://va/f.crl", ocsp: "http://va/o", caIssuers: "http://va/c" },
  },
  subject: encodeName([{ type: "CN", value: "x" }]),
  spki: SPKI,
  notBefore: new Date("2049-12-31T23:59:59Z"),
  notAfter: new Date("2050-01-01T00:00:00Z"),
  deviceUri: "spiffe://t/device/1",
  crlUrl: "http://va/s.crl",
};

const ascii = (text: string): string => hex(Buffer.from(text));

/** Every octet of a device's certificate, written by hand from RFC 5280. */
const GOLDEN_HEX = [
  "308201ac",
  "a003020102",
  "02104142434445464748494a4b4c4d4e4f50",
  "300a06082a8648ce3d040302",
  "300d310b300906035504030c024341",
  "3020170d3439313233313233353935395a180f32303530303130313030303030305a",
  "300c310a300806035504030c0178",
  hex(SPKI),
  "a381ec3081e9",
  `301f0603551d23041830168014${"aa".repeat(20)}`,
  `301d0603551d0e04160414${hex(digest("sha1", SPKI.subarray(26)))}`,
  "300e0603551d0f0101ff040403020780",
  "30130603551d25040c300a06082b06010505070302",
  "304006082b0601050507010104343032",
  `301706082b06010505073001860b${ascii("http://va/o")}`,
  `301706082b06010505073002860b${ascii("http://va/c")}`,
  `301e0603551d11041730158613${ascii("spiffe://t/device/1")}`,
  `30200603551d1f041930173015a013a011860f${ascii("http://va/s.crl")}`,
].join("");

it("writes a device's certificate as a hand would", () => {
  expect(hex(buildTbs(GOLDEN, digest))).toBe(GOLDEN_HEX);
});

it("puts into the view what the request says", () => {
  const view = parseTbs(buildTbs(GOLDEN, digest));
  expect(view).toMatchObject({
    version: 2,
    notBefore: { tag: 0x17, date: GOLDEN.notBefore },
    notAfter: { tag: 0x18, date: GOLDEN.notAfter },
    keyAlgorithm: "1.2.840.10045.2.1",
    hasUniqueIdentifiers: false,
    forms: {
      keyUsage: { usages: ["digitalSignature"], isMinimal: true },
      basicConstraints: undefined,
      extKeyUsage: ["1.3.6.1.5.5.7.3.2"],
      certificatePolicies: undefined,
      subjectAltName: [{ tag: 6, text: "spiffe://t/device/1" }],
      cRLDistributionPoints: [
        { fullName: [{ tag: 6, text: "http://va/s.crl" }], hasReasons: false, hasCrlIssuer: false },
      ],
      authorityInfoAccess: [
        { method: "1.3.6.1.5.5.7.48.1", location: { tag: 6, text: "http://va/o" } },
        { method: "1.3.6.1.5.5.7.48.2", location: { tag: 6, text: "http://va/c" } },
      ],
    },
  });
  expect(hex(view.serialNumber)).toBe(GOLDEN.serial);
  expect(hex(view.issuer)).toBe(hex(GOLDEN.issuer.subject));
  expect(hex(view.spki)).toBe(hex(SPKI));
  expect(view.extensions.filter(({ critical }) => critical).map(({ oid }) => oid)).toEqual([
    "2.5.29.15",
  ]);
});

it("writes the no-expiry date of RFC 5280 §4.1.2.5", () => {
  const tbs = buildTbs({ ...GOLDEN, notAfter: new Date("9999-12-31T23:59:59Z") }, digest);
  expect(hex(tbs)).toContain(`180f${hex(Buffer.from("99991231235959Z"))}`);
  expect(parseTbs(tbs).notAfter.date.toISOString()).toBe("9999-12-31T23:59:59.000Z");
});

it("makes the only name critical", () => {
  const view = parseTbs(buildTbs({ ...GOLDEN, subject: encodeName([]) }, digest));
  expect(view.extensions.find(({ oid }) => oid === "2.5.29.17")?.critical).toBe(true);
});

it("does not confuse issuers or profiles when it remembers their extensions", () => {
  const other = { ...GOLDEN.issuer, keyIdentifier: new Uint8Array(20).fill(0xbb) };
  buildTbs(GOLDEN, digest);
  expect(hex(buildTbs({ ...GOLDEN, issuer: other }, digest))).toContain(`8014${"bb".repeat(20)}`);
  const p384 = createProfile({ ...PROFILE_FIELDS.device, authorityInformationAccess: ["ocsp"] });
  expect(
    parseTbs(buildTbs({ ...GOLDEN, profile: p384 }, digest)).forms.authorityInfoAccess,
  ).toHaveLength(1);
});

it.for([
  { name: "the device's URI", field: "deviceUri" },
  { name: "the shard", field: "crlUrl" },
] as const)("refuses a request without $name", ({ field }) => {
  const { [field]: _, ...rest } = GOLDEN;
  expect(() => buildTbs(rest, digest)).toThrow(
    expect.objectContaining({ code: "invalid-profile" }),
  );
});

it("refuses a request whose issuer has no addresses", () => {
  const { urls: _, ...issuer } = GOLDEN.issuer;
  expect(() => buildTbs({ ...GOLDEN, issuer }, digest)).toThrow(
    expect.objectContaining({ code: "invalid-profile" }),
  );
});

it.for([
  ["ecdsa-with-SHA256", "300a06082a8648ce3d040302"],
  ["ecdsa-with-SHA384", "300a06082a8648ce3d040303"],
  ["sha256WithRSAEncryption", "300d06092a864886f70d01010b0500"],
] as const)("writes the AlgorithmIdentifier of %s", ([algorithm, expected]) => {
  expect(hex(algorithmIdentifier(algorithm))).toBe(expected);
});

it("takes apart what it put together", () => {
  const tbs = buildTbs(GOLDEN, digest);
  const parts = parseCertificate(
    assembleCertificate(tbs, "ecdsa-with-SHA256", Uint8Array.of(1, 2, 3)),
  );
  expect(hex(parts.tbs)).toBe(hex(tbs));
  expect(hex(parts.signatureAlgorithm)).toBe(hex(parts.view.signature));
  expect([...parts.signature]).toEqual([1, 2, 3]);
});

const issuing = createIssuing(createRoot());

it("approves what was promised, and has it signed once", () => {
  const request = deviceRequest(issuing);
  const approved = ApprovedTbs.approve(buildTbs(request, digest), request, digest);
  const certificate = approved.signWith(() => Uint8Array.of(9));
  expect(hex(parseCertificate(certificate).tbs)).toBe(hex(buildTbs(request, digest)));
  expect(() => approved.signWith(() => Uint8Array.of(9))).toThrow(/once|one signature/);
});

it("approves the bytes as they were, whatever becomes of the caller's", () => {
  const request = deviceRequest(issuing);
  const tbs = buildTbs(request, digest);
  const approved = ApprovedTbs.approve(tbs, request, digest);
  const before = hex(tbs);
  tbs.fill(0);
  let signed = "";
  approved.signWith((bytes) => {
    signed = hex(bytes);
    bytes.fill(0);
    return Uint8Array.of(9);
  });
  expect(signed).toBe(before);
});

it("approves nothing else, and says why", () => {
  const request = deviceRequest(issuing);
  const tbs = buildTbs({ ...request, deviceUri: `${DEVICE_URI}0` }, digest);
  expect(() => ApprovedTbs.approve(tbs, request, digest)).toThrow(
    expect.objectContaining({
      code: "lint-failed",
      findings: [expect.objectContaining({ lint: "subject_alternative_name_promised" })],
    }),
  );
});

const changed = (source: Uint8Array): fc.Arbitrary<Uint8Array> =>
  fc.tuple(fc.nat(source.length - 1), fc.integer({ min: 1, max: 255 })).map(([index, change]) => {
    const copy = Uint8Array.from(source);
    copy[index] = (copy[index] ?? 0) ^ change;
    return copy;
  });

it.for([
  { name: "device", request: deviceRequest(issuing) },
  { name: "server", request: serverRequest(issuing) },
])("approves no $name certificate of which one octet was changed, whichever", ({ request }) => {
  const tbs = buildTbs(request, digest);
  for (const [index, octet] of tbs.entries()) {
    for (const change of [0x01, 0x20, 0x41, 0x80, 0xff]) {
      const copy = Uint8Array.from(tbs);
      copy[index] = octet ^ change;
      expect(() => ApprovedTbs.approve(copy, request, digest)).toThrow(PkiError);
    }
  }
});

it("finds something in every change that the parser lets pass", () => {
  const request = deviceRequest(issuing);
  const tbs = decode(buildTbs(request, digest));
  descend(tbs, 4).children[1] = primitive(0x17, "271221030001Z");
  expect(() => ApprovedTbs.approve(encode(tbs), request, digest)).toThrow(LintError);
});

/** What parsing comes to: nothing to say, the code of our error, or a stranger. */
function outcome(bytes: Uint8Array): unknown {
  try {
    parseCertificate(bytes);
    return "parsed";
  } catch (error) {
    return error instanceof PkiError ? error.code : error;
  }
}

it("throws nothing but MalformedDerError for any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(outcome(bytes)).toBe("malformed-der");
    }),
  );
});

it("throws nothing but MalformedDerError for a certificate of which one octet was changed", () => {
  fc.assert(
    fc.property(changed(issuing.certificate), (bytes) => {
      expect(["parsed", "malformed-der"]).toContain(outcome(bytes));
    }),
    { numRuns: 2000 },
  );
});
