import type { AddressInfo } from "node:net";

import type { FastifyInstance } from "fastify";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";

import type { Way } from "../../src/lifecycle/way-row.ts";
import { HELD_WORDS } from "../../src/web/messages/held-words.ts";
import { axeFindings } from "../support/axe.ts";
import { AUDIT } from "../support/page-audit.ts";
import { readerFindings } from "../support/reader.ts";
import { appWith } from "../unit/http/app.ts";

let app: FastifyInstance;
let browser: Browser;
let origin: string;

const WINDOWS = {
  userAgent:
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
  extraHTTPHeaders: { "sec-ch-ua-platform": '"Windows"' },
};

/** Somebody whose certificate can be made now. */
const way: Way = {
  enrolmentId: "019aa5f0-3c5e-7b1a-9d52-6f0d6c1f7a10",
  state: "identified",
  isReplaced: false,
  isNamed: true,
  isPlaceOpen: false,
  isHeld: false,
  deviceName: "受付1号機",
  pharmacyName: "みずき薬局 本店",
  supportNumber: "482913",
  expiresAt: new Date("2026-12-05T00:00:00Z"),
  isEmergency: false,
  made: 0,
  mayAskForAnother: false,
};
/** The session of somebody whose device their pharmacy has stopped. */
const HELD = "aa".repeat(16);
const unasked = (): Promise<never> => Promise.reject(new Error("nobody asks for this here"));

beforeAll(async () => {
  ({ app } = await appWith({
    ways: {
      look: (secret) => Promise.resolve({ ...way, isHeld: secret === HELD }),
      issue: unasked,
      check: unasked,
      mailCode: unasked,
      enterCode: unasked,
    },
    authorities: () =>
      Promise.resolve([
        {
          id: "issuing-g1",
          kind: "issuing",
          name: "Suido Issuing CA G1",
          fingerprint: "ab".repeat(32),
          notAfter: new Date("2031-11-20T00:00:00Z"),
        },
      ]),
  }));
  await app.listen({ host: "127.0.0.1", port: 0 });
  origin = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
});
afterAll(async () => {
  await browser.close();
  await app.close();
});

const CASES = [
  "/",
  "/console",
  "/problems",
  "/problems/key-in-use",
  "/nowhere",
  "/way",
  "/way/script",
].flatMap((path) =>
  [
    { width: 1280, scheme: "light", locale: "ja-JP" },
    { width: 1280, scheme: "dark", locale: "en-GB" },
    { width: 320, scheme: "light", locale: "en-GB" },
    { width: 390, scheme: "dark", locale: "ja-JP" },
  ].map((view) => Object.assign(view, { path })),
);

it.for(CASES)(
  "WCAG 2.2 1.4.3, 1.4.10, 2.5.8: $path at $width px, $scheme, $locale",
  async ({ path, width, scheme, locale }) => {
    const context = await browser.newContext({
      viewport: { width, height: 800 },
      colorScheme: scheme as "light" | "dark",
      locale,
      ...WINDOWS,
    });
    if (path === "/way")
      await context.addCookies([{ name: "suido-way", value: HELD, url: origin }]);
    const page = await context.newPage();
    const requests: string[] = [];
    const blocked: string[] = [];
    page.on("request", (request) => requests.push(new URL(request.url()).origin));
    page.on("console", (message) => {
      blocked.push(
        ...message
          .text()
          .split("\n")
          .filter((line) => line.includes("Content Security Policy")),
      );
    });
    await page.goto(`${origin}${path}`);
    const { faults, seen } = await page.evaluate<{ faults: string[]; seen: number }>(AUDIT);
    const background = await page.evaluate<string>(
      "getComputedStyle(document.body).backgroundColor",
    );
    const findings = path.startsWith("/way") ? await axeFindings(page) : [];
    const title = await page.locator("h1").textContent();
    const unheard = await readerFindings(page);
    await context.close();
    const { [locale.slice(0, 2) as "ja" | "en"]: held } = HELD_WORDS;
    expect(title === held.page.title).toBe(path === "/way");
    expect(faults).toEqual([]);
    expect(findings).toEqual([]);
    expect(unheard).toEqual([]);
    expect(seen).toBeGreaterThan(5);
    expect(blocked).toEqual([]);
    expect(new Set(requests)).toEqual(new Set([origin]));
    // Proof that the styles arrived: a page without them is white.
    expect(background).toBe(scheme === "dark" ? "rgb(13, 24, 29)" : "rgb(246, 250, 250)");
  },
);

it("WCAG 2.4.1, 2.4.7: the first tab stop skips to the content, and is seen", async () => {
  const page = await browser.newPage();
  await page.goto(`${origin}/?lang=en`);
  await page.keyboard.press("Tab");
  const box = await page.locator(".skip").boundingBox();
  expect(box?.x).toBeGreaterThanOrEqual(0);
  await page.keyboard.press("Enter");
  expect(await page.evaluate<string>("document.activeElement.id")).toBe("content");
  await page.close();
});

it("goes to the other language and stays in it", async () => {
  const page = await browser.newPage({ locale: "ja-JP" });
  await page.goto(origin);
  await page.getByRole("link", { name: "English" }).click();
  await page.getByRole("link", { name: "For operators" }).click();
  expect(await page.locator("html").getAttribute("lang")).toBe("en");
  expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("State of the service");
  await page.close();
});
