import { describe, expect, it } from "vitest";

import type { Bundles } from "../../../src/gate/generation.ts";
import { BundleMaker, refusalOf, sha256 } from "../../support/bundles.ts";
import {
  type Authority,
  certify,
  createIssuing,
  createRoot,
  daysFromNow,
  deviceRequest,
  NOW,
} from "../../support/certificates.ts";
import { decode, descend, encode, member } from "../../support/der-edit.ts";

const made = new BundleMaker(NOW);
const { issuing, root } = made;
const stranger = createRoot("P-256");

const refusal = (bundles: Bundles, judge = made.judge()): string | undefined =>
  refusalOf(bundles, judge);

describe("a bundle of CA certificates is refused", () => {
  const second = createIssuing(root);
  const foreign = createIssuing(stranger);
  const withCas = (...authorities: readonly Authority[]): Bundles =>
    made.bundles({
      certificates: authorities.map(({ certificate }) => certificate),
      lists: authorities.map((authority) => made.list(authority)),
    });
  const leaf = certify(deviceRequest(issuing), issuing.key.privateKey);
  const broken = Buffer.from(issuing.certificate);
  broken[broken.length - 1] = (broken.at(-1) ?? 0) ^ 1;
  const certificates = (...ders: Uint8Array[]): Bundles => made.bundles({ certificates: ders });

  it.for([
    { name: "without the trusted root", code: "root-missing", bundles: withCas(issuing) },
    { name: "of another root", code: "root-missing", bundles: withCas(stranger, foreign) },
    {
      name: "with a namesake of the root",
      code: "certificate-signature",
      bundles: withCas(root, issuing, stranger),
    },
    {
      name: "with a stranger's CA",
      code: "certificate-foreign",
      bundles: withCas(root, issuing, foreign),
    },
    {
      name: "with a stranger's CA that says it is ours",
      code: "certificate-signature",
      bundles: withCas(root, issuing, asOurs(foreign)),
    },
    {
      name: "with a broken signature",
      code: "certificate-signature",
      bundles: certificates(root.certificate, broken),
    },
    {
      name: "with a device's certificate",
      code: "certificate-not-a-ca",
      bundles: certificates(root.certificate, issuing.certificate, leaf),
    },
    {
      name: "with one twice",
      code: "certificate-twice",
      bundles: certificates(root.certificate, issuing.certificate, issuing.certificate),
    },
    {
      name: "with a CA that has no list",
      code: "list-missing",
      bundles: certificates(root.certificate, issuing.certificate, second.certificate),
    },
    {
      name: "that lacks a list's CA",
      code: "list-foreign",
      bundles: certificates(root.certificate),
    },
    {
      name: "that cannot be read",
      code: "malformed-certificate",
      bundles: certificates(root.certificate, made.list(root)),
    },
  ])("$name: $code", ({ bundles, code }) => {
    expect(refusal(bundles)).toBe(code);
  });

  /** The stranger's issuing CA as if our root were its issuer. */
  function asOurs(authority: Authority): Authority {
    const certificate = decode(authority.certificate);
    const own = decode(issuing.certificate);
    const tbs = member(certificate.children, 0);
    tbs.children[3] = descend(own, 0, 3);
    const extensions = descend(tbs, 7, 0).children;
    const ours = descend(own, 0, 7, 0).children;
    const isAki = (one: (typeof ours)[number]): boolean =>
      Buffer.from(descend(one, 0).content).toString("hex") === "551d23";
    extensions[extensions.findIndex(isAki)] = member(ours.filter(isAki), 0);
    return { ...authority, certificate: encode(certificate) };
  }

  it.for([
    { name: "before it begins", code: "certificate-not-yet-valid", now: daysFromNow(-2) },
    { name: "after the issuing CA has ended", code: "certificate-expired", now: daysFromNow(1827) },
  ])("$name: $code", ({ code, now }) => {
    expect(refusal(made.bundles(), made.judge({ now }))).toBe(code);
  });

  it("takes a second generation beside the first", () => {
    expect(refusal(withCas(root, issuing, second))).toBeUndefined();
  });

  it("takes a second root that is trusted too", () => {
    const roots = new Set([...made.roots, sha256(stranger.certificate)]);
    const bundles = withCas(root, issuing, stranger, foreign);
    expect(refusal(bundles, made.judge({ roots }))).toBeUndefined();
  });
});
