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

/** An iPad says in each header that it is a Mac. */
const IPAD =
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15";

it("knows an iPad by its screen, before anything is pressed", async () => {
  const storageState = await page.context().storageState();
  const context = await browser.newContext({ userAgent: IPAD, locale: "ja-JP", storageState });
  const [mac, ipad] = [await context.newPage(), await context.newPage()];
  await mac.goto(`${service.instance.urls.app}/start`);
  expect(await context.cookies()).not.toContainEqual(
    expect.objectContaining({ name: "suido-touch" }),
  );
  await ipad.addInitScript("Object.defineProperty(navigator, 'maxTouchPoints', { value: 5 })");
  await ipad.goto(`${service.instance.urls.app}/start`);
  await expect
    .poll(() => context.cookies())
    .toContainEqual(expect.objectContaining({ name: "suido-touch", value: "5" }));
  await context.close();
});

const LATE = "const at = Date.now; Date.now = () => at() + 180_000;";
const UNREACHED =
  "const ask = fetch; fetch = (to, ...more) => to.includes('reach') ? new Promise((_, no) => more[0].signal.onabort = no) : ask(to, ...more);";
const keepsNothing = (name: string): string =>
  `delete Navigator.prototype.userAgentData;
   navigator.storage.getDirectory = async () => { throw new DOMException("", "${name}"); };`;

it("says what of the device is in the way, within two seconds, and nothing where nothing is", async () => {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    storageState: await page.context().storageState(),
    userAgent: IPHONE,
    locale: "ja-JP",
  });
  const said = async (fault: string, count: number): Promise<readonly string[]> => {
    const tab = await context.newPage();
    await tab.addInitScript(fault);
    await tab.goto(`${service.instance.urls.app}/way`);
    const notices = tab.locator(".notice[role=note]:visible");
    if (count === 0) await tab.waitForLoadState("networkidle");
    else await notices.nth(count - 1).waitFor({ timeout: 6_000 });
    return notices.locator("b").allTextContents();
  };
  expect(await said("", 0)).toEqual([]);
  // As Firefox refuses it, and as Safari does.
  expect(await said(LATE + UNREACHED + keepsNothing("SecurityError"), 3)).toEqual([
    "この端末の時計が合っていません",
    "確認のためのページにつながりません",
    "プライベートウィンドウのようです",
  ]);
  expect(await said(keepsNothing("UnknownError"), 1)).toEqual(["プライベートウィンドウのようです"]);
  await context.close();
});
