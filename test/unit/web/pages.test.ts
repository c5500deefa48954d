import { describe, expect, it } from "vitest";

import { plainSite } from "../../../src/config/site.ts";
import { type Asset, loadAssets } from "../../../src/web/assets.ts";
import { type ConsoleFacts, consolePage } from "../../../src/web/console-page.ts";
import { homePage } from "../../../src/web/home-page.ts";
import { type Child, html } from "../../../src/web/html.ts";
import { catalogue, chooseLanguage, type Language } from "../../../src/web/language.ts";
import type { PageContext } from "../../../src/web/layout.ts";
import { WAY_EN } from "../../../src/web/messages/way-en.ts";
import { WAY_JA } from "../../../src/web/messages/way-ja.ts";
import { notFoundPage } from "../../../src/web/not-found-page.ts";
import type { PortalContext } from "../../../src/web/portal-layout.ts";
import { problemPage, problemsPage } from "../../../src/web/problem-pages.ts";
import { troublePage } from "../../../src/web/trouble-page.ts";

const site = plainSite();
const assets = loadAssets(site);
const contextIn = (language: Language): PageContext => ({
  catalogue: catalogue(language),
  assets,
  site,
  path: "/console",
});

const FACTS: ConsoleFacts = {
  now: new Date("2026-11-21T09:00:00Z"),
  timeZone: "Asia/Tokyo",
  urls: {
    app: "http://localhost:8000",
    va: "http://127.0.0.1:8080",
    mtls: "https://localhost:8443",
  },
  ready: true,
  roles: {
    app: { ready: true },
    signer: { ready: false, detail: "The journal cannot be opened." },
  },
  authorities: [
    {
      id: "issuing-g1",
      kind: "issuing",
      name: 'Suido <b>"G1"</b>',
      fingerprint: "ab".repeat(32),
      notAfter: new Date("2031-11-20T16:00:00Z"),
      list: {
        number: "1",
        thisUpdate: new Date("2026-11-21T08:55:00Z"),
        nextUpdate: new Date("2026-11-28T08:55:00Z"),
        entries: 1,
      },
    },
  ],
};

describe("html", () => {
  it.for([
    {
      name: "markup",
      value: "<script>alert(1)</script>",
      text: "&lt;script&gt;alert(1)&lt;/script&gt;",
    },
    { name: "quotes", value: `" onload='x'`, text: "&quot; onload=&#39;x&#39;" },
    { name: "ampersands once", value: "&amp;", text: "&amp;amp;" },
    { name: "zero", value: 0, text: "0" },
  ])("escapes $name", ({ value, text }) => {
    expect(String(html`<p title="${value}">${value}</p>`)).toBe(`<p title="${text}">${text}</p>`);
  });

  it("nests, joins lists, and leaves out what is absent or false", () => {
    const children: readonly Child[] = ["<", html`<b>b</b>`, false, undefined];
    expect(String(html`<i>${children}</i>`)).toBe("<i>&lt;<b>b</b></i>");
  });
});

it.for([
  { asked: undefined, acceptLanguage: undefined, language: "ja" },
  { asked: undefined, acceptLanguage: "en-GB,en;q=0.9,ja;q=0.5", language: "en" },
  { asked: undefined, acceptLanguage: "fr, ja;q=0.2, en;q=0.1", language: "ja" },
  { asked: undefined, acceptLanguage: "en;q=0, de", language: "ja" },
  { asked: "en", acceptLanguage: "ja", language: "en" },
  { asked: "xx", acceptLanguage: "en", language: "en" },
] as const)(
  "chooses $language for ?lang=$asked and Accept-Language $acceptLanguage",
  ({ language, ...request }) => {
    expect(chooseLanguage(request)).toBe(language);
  },
);

const homeIn = (context: PageContext) => homePage(context, FACTS.urls);
const portalIn = (context: PageContext): PortalContext => {
  const { language } = context.catalogue;
  return { ...context, language, words: { ja: WAY_JA, en: WAY_EN }[language], timeZone: "UTC" };
};

