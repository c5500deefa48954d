import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { pino } from "pino";
import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { plainSite } from "../../src/config/site.ts";
import { createMtlsServer, type MtlsServer } from "../../src/http/mtls-app.ts";
import type { CheckOutcome, Visit } from "../../src/lifecycle/proof.ts";
import { parseSerial } from "../../src/pki/serial.ts";
import { selfSigned } from "../integration/http/check-world.ts";
import { axeFindings } from "../support/axe.ts";
import { readerFindings } from "../support/reader.ts";
import { PICK_BY_ITSELF } from "../support/chromium-policy.ts";
import { pressByKey, stopsByKey } from "../support/keyboard.ts";
import { AUDIT } from "../support/page-audit.ts";
import { type Certificate, Service } from "../support/service.ts";

const commonName = "受付1号機 2027-12";
const device = { name: "受付1号機", pharmacyName: "みずき薬局 本店", platform: "windows" };
const proof = {
  serialNumber: parseSerial("4a1f00c2d3e4f5061728394a5b6c7d8e"),
  notAfter: new Date("2027-12-21T14:59:59Z"),
  provenAt: new Date("2026-11-21T03:00:00Z"),
};

const VISITS: Readonly<Record<CheckOutcome, Omit<Visit, "outcome">>> = {
  proven: { commonName, device, proof },
  none: { commonName },
  "other-device": { commonName },
  "other-place": { commonName, device },
  older: { commonName, device, olderName: "受付1号機 2026-12" },
  newer: { commonName, device },
  revoked: { commonName, device },
  expired: { commonName, device },
  unknown: { commonName },
  ended: {},
};
const OUTCOMES = Object.keys(VISITS) as CheckOutcome[];

/** A nonce that says which outcome is wanted of it. */
const nonceOf = (outcome: CheckOutcome): string =>
  OUTCOMES.indexOf(outcome).toString(16).padStart(32, "0");

/** Of a check that cannot be looked at. */
const BROKEN = "f".repeat(32);

const unexpected = (): never => {
  throw new Error("nobody asks for this here");
};

