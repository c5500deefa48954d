import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { accentFault, contrast, GROUNDS, shadesOf } from "../../../src/config/accent.ts";
import { ConfigurationError } from "../../../src/config/environment.ts";
import { loadSite } from "../../../src/config/site-file.ts";

const NAME = "name: { ja: みずきシステム, en: Mizuki System }\n";
const SVG = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">`;

describe("loadSite", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "suido-site-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const siteOf = (yaml: string, support?: string) => {
    const file = join(folder, "site.yaml");
    writeFileSync(file, yaml);
    return loadSite({ file, support });
  };
  const faultsOf = (yaml: string, support?: string): readonly string[] => {
    try {
      siteOf(yaml, support);
    } catch (error) {
      if (error instanceof ConfigurationError) return error.faults;
      throw error;
    }
    return [];
  };
  const logoFaults = (name: string, body: string | Buffer): readonly string[] => {
    writeFileSync(join(folder, name), body);
    return faultsOf(`${NAME}logo: ${name}\n`);
  };

  it("reads our own example, whole", () => {
    const site = loadSite({ file: "deploy/site.example.yaml" });
    expect(site.name).toEqual({ ja: "みずきシステム", en: "Mizuki System" });
    expect(site.logo?.type).toBe("image/svg+xml");
    expect(site.colours?.light.water).toBe("#7a3b86");
    expect(site.support?.ja).toBe("0120-000-000(平日・土曜 9時〜19時)");
    expect(site.products.map(({ id }) => id)).toEqual(["musubi"]);
    expect(site.sender?.ja).toBe("みずきシステム 証明書窓口");
    expect(Object.isFrozen(site)).toBe(true);
  });

  it("asks for a name only, and then has the support line of the environment", () => {
    const support = "サポート 0120-111-222(平日)";
    expect(siteOf(NAME, support)).toMatchObject({
      logo: undefined,
      colours: undefined,
      support: { ja: support, en: support },
      products: [],
      sender: undefined,
    });
  });

  it("tells all faults at once, each with its path and what would be right", () => {
    const faults = faultsOf(
      `${NAME}colors: {}\ncolours: { light: water, dark: "#ffffff" }\nsupport: { telephone: "119", hours: { ja: 平日 } }\n`,
    );
    expect(faults).toEqual([
      "SUIDO_SITE_FILE /colors is not a setting of a site",
      expect.stringMatching(
        /^SUIDO_SITE_FILE \/colours\/light must match .* \(#rrggbb, in quotes\)$/,
      ),
      expect.stringMatching(/^SUIDO_SITE_FILE \/support\/telephone must match .*0120-000-000/),
      "SUIDO_SITE_FILE /support/hours must have required property 'en'",
    ]);
  });

  it.for([
    ["a file that is not there", "logo: none.svg\n", /^SUIDO_SITE_FILE \/logo is not there: /],
    ["a picture of another kind", "logo: site.yaml\n", /\/logo must be a file that ends with/],
    [
      "one product twice",
      "products:\n  - &p { id: a, name: { ja: あ, en: A }, url: https://a.example.jp/ }\n  - *p\n",
      /\/products\/1\/id must be another one/,
    ],
    [
      "an address that no browser opens",
      "products: [{ id: a, name: { ja: あ, en: A }, url: 'https://[' }]\n",
      /\/products\/0\/url must be an address/,
    ],
    [
      "a program as an address",
      "products: [{ id: a, name: { ja: あ, en: A }, url: 'javascript:alert(1)' }]\n",
      /\/products\/0\/url must match/,
    ],
    [
      "a sender that looks like an address",
      "sender: { ja: みずき <a@example.jp>, en: Mizuki }\n",
      /\/sender\/ja must match .*looks like an address/,
    ],
    ["what is no YAML", "{", /is not YAML/],
  ] as const)("refuses %s", ([, more, fault]) => {
    expect(faultsOf(`${NAME}${more}`)).toEqual([expect.stringMatching(fault)]);
  });

  it("refuses a file that it cannot read", () => {
    expect(() => loadSite({ file: join(folder, "none.yaml") })).toThrow(
      /SUIDO_SITE_FILE cannot be/,
    );
  });

  it("takes the support from one place", () => {
    const file = `${NAME}support: { telephone: 0120-000-000, hours: { ja: 平日, en: weekdays } }\n`;
    expect(siteOf(file).support?.en).toBe("0120-000-000 (weekdays)");
    expect(faultsOf(file, "0120-111-222")).toEqual([expect.stringContaining("SUIDO_SUPPORT")]);
  });

  it.for([
    ["a script", "<script>alert(1)</script>", /script/],
    ["a script under a prefix", '<a:script xmlns:a="http://www.w3.org/2000/svg"/>', /script/],
    ["an event attribute", '<g onload="x()"/>', /event attributes/],
    ["one on a new line", "<g\nonclick = 'x()'/>", /event attributes/],
    ["a page inside", "<foreignObject/>", /foreignObject/],
    ["a foreign picture", '<image href="https://e.example/a.png"/>', /outside itself/],
    ["a picture as data", '<image xlink:href="data:image/png;base64,AA"/>', /outside itself/],
    ["a foreign paint", '<g fill="url(https://e.example/#a)"/>', /outside itself/],
    ["a foreign sheet", "<style>@import 'https://e.example'</style>", /outside itself/],
    ["a reference spelled by numbers", '<g fill="&#117;rl(https://e.example)"/>', /as numbers/],
    ["one spelled by CSS", "<style>g { fill: \\75rl(//e.example) }</style>", /backslashes/],
  ] as const)("refuses an SVG with %s", ([, part, fault]) => {
    expect(logoFaults("logo.svg", `${SVG}${part}</svg>`)).toEqual([expect.stringMatching(fault)]);
  });

  it.for([
    ["with a document type", '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg/>'],
    ["with a style sheet", '<?xml-stylesheet href="a.css"?><svg/>'],
    ["that is a page", "<html></html>"],
    ["that is not UTF-8", Buffer.from([0x3c, 0x73, 0x76, 0x67, 0x3e, 0xff])],
  ] as const)("refuses an SVG %s", ([, body]) => {
    expect(logoFaults("logo.svg", body)).toHaveLength(1);
  });

  it("takes an SVG that refers to itself, and a PNG by its signature, of 30 KB at most", () => {
    const inner = `<defs><g id="a"/></defs><use href="#a"/><g fill="url(#a)"/><g fill="url( '#a')"/>`;
    expect(logoFaults("logo.svg", `<?xml version="1.0"?>\n<!-- a -->${SVG}${inner}</svg>`)).toEqual(
      [],
    );
    expect(logoFaults("logo.png", SVG)).toEqual([expect.stringContaining("must be a PNG")]);
    const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    expect(logoFaults("logo.png", Buffer.concat([png, Buffer.alloc(30 * 1024 - 8)]))).toEqual([]);
    expect(logoFaults("logo.png", Buffer.concat([png, Buffer.alloc(30 * 1024 - 7)]))).toEqual([
      expect.stringContaining("30720 octets"),
    ]);
  });

  it("refuses a colour that nobody can read, and names one that would do", () => {
    const faults = faultsOf(`${NAME}colours: { light: "#f5b800", dark: "#3a1040" }\n`);
    expect(faults).toEqual([
      expect.stringMatching(
        /\/colours\/light has a contrast of 1\.[0-9]:1 with #[0-9a-f]{6} .* would do$/,
      ),
      expect.stringMatching(/\/colours\/dark has a contrast of 1:1 with #[0-9a-f]{6} .* would do$/),
    ]);
    const [light, dark] = faults.map((fault) => /(#[0-9a-f]{6}) would do$/.exec(fault)?.[1]);
    expect(faultsOf(`${NAME}colours: { light: "${light}", dark: "${dark}" }\n`)).toEqual([]);
  });
});

describe("the accent", () => {
  it.for([
    ["#000000", "#ffffff", 21],
    ["#777777", "#ffffff", 4.48],
    ["#767676", "#ffffff", 4.54],
  ] as const)("has the contrast of WCAG: %s with %s", ([one, other, ratio]) => {
    expect(contrast(one, other)).toBeCloseTo(ratio, 2);
    expect(contrast(other, one)).toBe(contrast(one, other));
  });

  it.for(["light", "dark"] as const)("stands on the grounds of tokens.css, %s", (scheme) => {
    const tokens = readFileSync("src/web/tokens.css", "utf8");
    const tokenOf = (name: string): string | undefined =>
      new RegExp(`--${name}: light-dark\\((#\\w+), (#\\w+)\\)`).exec(tokens)?.[
        scheme === "light" ? 1 : 2
      ];
    for (const [name, colour] of Object.entries(GROUNDS[scheme]))
      expect(tokenOf(name)).toBe(colour);
    // Suido's own accent passes its own rule, and its shades are about what the rule makes of it.
    const water = tokenOf("water") ?? "";
    expect(accentFault(water, scheme)).toBeUndefined();
    expect(contrast(shadesOf(water, scheme).deep, tokenOf("water-deep") ?? "")).toBeLessThan(1.1);
    expect(contrast(shadesOf(water, scheme).soft, tokenOf("water-soft") ?? "")).toBeLessThan(1.1);
  });
});
