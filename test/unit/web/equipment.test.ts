import { describe, expect, it } from "vitest";

import { loadSite } from "../../../src/config/site-file.ts";
import { loadAssets } from "../../../src/web/assets.ts";
import { equipmentPage } from "../../../src/web/equipment-page.ts";
import { WAY_EN } from "../../../src/web/messages/way-en.ts";
import { WAY_JA } from "../../../src/web/messages/way-ja.ts";

const site = loadSite({ file: "deploy/site.example.yaml" });
const authority = { fingerprint: "ab".repeat(32), notAfter: new Date("2031-11-20T00:00:00Z") };
const FACTS = {
  urls: {
    app: "https://suido.example.jp",
    va: "http://va.example.jp",
    mtls: "https://mtls.example.jp:8443",
  },
  checkUrl: "https://check.example.jp",
  authorities: [
    { ...authority, id: "root-g1", kind: "root", name: "CN=Root G1,O=Mizuki" },
    {
      ...authority,
      id: "issuing-g1",
      kind: "issuing",
      name: String.raw`CN=Mizuki Issuing CA G1,O=Mizuki\, Inc. \"M\"`,
    },
  ],
} as const;

const drawn = (language: "ja" | "en", facts: Parameters<typeof equipmentPage>[0] = FACTS): string =>
  String(
    equipmentPage(facts, {
      language,
      words: { ja: WAY_JA, en: WAY_EN }[language],
      assets: loadAssets(site),
      timeZone: "Asia/Tokyo",
      site,
      path: "/equipment",
    }),
  );
const cells = (html: string): string[] =>
  [...html.matchAll(/<code>([^<]*)<\/code>/g)].map(([, text = ""]) =>
    text.replaceAll("&quot;", '"'),
  );

describe.each(["ja", "en"] as const)("the sheet for the equipment in %s", (language) => {
  it("names each host with its port, as it is configured", () => {
    const [, ...hosts] = cells(drawn(language));
    expect(hosts.slice(0, 10).join(" ")).toBe(
      "suido.example.jp 443 *.check.example.jp 443 mtls.example.jp 8443 records.example.jp 443 va.example.jp 80",
    );
    const inspected = drawn(language).match(/<li>/g);
    expect(inspected).toHaveLength(3);
  });

  it("gives a browser policy for each host that asks, by the organisation of our CAs", () => {
    const values = (cells(drawn(language)).at(-1) ?? "").split("\n");
    const filter = { ISSUER: { O: 'Mizuki, Inc. "M"' } };
    expect(values.map((each) => JSON.parse(each) as unknown)).toEqual([
      { pattern: "https://[*.]check.example.jp", filter },
      { pattern: "https://mtls.example.jp:8443", filter },
      { pattern: "https://records.example.jp", filter },
    ]);
  });

  it("has no script, names the issuer and not the root, and whom to call", () => {
    const text = drawn(language);
    expect(text).not.toMatch(/<script|<form| style=/);
    expect(text).toContain("<code>Mizuki Issuing CA G1</code>");
    expect(text).not.toContain("Root G1");
    expect(text).toContain('<a href="tel:0120000000">');
    expect(text.match(/<h1/g)).toHaveLength(1);
  });

  it("leaves out the policy before there is a CA", () => {
    expect(drawn(language, { ...FACTS, authorities: [] })).not.toContain("AutoSelectCertificate");
  });
});