describe("each outcome has a page", () => {
  let mtls: MtlsServer;
  let browser: Browser;
  let port: number;

  beforeAll(async () => {
    const { key, cert } = selfSigned();
    mtls = await createMtlsServer({
      certificate: { key, certificate: cert, authorities: [] },
      visitCheck: (nonce) => {
        if (nonce === BROKEN) return Promise.reject(new Error("the database is away"));
        const outcome = OUTCOMES.find((each) => nonceOf(each) === nonce) ?? "ended";
        return Promise.resolve({ outcome, ...VISITS[outcome] });
      },
      checkUrl: "https://check.localhost",
      timeZone: "Asia/Tokyo",
      site: plainSite("みずきシステム サポート 0120-000-000(平日 9:00〜18:00)"),
      identify: unexpected,
      authorizer: {
        partyOfKey: unexpected,
        partyOfCertificate: () => undefined,
        authorize: unexpected,
        known: unexpected,
        close: () => Promise.resolve(),
      },
      appUrl: "http://localhost:8000",
      mtlsUrl: "https://localhost:8443",
      successorOf: unexpected,
      renewalStart: { begin: unexpected, goOn: unexpected, isPutAside: unexpected },
      askRenewal: unexpected,
      clock: () => new Date("2026-11-21T03:00:00Z"),
      newId: () => "00000000-0000-7000-8000-000000000000",
      log: pino({ level: "silent" }),
    });
    await mtls.app.listen({ host: "127.0.0.1", port: 0 });
    ({ port } = mtls.app.server.address() as AddressInfo);
    browser = await chromium.launch({
      executablePath: "/usr/bin/chromium",
      args: ["--no-sandbox"],
    });
  });
  afterAll(async () => {
    await browser.close();
    await mtls.app.close();
  });

  it("is judged by a judge that finds something", async () => {
    const page = await browser.newPage();
    await page.setContent(
      "<html><body><p style='color: #aaa'>grey</p><img src='data:,'></body></html>",
    );
    const found = (await axeFindings(page)).join("\n");
    for (const rule of ["color-contrast", "html-has-lang", "image-alt"])
      expect(found).toContain(`${rule}:`);
    await page.close();
  });

  const VIEWS = [
    { width: 1280, height: 800, scheme: "light", locale: "ja-JP" },
    { width: 320, height: 640, scheme: "dark", locale: "en-GB" },
    { width: 1280, height: 800, scheme: "dark", locale: "en-GB" },
    { width: 375, height: 812, scheme: "light", locale: "ja-JP" },
  ] as const;
  /** A window of 1280 px at a zoom of 200 %, for the two pages with the most on them. */
  const ZOOMED = { width: 640, height: 400, scheme: "light", locale: "ja-JP" } as const;
  // Each page in both languages, light and dark, wide and narrow: the first two views and the last two by turns.
  const CASES = OUTCOMES.flatMap((outcome, at) => {
    const views = at % 2 === 0 ? VIEWS.slice(0, 2) : VIEWS.slice(2);
    const zoomed = outcome === "older" || outcome === "proven" ? [ZOOMED] : [];
    return [...views, ...zoomed].map((view) => Object.assign({ outcome }, view));
  });

  /** One for each view: a browser takes longer to make one than to show a page. */
  const contexts = new Map<string, Promise<BrowserContext>>();
  async function contextOf(view: (typeof VIEWS)[number] | typeof ZOOMED): Promise<BrowserContext> {
    const { width, height, scheme: colorScheme, locale } = view;
    const viewport = { width, height };
    const options = { viewport, colorScheme, locale, ignoreHTTPSErrors: true };
    const context = contexts.get(JSON.stringify(view)) ?? browser.newContext(options);
    contexts.set(JSON.stringify(view), context);
    const made = await context;
    // The language that was chosen in the case before.
    await made.clearCookies();
    return made;
  }

  it.for(CASES)("$outcome at $width px, $scheme, $locale", async ({ outcome, ...view }) => {
    const { scheme, locale } = view;
    const page = await (await contextOf(view)).newPage();
    try {
      const faults: string[] = [];
      const requests: string[] = [];
      page.on("console", (message) => faults.push(message.text()));
      page.on("pageerror", (error) => faults.push(error.message));
      page.on("request", (request) => requests.push(request.url()));
      const address = `https://${nonceOf(outcome)}.check.localhost:${port}/`;
      const reply = await page.goto(address);
      expect(reply?.status()).toBe(outcome === "ended" ? 404 : 200);
      expect(await axeFindings(page)).toEqual([]);
      expect(await readerFindings(page)).toEqual([]);
      const audit = await page.evaluate<{ faults: string[]; seen: number }>(AUDIT);
      expect(audit.faults).toEqual([]);
      expect(audit.seen).toBeGreaterThan(10);
      expect(requests.filter((url) => !url.startsWith("data:"))).toEqual([address]);
      // Chromium says of itself that an answer was a 404.
      expect(faults.filter((each) => !each.includes("status of 404"))).toEqual([]);
      const background = await page.evaluate<string>(
        "getComputedStyle(document.body).backgroundColor",
      );
      expect(background).toBe({ light: "rgb(246, 250, 250)", dark: "rgb(13, 24, 29)" }[scheme]);
      expect(await page.locator("html").getAttribute("lang")).toBe(locale.slice(0, 2));
      expect(await page.locator("h1").count()).toBe(1);
      expect(await page.locator(".action").count()).toBe(1);
      expect(await page.locator("a[href='tel:0120000000']").count()).toBe(1);
      expect(await page.locator("main").textContent()).not.toContain("{");

      // By keyboard alone: the other language, how an old one is deleted, and whom to call.
      const name = locale === "ja-JP" ? "English" : "日本語";
      const more = page.locator("summary");
      const summaries = (await more.allTextContents()).map((text) => text.trim());
      expect(summaries).toHaveLength(outcome === "older" ? 1 : 0);
      expect(await stopsByKey(page)).toEqual([name, ...summaries, "0120-000-000"]);
      for (const summary of summaries) await pressByKey(page, summary, "Space");
      // What that has opened is as good as the rest.
      const after = await page.evaluate<{ faults: string[] }>(AUDIT);
      expect(after.faults).toEqual([]);
      // The other language is one press away, and the same page.
      await pressByKey(page, name);
      const other = locale === "ja-JP" ? "en" : "ja";
      await expect.poll(() => page.url()).toBe(`${address}?lang=${other}`);
      expect(await page.locator("html").getAttribute("lang")).toBe(other);
    } finally {
      await page.close();
    }
  });

  it("has a page too where a request has failed, which leads to where it can be tried again", async () => {
    const page = await (await contextOf(VIEWS[3])).newPage();
    const reply = await page.goto(`https://${BROKEN}.check.localhost:${port}/`);
    expect(reply?.status()).toBe(500);
    expect(await axeFindings(page)).toEqual([]);
    expect((await page.evaluate<{ faults: string[] }>(AUDIT)).faults).toEqual([]);
    expect(await stopsByKey(page)).toEqual(["English", "もう一度試す", "0120-000-000"]);
    expect(await page.locator(".button").getAttribute("href")).toBe("/?lang=ja");
    await page.close();
  });
});