const PAGES = {
  home: homeIn,
  console: (context: PageContext) => consolePage(context, FACTS),
  "an empty console": (context: PageContext) =>
    consolePage(context, { ...FACTS, roles: {}, authorities: [], ready: false }),
  problems: (context: PageContext) => problemsPage(context, [{ code: "not-found", status: 404 }]),
  "a problem": (context: PageContext) => problemPage(context, { code: "key-in-use", status: 409 }),
  "not found": (context: PageContext) => notFoundPage(portalIn(context)),
  later: (context: PageContext) => troublePage("later", portalIn(context)),
  refused: (context: PageContext) => troublePage("refused", portalIn(context)),
};

const CASES = Object.entries(PAGES).flatMap(([name, page]) =>
  (["ja", "en"] as const).map((language) => ({
    name,
    language,
    text: String(page(contextIn(language))),
  })),
);

describe.for(CASES)("$name in $language", ({ language, text }) => {
  it("WCAG 3.1.1, 2.4.1, 2.4.2, 1.3.1: has language, title, skip link, landmarks and one heading", () => {
    expect(text).toContain(`<html lang="${language}">`);
    expect(text).toMatch(/<title>[^<]{5,} ・ Suido<\/title>/);
    expect(text).toContain('<a class="skip" href="#content">');
    expect(text).toContain('<main id="content"');
    expect(text.match(/<h1[ >]/g)).toHaveLength(1);
    expect(text).toContain('<header class="masthead">');
    expect(text).toContain('<footer class="foot">');
  });

  it("has nothing that the content security policy would stop, and loads nothing from elsewhere", () => {
    expect(text).not.toMatch(/<script|<style|\sstyle=|\son[a-z]+=|javascript:/i);
    expect(text).not.toMatch(/(?:src|<link[^>]*href)="(?:https?:)?\/\//);
  });

  it("has no text that was left undefined", () => {
    expect(text).not.toMatch(/undefined|\[object|NaN|Invalid Date/);
  });

  it("links to itself in the other language", () => {
    const other = { ja: "en", en: "ja" }[language];
    expect(text.replaceAll(/\s+/g, " ")).toContain(`href="/console?lang=${other}" lang="${other}"`);
  });
});

describe("the console", () => {
  const text = String(consolePage(contextIn("en"), FACTS));

  it("escapes names, writes dates in the pharmacies' zone, and says what is wrong in words", () => {
    expect(text).toContain("Suido &lt;b&gt;&quot;G1&quot;&lt;/b&gt;");
    expect(text).toContain('<time datetime="2031-11-20T16:00:00.000Z">21 November 2031</time>');
    expect(text).toContain("The journal cannot be opened.");
    expect(text).toContain("http://127.0.0.1:8080/crl/issuing-g1.crl");
  });

  it.for([
    { name: "current", now: "2026-11-21T09:00:00Z", words: "Current" },
    { name: "old", now: "2026-11-25T00:00:00Z", words: "More than half its life has gone" },
    { name: "late", now: "2026-11-28T08:55:00Z", words: "Out of date" },
  ])("says that a list is $name", ({ now, words }) => {
    expect(String(consolePage(contextIn("en"), { ...FACTS, now: new Date(now) }))).toContain(words);
  });
});

/** All that a first visit loads, uncompressed: no page of ours is sent in a smaller form. Who has passkeys has been here before. */
const FIRST_LOAD = [
  Buffer.byteLength(String(homeIn(contextIn("ja")))),
  ...Object.values(assets).flatMap((file: Asset | undefined) =>
    file === assets.passkeys ? [] : (file?.body.length ?? []),
  ),
];
const firstLoad = FIRST_LOAD.reduce((sum, octets) => sum + octets, 0);

it(`loads ${Math.ceil(firstLoad / 1000)} KB at first, of which the key's script has ${Math.ceil(assets.way.body.length / 1000)}, and may load 120`, () => {
  expect(FIRST_LOAD).toHaveLength(5);
  expect(assets.way.body.length).toBeGreaterThan(10_000);
  expect(firstLoad).toBeLessThan(120_000);
});

it("names its files by their content, so that they may be kept for ever", () => {
  expect(assets.style.path).toMatch(/^\/assets\/suido\.[0-9a-f]{16}\.css$/);
  expect(loadAssets(site)).toEqual(assets);
  expect(assets.way.path).toMatch(/^\/assets\/way\.[0-9a-f]{16}\.js$/);
  expect(assets.style.body.toString()).not.toMatch(/url\(|@import/);
});
