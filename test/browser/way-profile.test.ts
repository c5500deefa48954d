import { readFileSync } from "node:fs";

import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";

import { axeFindings } from "../support/axe.ts";
import { AUDIT } from "../support/page-audit.ts";
import { Service } from "../support/service.ts";

/** The page of an iPhone. Chromium saves the profile instead of handing it to the system; the page does the same in both. */
const IPHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1";

let service: Service;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  service = await Service.open();
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  const { accountId, deviceId } = await service.world("ios");
  const body = { accountId, deviceId };
  const made = await service.must<{ id: string; link: string }>("POST", "/v1/enrolments", { body });
  page = await browser.newPage({
    userAgent: IPHONE,
    locale: "ja-JP",
    viewport: { width: 390, height: 844 },
  });
  page.setDefaultTimeout(8_000);
  await page.goto(made.link);
  await page.getByRole("button", { name: "はじめる" }).click();
  await page.waitForURL("**/way");
  await service.must("POST", `/v1/enrolments/${made.id}/confirm`, { body: { how: "telephone" } });
  await page.goto(`${service.instance.urls.app}/way`);
});
afterAll(async () => {
  await browser.close();
  await service.dispose();
});

const heading = (name: string) => page.getByRole("heading", { name });

it("hands out the profile at one press, and goes on to the next step by itself", async () => {
  await heading("プロファイルを受け取ります").waitFor();
  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "受け取る" }).click();
  const saved = await downloading;
  expect(saved.suggestedFilename()).toBe("certificate.mobileconfig");
  expect(readFileSync(await saved.path(), "utf8")).toContain("com.apple.security.pkcs12");
  await heading("ダウンロードを許可します").waitFor();
  expect(await heading("プロファイルを受け取ります").isVisible()).toBe(false);
  await page.getByRole("button", { name: "戻る" }).click();
  await heading("プロファイルを受け取ります").waitFor();
});

it("can be read by everybody, as a profile and as a file", async () => {
  for (const name of ["ファイルとパスワードで入れる", "パスワードのいらない方法で入れる"]) {
    expect(await axeFindings(page)).toEqual([]);
    const { faults, seen } = await page.evaluate<{ faults: string[]; seen: number }>(AUDIT);
    expect([faults, seen > 5]).toEqual([[], true]);
    await page.getByRole("link", { name }).click();
  }
  await heading("プロファイルを受け取ります").waitFor();
});
