import { randomBytes, X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";

import {
  type Before,
  type Bundles,
  type Generation,
  judgeGeneration,
  marksAfter,
} from "../../../src/gate/generation.ts";
import { CrlEntries } from "../../../src/pki/crl-entries.ts";
import { newSerial } from "../../../src/pki/serial.ts";
import {
  BundleMaker,
  entriesOf,
  listsPem,
  NOTHING_BEFORE as NOTHING,
  refusalOf,
  sha256,
} from "../../support/bundles.ts";
import { createIssuing, createRoot, NOW } from "../../support/certificates.ts";
import { constructed, decode, descend, encode, member, primitive } from "../../support/der-edit.ts";

const made = new BundleMaker(NOW);
const { issuing, root } = made;
const stranger = createRoot("P-256");
const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;

/** What is in place once this generation is. */
function after({ lists }: Generation, marks: Before["marks"] = new Map()): Before {
  return {
    marks: marksAfter(marks, { lists, kept: new Set(), leftOut: [] }),
    certificates: lists.map(({ issuer }) => issuer.sha256),
    pairs: () => lists.map(({ der, issuer }) => ({ certificate: issuer.der, list: der })),
  };
}

const refusal = (bundles: Bundles, before?: Before, judge = made.judge()): string | undefined =>
  refusalOf(bundles, judge, before);

/** SHA-256 of the CAs' certificates. */
const hashes = ({ lists: found }: Generation): string[] => found.map(({ issuer }) => issuer.sha256);

/** The issuing CA's list with other bytes before it is signed. */
function edited(edit: (extensions: ReturnType<typeof decode>) => void): Uint8Array {
  const tbs = decode(made.tbs(issuing));
  edit(descend(member(tbs.children.slice(-1), 0), 0));
  return made.sign(encode(tbs), issuing);
}

const oidBytes = (last: number): Uint8Array => Uint8Array.of(0x55, 0x1d, last);

const critical = (last: number, value: Uint8Array): ReturnType<typeof constructed> =>
  constructed(
    0x30,
    primitive(0x06, oidBytes(last)),
    primitive(0x01, Uint8Array.of(0xff)),
    primitive(0x04, value),
  );

const uncritical = (last: number, value: Uint8Array): ReturnType<typeof constructed> =>
  constructed(0x30, primitive(0x06, oidBytes(last)), primitive(0x04, value));

const ONE = Uint8Array.of(2, 1, 1);

const lists = (list: Uint8Array): Bundles => made.bundles({ lists: [made.list(root), list] });

const good = judgeGeneration(made.bundles(), NOTHING, made.judge());

it("takes each CA with its list, in the order of the bundle", () => {
  expect(good.lists.map(({ issuer, number }) => [issuer.name, number])).toEqual([
    ["Suido Test Root G1", 100n],
    ["Suido Test Issuing G1", 100n],
  ]);
  expect(good.kept.size).toBe(0);
});

it("finds the lists by name and key, however they are ordered", () => {
  const swapped = made.bundles({ lists: [made.list(issuing), made.list(root)] });
  const { lists: found } = judgeGeneration(swapped, NOTHING, made.judge());
  expect(found.map(({ issuer }) => issuer.name)).toEqual(
    good.lists.map(({ issuer }) => issuer.name),
  );
});

describe("a poisoned list is refused", () => {
  const tbs = made.tbs(issuing);
  const whole = made.list(issuing);
  const broken = Buffer.from(whole);
  broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
  const entries = entriesOf(["4001"], made.ago(10 * MINUTE));
  const revoked = Buffer.from(made.list(issuing, { entries }));

  it.for([
    { name: "expired", code: "list-expired", list: made.list(issuing, { nextUpdate: NOW }) },
    {
      name: "from the future",
      code: "list-not-yet-valid",
      list: made.list(issuing, { thisUpdate: new Date(NOW.getTime() + 1000) }),
    },
    {
      name: "signed by another key",
      code: "list-signature",
      list: made.sign(tbs, stranger),
    },
    { name: "with a broken signature", code: "list-signature", list: broken },
    {
      name: "signed, then changed",
      code: "list-signature",
      list: Buffer.from(revoked.toString("latin1").replace("\x40\x01", "\x40\x02"), "latin1"),
    },
    {
      name: "unsigned",
      code: "list-malformed",
      list: tbs,
    },
    { name: "cut off", code: "list-malformed", list: whole.subarray(0, -1) },
    {
      name: "with bytes behind its end",
      code: "list-malformed",
      list: Buffer.concat([whole, Uint8Array.of(0)]),
    },
    { name: "a delta", code: "list-delta", list: made.delta(issuing) },
    {
      name: "a delta that hides among other faults",
      code: "list-delta",
      list: edited((extensions) =>
        extensions.children.unshift(critical(99, ONE), critical(27, ONE)),
      ),
    },
    {
      name: "a shard",
      code: "list-partial",
      list: made.list(issuing, { distributionPoint: "http://va.example.jp/crl/issuing-g1-00.crl" }),
    },
    {
      name: "limited to users' certificates",
      code: "list-partial",
      list: edited((extensions) =>
        extensions.children.push(critical(28, Uint8Array.of(0x30, 3, 0x81, 1, 0xff))),
      ),
    },
    {
      name: "with an unknown critical extension",
      code: "list-against-rules",
      list: edited((extensions) => extensions.children.push(critical(99, ONE))),
    },
    {
      name: "that names a delta",
      code: "list-against-rules",
      list: edited((extensions) =>
        extensions.children.push(uncritical(46, Uint8Array.of(0x30, 0))),
      ),
    },
    {
      name: "without a number",
      code: "list-without-number",
      list: edited((extensions) => extensions.children.pop()),
    },
    {
      name: "without a key identifier",
      code: "list-foreign",
      list: edited((extensions) => extensions.children.shift()),
    },
    { name: "another CA's", code: "list-foreign", list: made.list(stranger) },
    {
      name: "a namesake's",
      code: "list-foreign",
      list: made.list(createIssuing(root)),
    },
    { name: "no list at all", code: "list-malformed", list: issuing.certificate },
  ])("$name: $code", ({ code, list }) => {
    expect(refusal(lists(list))).toBe(code);
  });

  it("with removeFromCRL in a full list, which takes a revocation back", () => {
    const fromCrl = made.tbs(issuing, { entries: revokedFor(1) });
    const hex = Buffer.from(fromCrl).toString("hex").replace("0a0101", "0a0108");
    expect(refusal(lists(made.sign(Buffer.from(hex, "hex"), issuing)))).toBe("list-against-rules");
  });

  function revokedFor(reason: 1): CrlEntries {
    const serial = newSerial(randomBytes);
    return CrlEntries.of([{ serial, revokedAt: made.ago(10 * MINUTE), reason }]);
  }
});

describe("a list that goes back is refused", () => {
  const before = after(good);
  const [rootList, issuingList] = good.lists.map(({ der }) => der) as [Uint8Array, Uint8Array];

  it.for([
    { name: "an older number", code: "list-older", list: made.list(issuing, { number: 99n }) },
    { name: "its own number with other bytes", code: "list-changed", list: made.list(issuing) },
  ])("$name: $code", ({ code, list }) => {
    expect(refusal(made.bundles({ lists: [rootList, list] }), before)).toBe(code);
  });

  it("though its CA was not there in between", () => {
    const nextUpdate = new Date(NOW.getTime() + 30 * DAY);
    const rootNext = (number: bigint): Uint8Array => made.list(root, { number, nextUpdate });
    const later = made.judge({ now: new Date(NOW.getTime() + 8 * DAY) });
    const alone = made.bundles({ certificates: [root.certificate], lists: [rootNext(101n)] });
    const between = judgeGeneration(alone, before, later);
    expect(between.lists.map(({ issuer }) => issuer.name)).toEqual(["Suido Test Root G1"]);
    const old = made.list(issuing, { number: 99n, nextUpdate });
    const back = made.bundles({ lists: [rootNext(102n), old] });
    expect(refusal(back, after(between, before.marks), later)).toBe("list-older");
  });

  it("and the same again is no step back", () => {
    expect(refusal(made.bundles({ lists: [rootList, issuingList] }), before)).toBeUndefined();
  });
});

describe("a bundle of lists is refused", () => {
  const text = (...parts: string[]): Bundles => ({
    certificates: made.bundles().certificates,
    lists: Buffer.from(parts.join("")),
  });
  const rootPem = listsPem(made.list(root)).toString();
  const issuingPem = listsPem(made.list(issuing)).toString();

  it.for([
    { name: "with a CA's list missing", code: "list-missing", bundles: text(rootPem) },
    {
      name: "with two lists of a CA",
      code: "list-twice",
      bundles: text(rootPem, issuingPem, issuingPem),
    },
    { name: "that is empty", code: "malformed-pem", bundles: text("") },
    {
      name: "with something before",
      code: "malformed-pem",
      bundles: text("<html>", rootPem, issuingPem),
    },
    {
      name: "with something between",
      code: "malformed-pem",
      bundles: text(rootPem, "x", issuingPem),
    },
    {
      name: "with something behind",
      code: "malformed-pem",
      bundles: text(rootPem, issuingPem, "x"),
    },
    {
      name: "with another label",
      code: "malformed-pem",
      bundles: text(rootPem, issuingPem.replaceAll("X509 CRL", "CERTIFICATE")),
    },
    {
      name: "that is cut off in a list",
      code: "malformed-pem",
      bundles: text(rootPem, issuingPem.slice(0, -40)),
    },
    { name: "that is cut off between two", code: "list-missing", bundles: text(rootPem) },
    { name: "in DER", code: "malformed-pem", bundles: { ...text(), lists: made.list(root) } },
  ])("$name: $code", ({ bundles, code }) => {
    expect(refusal(bundles)).toBe(code);
  });
});

describe("a CA on its issuer's list", () => {
  const second = createIssuing(root);
  const serial = new X509Certificate(issuing.certificate).serialNumber.toLowerCase();
  const number = 101n;
  const entries = entriesOf([serial], made.ago(10 * MINUTE));
  const bundles = made.bundles({
    certificates: [root.certificate, issuing.certificate, second.certificate],
    lists: [
      made.list(root, { number, entries }),
      made.list(issuing, { number }),
      made.list(second, { number }),
    ],
  });
  const all = [root, issuing, second].map(({ certificate }) => sha256(certificate));

  it("stays with its list, because most proxies look at both", () => {
    const found = judgeGeneration(bundles, NOTHING, made.judge());
    expect([hashes(found), found.leftOut]).toEqual([all, []]);
  });

  it("is left out with its list for those that do not", () => {
    const judge = made.judge({ leavesOutRevoked: true });
    const found = judgeGeneration(bundles, after(good), judge);
    expect(hashes(found)).toEqual([all[0], all[2]]);
    expect(found.leftOut.map(({ name }) => name)).toEqual(["Suido Test Issuing G1"]);
    expect(hashes(judgeGeneration(bundles, after(found), judge))).toEqual([all[0], all[2]]);
  });
});

describe("a CA that the bundle no longer names", () => {
  const alone = made.bundles({
    certificates: [root.certificate],
    lists: [made.list(root, { number: 101n, nextUpdate: new Date(NOW.getTime() + 30 * DAY) })],
  });

  it("is kept with its list, because nobody has signed that it is gone", () => {
    const { kept, lists: found } = judgeGeneration(alone, after(good), made.judge());
    expect(found.map(({ issuer, number }) => [issuer.name, number])).toEqual([
      ["Suido Test Root G1", 101n],
      ["Suido Test Issuing G1", 100n],
    ]);
    expect([...kept]).toEqual([sha256(issuing.certificate)]);
  });

  it("goes when its list has ended", () => {
    const later = made.judge({ now: new Date(NOW.getTime() + 7 * DAY) });
    const { kept, lists: found } = judgeGeneration(alone, after(good), later);
    expect(found.map(({ issuer }) => issuer.name)).toEqual(["Suido Test Root G1"]);
    expect(kept.size).toBe(0);
  });

  it("goes when its root is not trusted any more", () => {
    const others = createIssuing(stranger);
    const bundles = made.bundles({
      certificates: [stranger.certificate, others.certificate],
      lists: [made.list(stranger), made.list(others)],
    });
    const roots = new Set([sha256(stranger.certificate)]);
    const { lists: found } = judgeGeneration(bundles, after(good), made.judge({ roots }));
    expect(found.map(({ issuer }) => issuer.sha256)).toEqual([
      sha256(stranger.certificate),
      sha256(others.certificate),
    ]);
  });
});
