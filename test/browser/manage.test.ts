import type { AddressInfo } from "node:net";

import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";

import { openSignInWorld, type SignInWorld } from "../integration/http/sign-in-world.ts";
import { Visitor } from "../integration/http/visitor.ts";
import type { Tenant } from "../integration/http/world.ts";
import { axeFindings } from "../support/axe.ts";
import { readerFindings } from "../support/reader.ts";
import { pressByKey } from "../support/keyboard.ts";
import { AUDIT } from "../support/page-audit.ts";

const APP = "http://localhost:8000";

let world: SignInWorld;
let browser: Browser;
let tenant: Tenant;
let count = 0;

beforeAll(async () => {
  world = await openSignInWorld();
  await world.app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = world.app.server.address() as AddressInfo;
  browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    // The app is where the provider sends people back to.
    args: ["--no-sandbox", `--host-resolver-rules=MAP localhost:8000 127.0.0.1:${port}`],
  });
});
beforeEach(async () => {
  world.side.time.now = world.side.time.signer = new Date();
  tenant = await world.tenant(`みずき薬局 本店${(count += 1)}`);
  await world.register(tenant.accountId, `manager-${count}`);
  const { accountId, deviceId, pharmacyId } = tenant;
  for (const [name, platform] of [
    ["監査台", "windows"],
    ["投薬台iPad", "ipados"],
  ])
    await world.call("POST", "/v1/devices", { body: { pharmacyId, name, platform } });
  await world.call("POST", "/v1/certificates", { body: { accountId, deviceId } });
});
afterAll(async () => {
  await browser.close();
  await world.close();
});

async function colleague(name: string, role: string): Promise<string> {
  const { corporationId, pharmacyId } = tenant;
  const { body } = await world.call("POST", "/v1/accounts", {
    body: { corporationId, name, email: `${role}${count}@mizuki.example` },
  });
  await world.call("POST", "/v1/memberships", { body: { accountId: body.id, pharmacyId, role } });
  return body.id;
}

/** Somebody's page waits for the manager. */
async function waiting(accountId: string): Promise<Visitor> {
  const { deviceId } = tenant;
  const made = await world.call("POST", "/v1/enrolments", { body: { accountId, deviceId } });
  const visitor = new Visitor(world.app);
  const { link } = made.body as unknown as { readonly link: string };
  await visitor.press({ token: link.split("/").at(-1) });
  return visitor;
}

/** A browser of the person's own, at the page that first asks to sign in. */
async function opened(options: BrowserContextOptions): Promise<Page> {
  world.provider.expect({ subject: `manager-${count}` });
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.goto(`${APP}/manage`);
  return page;
}

/** What is wrong with the page as it stands. */
async function judged(page: Page): Promise<readonly string[]> {
  const { faults } = await page.evaluate<{ faults: string[] }>(AUDIT);
  return [...faults, ...(await axeFindings(page)), ...(await readerFindings(page))];
}

it("signs in, confirms a colleague, stops a device and lets it go on, by the keyboard alone", async () => {
  const visitor = await waiting(await colleague("薬師 花子", "pharmacist"));
  const page = await opened({ locale: "ja-JP", viewport: { width: 1280, height: 900 } });
  expect(await judged(page)).toEqual([]);
  await pressByKey(page, "サインインする");
  await page.getByRole("heading", { level: 1, name: `みずき薬局 本店${count}` }).waitFor();
  expect(await judged(page)).toEqual([]);
  await pressByKey(page, "本人を確認しました");
  await page.locator(".notice").getByText("確認しました").waitFor();
  // What readers say of a page that has come.
  expect(await page.title()).toMatch(/^確認しました。.* ・ 薬局の端末 ・ /);
  expect(await visitor.state()).toBe("place");
  // Nothing stops a device but two presses and a reason.
  await pressByKey(page, "この端末を止める");
  expect(await judged(page)).toEqual([]);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Space");
  await pressByKey(page, "いま止める");
  await page.locator(".notice").getByText("端末を止めました").waitFor();
  await page.getByText("止めています", { exact: true }).waitFor();
  expect(await judged(page)).toEqual([]);
  await pressByKey(page, "元に戻す");
  await page.locator(".notice").getByText("端末がまた使えるようになりました").waitFor();
  await page.getByText("使えます", { exact: true }).waitFor();
  await pressByKey(page, "代理の人を選ぶ");
  expect(await judged(page)).toEqual([]);
  await pressByKey(page, "代理の人にする");
  await page.locator(".notice").getByText("代理の人にしました").waitFor();
  await pressByKey(page, "サインアウトする");
  await page.getByRole("heading", { name: "サインインしてください" }).waitFor();
  await page.context().close();
});

it("asks whoever works for two corporations for which they are here, by the keyboard alone", async () => {
  const other = await world.tenant(`あおば薬局 駅前店${count}`);
  await world.register(other.accountId, `manager-${count}`);
  const page = await opened({ locale: "ja-JP", viewport: { width: 320, height: 700 } });
  await pressByKey(page, "サインインする");
  await page.getByRole("heading", { level: 2, name: "ほかの法人" }).waitFor();
  expect(await judged(page)).toEqual([]);
  const names = [`みずき薬局 本店${count}`, `あおば薬局 駅前店${count}`];
  const button = page.locator(".places .button");
  const offered = (await button.textContent())?.trim() ?? "";
  const first = names.find((name) => name !== offered) ?? "";
  await pressByKey(page, offered);
  await page.getByRole("heading", { level: 1, name: offered }).waitFor();
  // Nothing of the one before is there any more; the sign-in's own page leads back.
  expect(await page.locator("body").textContent()).not.toContain(first);
  await page.goto(`${APP}/sign-in?to=manage`);
  await pressByKey(page, first);
  await page.getByRole("heading", { level: 1, name: first }).waitFor();
  await page.context().close();
});

it.for([
  { width: 320, locale: "ja-JP", colorScheme: "light" },
  { width: 320, locale: "en-GB", colorScheme: "dark" },
  { width: 1280, locale: "ja-JP", colorScheme: "dark" },
] as const)(
  "WCAG 2.2 AA at $width px, $colorScheme, $locale, with everything open",
  async ({ width, ...options }) => {
    await waiting(await colleague("薬師 花子", "pharmacist"));
    await waiting(tenant.accountId);
    const page = await opened({ ...options, viewport: { width, height: 900 } });
    await page.getByRole("link", { name: /サインインする|Sign in/ }).click();
    await page.getByRole("heading", { level: 1, name: `みずき薬局 本店${count}` }).waitFor();
    for (const summary of await page.locator("summary").all()) await summary.click();
    expect(await judged(page)).toEqual([]);
    await page.getByRole("radio").first().check();
    await page.getByRole("button", { name: /いま止める|Stop it now/ }).click();
    await page.locator(".notice").waitFor();
    expect(await judged(page)).toEqual([]);
    await page.context().close();
  },
);
