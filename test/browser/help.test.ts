import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import type { FastifyInstance } from "fastify";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";

import { plainSite } from "../../src/config/site.ts";
import { AUDIT } from "../support/page-audit.ts";
import { appWith } from "../unit/http/app.ts";

const SUPPORT = "みずきシステム サポート 0120-000-000(平日 9:00〜18:00)";
const SERIAL = "4a1f00c2d3e4f5061728394a5b6c7d8e";
const REASONS = ["expired", "revoked", "replaced", "none", "other"] as const;

let app: FastifyInstance;
let files: Server;
let browser: Browser;
let origin: string;
let filesOrigin: string;

const originOf = (server: { address(): unknown }): string =>
  `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(async () => {
  ({ app } = await appWith({ site: plainSite(SUPPORT) }));
  await app.listen({ host: "127.0.0.1", port: 0 });
  origin = originOf(app.server);
  // As a proxy gives them out: one file, and nothing else on that host.
  files = createServer(({ url = "" }, response) => {
    const [, reason] = /^\/(\w+)$/.exec(url) ?? [];
    const isThere = REASONS.some((each) => each === reason);
    response.writeHead(isThere ? 403 : 404, { "content-type": "text/html" });
    response.end(isThere ? readFileSync(`deploy/help/${reason}.html`) : "");
  }).listen(0, "127.0.0.1");
  await once(files, "listening");
  filesOrigin = originOf(files);
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
});
afterAll(async () => {
  await browser.close();
  await app.close();
  files.close();
});

const VIEWS = [
  { width: 1280, height: 800, scheme: "light" },
  { width: 375, height: 812, scheme: "dark" },
] as const;
const CASES = REASONS.flatMap((reason) =>
  VIEWS.flatMap((view) => [
    Object.assign(
      { reason, from: "Suido", address: () => `${origin}/help/certificate?reason=${reason}` },
      view,
    ),
    Object.assign(
      { reason, from: "a proxy's file", address: () => `${filesOrigin}/${reason}` },
      view,
    ),
  ]),
);

async function withPage<T>(
  { width, height, scheme }: (typeof VIEWS)[number],
  work: (page: Page, requests: string[]) => Promise<T>,
): Promise<T> {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
  });
  const page = await context.newPage();
  const requests: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  try {
    return await work(page, requests);
  } finally {
    await context.close();
  }
}

it.for(CASES)("$reason from $from at $width px, $scheme", async (view) => {
  await withPage(view, async (page, requests) => {
    await page.goto(view.address());
    // WCAG 2.2 1.4.3, 1.4.10, 2.5.8; and nothing is loaded besides.
    const { faults, seen } = await page.evaluate<{ faults: string[]; seen: number }>(AUDIT);
    expect(faults).toEqual([]);
    expect(seen).toBeGreaterThan(20);
    expect(requests.filter((url) => !url.startsWith("data:"))).toEqual([view.address()]);
    // Proof that the style was allowed: a page without it is white.
    const background = await page.evaluate<string>(
      "getComputedStyle(document.body).backgroundColor",
    );
    expect(background).toBe({ light: "rgb(246, 250, 250)", dark: "rgb(13, 24, 29)" }[view.scheme]);

    // What has happened and what to do next stand above the fold.
    for (const selector of ["h1", ".lead", ".action"]) {
      const box = await page.locator(selector).first().boundingBox();
      expect((box?.y ?? Infinity) + (box?.height ?? 0)).toBeLessThan(view.height);
    }

    // WCAG 1.3.1, 3.1.1, 3.1.2: headings in order, and each part in its language.
    const levels = await page.evaluate<string[]>(
      "[...document.querySelectorAll('h1,h2,h3,h4')].map((each) => each.localName)",
    );
    // Of an old one there is also what to do with it.
    const [more, below] = view.reason === "replaced" ? [["h3"], ["h4"]] : [[], []];
    const wanted = ["h1", "h2", "h3", ...more, "h3", "h2", "h3", "h4", ...below, "h4"];
    expect(levels).toEqual(wanted);
    // Who may have the wrong one of two sees how the other is chosen.
    const drawn = ["expired", "revoked", "replaced"].includes(view.reason) ? 2 : 0;
    expect(await page.locator("svg.again").count()).toBe(drawn);
    expect(await page.locator("html").getAttribute("lang")).toBe("ja");
    expect(await page.locator("section").getAttribute("lang")).toBe("en");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.url()).toBe(`${view.address()}#en`);
  });
});

it("gives the telephone number to dial, and the certificate's number to read out", async () => {
  await withPage(VIEWS[0], async (page) => {
    await page.goto(`${origin}/help/certificate?reason=revoked&serial=${SERIAL}`);
    const call = page.locator(".aside").first();
    expect(await call.locator("a").getAttribute("href")).toBe("tel:0120000000");
    const number = await call.locator("code").textContent();
    expect(number).toBe("4a1f 00c2 d3e4 f506 1728 394a 5b6c 7d8e");
    expect(await call.locator(".contact").textContent()).toBe(SUPPORT);
  });
});
