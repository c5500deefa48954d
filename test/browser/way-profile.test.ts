import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { axeFindings } from "../support/axe.ts";
import { AUDIT } from "../support/page-audit.ts";
import { type Budget, BUDGETS } from "../support/action-budget.ts";
import { focused } from "../support/keyboard.ts";
import { readerFindings } from "../support/reader.ts";
import { Recorder } from "../support/recorder.ts";
import { eventually, Service } from "../support/service.ts";
import { guideOf } from "../../src/web/guide/guide.ts";

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
});
afterAll(async () => {
  await browser.close();
  await service.dispose();
});

const heading = (name: string) => page.getByRole("heading", { name });

it("hands out the profile by itself as soon as it is known who it is, again at a press, and goes on to the next step", async () => {
  const receive = async (press: () => Promise<unknown>): Promise<void> => {
    const [saved] = await Promise.all([page.waitForEvent("download"), press()]);
    expect(saved.suggestedFilename()).toBe("certificate.mobileconfig");
    expect(readFileSync(await saved.path(), "utf8")).toContain("com.apple.security.pkcs12");
    await expect.poll(() => focused(page)).toBe("ダウンロードを許可します");
  };
  await receive(() => page.goto(`${service.instance.urls.app}/way`));
  // Whoever comes back presses: by itself it would be a new one each time.
  await page.reload();
  await page.getByText("前に保存したファイルは使いません").waitFor();
  expect(await focused(page)).not.toBe("ダウンロードを許可します");
  await receive(() => page.getByRole("button", { name: "受け取る" }).click());
});

it("can be read by everybody, as a profile and as a file", async () => {
  for (const name of ["ファイルとパスワードで入れる", "パスワードのいらない方法で入れる"]) {
    expect(await axeFindings(page)).toEqual([]);
    expect(await readerFindings(page)).toEqual([]);
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

/** Somebody before a device, and what they do on its pages. */
async function visitorOn({ platform, userAgent }: Budget) {
  // What this machine's Chromium says of the version by itself is its own kernel's.
  const extraHTTPHeaders = { "sec-ch-ua-platform-version": '"15.6.0"' };
  const context = await browser.newContext({
    userAgent,
    locale: "ja-JP",
    ignoreHTTPSErrors: true,
    ...(platform === "macos" && { extraHTTPHeaders }),
  });
  const { app } = service.instance.urls;
  if (platform === "ipados")
    await context.addCookies([{ name: "suido-touch", value: "5", url: app }]);
  const recorder = await Recorder.on(context);
  return { context, recorder, tab: await context.newPage() };
}

/** From the file, which `identify` brings about, to the check; and what the guide asks for on the way. */
async function install(
  tab: Page,
  { browser: brand, kind }: Budget,
  identify: () => Promise<unknown>,
) {
  const [file] = await Promise.all([tab.waitForEvent("download"), identify()]);
  const ending = kind.endsWith("-profile") ? "mobileconfig" : "p12";
  expect(file.suggestedFilename().split(".").at(-1)).toBe(ending);
  const guide = guideOf(kind, { browser: brand, language: "ja", fileName: "a.p12" });
  const shown = tab.locator("[data-step]:visible");
  await expect.poll(() => shown.count()).toBe(guide.steps.length + 1);
  const ids = await shown.evaluateAll((all) => all.map((each) => each.getAttribute("data-saw")));
  expect(ids).toEqual(["make", ...guide.steps.map(({ id }) => id)]);
  if (guide.steps.some(({ needsPassword }) => needsPassword))
    await tab.getByRole("button", { name: "コピー" }).click();
  // Down through all of it, with the wheel: nothing else in between is to be pressed.
  await tab.mouse.wheel(0, 100_000);
  const check = tab.getByRole("button", { name: "確認する" });
  await expect.poll(() => check.evaluate((at) => at.getBoundingClientRect().bottom > 0)).toBe(true);
  const [opened] = await Promise.all([tab.context().waitForEvent("page"), check.click()]);
  await opened.locator("h1").waitFor();
  return guide.actions;
}

interface Invited {
  readonly id: string;
  readonly code: string;
  readonly link: string;
}

async function invited({ platform }: Budget, email?: string): Promise<Invited> {
  const { accountId, deviceId } = await service.world(platform);
  if (email !== undefined)
    await service.must("PATCH", `/v1/accounts/${accountId}`, { body: { email } });
  return service.must("POST", "/v1/enrolments", { body: { accountId, deviceId } });
}

/** The code in the newest mail to this address that has no link to begin with. */
function mailedCode(address: string): string | undefined {
  const outbox = path.join(service.dataDir, "outbox");
  mkdirSync(outbox, { recursive: true });
  const mails = readdirSync(outbox, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".eml"))
    .map((name) => readFileSync(path.join(outbox, name), "utf8"));
  const found = mails.find((mail) => mail.includes(address) && !mail.includes("/start/"));
  return /\b(\d{3} \d{3})\b/.exec(found ?? "")?.[1];
}

describe("what a person does until it is checked", () => {
  it.for(BUDGETS)(
    "$name: at most $most actions, with one code typed and a call",
    async (budget) => {
      const { id, code } = await invited(budget);
      const { context, recorder, tab } = await visitorOn(budget);
      await tab.goto(`${service.instance.urls.app}/start`);
      // The cursor is there a moment after the page: nobody types as fast as this.
      await tab.locator("input:focus").waitFor();
      await tab.keyboard.type(code.toLowerCase());
      await tab.waitForURL("**/way");
      const asked = await install(tab, budget, async () => {
        await service.must("POST", `/v1/enrolments/${id}/confirm`, { body: { how: "telephone" } });
        await tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
      });
      const pressed = budget.kind.endsWith("-profile") ? [] : ["press コピー"];
      expect(recorder.actions).toEqual(["type コード", ...pressed, "press 確認する"]);
      expect(recorder.actions.length + asked).toBe(budget.needs);
      expect(budget.needs).toBeLessThanOrEqual(budget.most);
      await context.close();
    },
  );

  it.for(BUDGETS.filter(({ kind }) => kind === "apple-profile" || kind === "android"))(
    "$name: one more with a link and a code by mail",
    async (budget) => {
      const address = `${budget.platform}@mizuki.example`;
      const { link } = await invited(budget, address);
      const { context, recorder, tab } = await visitorOn(budget);
      await tab.goto(link);
      await tab.getByRole("button", { name: "はじめる" }).click();
      await tab.waitForURL("**/way");
      const number = await eventually(
        () => Promise.resolve(mailedCode(address)),
        (found) => found !== undefined,
      );
      await tab.getByLabel("メールの確認番号").click();
      const asked = await install(tab, budget, () => tab.keyboard.type(number ?? ""));
      const pressed = budget.kind.endsWith("-profile") ? [] : ["press コピー"];
      expect(recorder.actions).toEqual([
        "press はじめる",
        "type メールの確認番号",
        ...pressed,
        "press 確認する",
      ]);
      expect(recorder.actions.length + asked).toBe(budget.needs + 1);
      await context.close();
    },
  );
});