describe("a device with Chromium", () => {
  const home = mkdtempSync(path.join(tmpdir(), "suido-chromium-"));
  const store = path.join(home, ".pki", "nssdb");
  const policy = `/etc/chromium/policies/managed/suido-${process.pid}.json`;
  let service: Service;
  let context: BrowserContext | undefined;

  beforeAll(async () => {
    service = await Service.open();
  });
  afterAll(async () => {
    await context?.close();
    await service.dispose();
    rmSync(policy, { force: true });
    rmSync(home, { recursive: true, force: true });
  });

  const nss = (tool: "certutil" | "pk12util", ...args: readonly string[]): void => {
    execFileSync(tool, [...args, "-d", `sql:${store}`], { stdio: "pipe" });
  };

  async function check(serialNumber: string): Promise<string> {
    const answer = await service.must<{ url: string }>(
      "POST",
      `/v1/certificates/${serialNumber}/checks`,
    );
    return answer.url;
  }

  it("is told that it has none, gets its certificate while it runs, and proves it at a fresh host", async () => {
    const { accountId, deviceId } = await service.world();
    const made = await service.must<Certificate>("POST", "/v1/certificates", {
      body: { accountId, deviceId },
    });
    const { serialNumber, chain } = made;
    mkdirSync(store, { recursive: true });
    nss("certutil", "-N", "--empty-password");
    const rootFile = path.join(home, "root.pem");
    writeFileSync(rootFile, chain.at(-1) ?? "");
    nss("certutil", "-A", "-n", "root", "-t", "CT,C,C", "-i", rootFile);
    mkdirSync(path.dirname(policy), { recursive: true });
    writeFileSync(policy, PICK_BY_ITSELF);
    context = await chromium.launchPersistentContext(path.join(home, "profile"), {
      executablePath: "/usr/bin/chromium",
      args: ["--no-sandbox"],
      env: { ...process.env, HOME: home },
      locale: "ja-JP",
    });
    const page = await context.newPage();

    await page.goto(await check(serialNumber));
    expect(await page.locator("h1").textContent()).toBe("証明書が選ばれていません");
    expect(await service.status(serialNumber)).not.toHaveProperty("provenAt");

    const bundle = path.join(home, "device.p12");
    writeFileSync(bundle, Buffer.from(made.pkcs12?.data ?? "", "base64"));
    nss("pk12util", "-i", bundle, "-W", made.pkcs12?.password ?? "");

    const fresh = await check(serialNumber);
    const reply = await page.goto(fresh);
    expect(reply?.status()).toBe(200);
    expect(await page.locator(".chip").textContent()).toBe("確認済み");
    expect(await page.locator("h1").textContent()).toBe("この端末で証明書が使えます");
    expect(await page.locator(".facts").textContent()).toContain("本店 受付1号機");
    expect(await axeFindings(page)).toEqual([]);
    expect(await service.status(serialNumber)).toMatchObject({
      status: "good",
      provenAt: expect.stringMatching(/^20\d\d-/) as unknown,
    });

    await service.revoke(serialNumber);
    await page.goto(await check(serialNumber));
    expect(await page.locator(".chip").textContent()).toBe("停止中");
  });
});
