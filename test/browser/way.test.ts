import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { type BrowserContext, chromium, type Download, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";

import { visitAt } from "../integration/http/check-world.ts";
import { RENEWAL } from "../support/action-budget.ts";
import { axeFindings } from "../support/axe.ts";
import { nginxPlan } from "../support/nginx-plan.ts";
import { PICK_BY_ITSELF } from "../support/chromium-policy.ts";
import { focused, pressByKey, stopsByKey } from "../support/keyboard.ts";
import { AUDIT } from "../support/page-audit.ts";
import { Proxy } from "../support/proxy.ts";
import { readerFindings } from "../support/reader.ts";
import { Recorder } from "../support/recorder.ts";
import { type Certificate, eventually, Service, type World } from "../support/service.ts";

const home = mkdtempSync(path.join(tmpdir(), "suido-way-"));
const store = path.join(home, ".pki", "nssdb");
const policy = `/etc/chromium/policies/managed/suido-way-${process.pid}.json`;
const product = createServer((_request, response) => response.end("<h1>Musubi</h1>"));

let service: Service;
let proxy: Proxy;
let world: World;
let context: BrowserContext;

const nss = (tool: "certutil" | "pk12util", ...args: readonly string[]): void => {
  execFileSync(tool, [...args, "-d", `sql:${store}`], { stdio: "pipe" });
};

/** The CAs lie beside the recipe: no gate keeps them here. */
const edit = (recipe: string): string => recipe.replaceAll("current/ca.pem", "ca.pem");

/** nginx before a product: it demands certificates, and asks Suido about each request. */
async function startProxy(): Promise<Proxy> {
  await service.must("POST", "/v1/relying-parties", {
    body: { name: "musubi-edge", product: "musubi", uses: ["authorize"], defaultStage: "enforce" },
  });
  const { key } = await service.command<{ key: string }>(
    "api-key",
    "create",
    "--role",
    "proxy",
    "--relying-party",
    "musubi-edge",
  );
  const words = {
    SUIDO: `127.0.0.1:${new URL(service.instance.urls.app).port}`,
    PRODUCT_URL: `http://127.0.0.1:${(product.address() as AddressInfo).port}`,
  };
  const files = {
    "key.conf": `proxy_set_header Authorization "Bearer ${key}";\n`,
    "ca.pem": (await service.published("ca/bundle.pem")).toString(),
  };
  const made = await Proxy.prepare(
    nginxPlan("deploy/nginx/authorize.conf", words, { files, edit }),
  );
  await made.start();
  return made;
}

/** A browser with a home of its own, as on a device that nobody has prepared. */
async function startBrowser(): Promise<BrowserContext> {
  mkdirSync(store, { recursive: true });
  nss("certutil", "-N", "--empty-password");
  const root = path.join(home, "ca.pem");
  // The root of the demonstration's own server certificates: in production browsers know theirs.
  writeFileSync(root, await service.published("ca/root-g1.pem"));
  nss("certutil", "-A", "-n", "root", "-t", "CT,C,C", "-i", root);
  nss("certutil", "-A", "-n", "nginx", "-t", "CP,C,C", "-i", proxy.file("server.pem"));
  mkdirSync(path.dirname(policy), { recursive: true });
  writeFileSync(policy, PICK_BY_ITSELF);
  return openBrowser();
}

/** With what it has in its store and its profile by now. */
const openBrowser = (): Promise<BrowserContext> =>
  chromium.launchPersistentContext(path.join(home, "profile"), {
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox"],
    env: { ...process.env, HOME: home },
    locale: "ja-JP",
    // A window of 1280 px at a zoom of 200 %.
    viewport: { width: 640, height: 450 },
    deviceScaleFactor: 2,
    reducedMotion: "reduce",
  });

/** The text of the mail that waits in the outbox. */
async function mailed(): Promise<string> {
  const outbox = path.join(service.dataDir, "outbox");
  mkdirSync(outbox, { recursive: true });
  const [file = ""] = await eventually(
    async () =>
      readdirSync(outbox, { recursive: true, encoding: "utf8" }).filter((name) =>
        name.endsWith(".eml"),
      ),
    (names) => names.length > 0,
  );
  return readFileSync(path.join(outbox, file), "utf8")
    .replaceAll(/=\r?\n/g, "")
    .replaceAll("=3D", "=");
}

beforeAll(async () => {
  product.listen(0, "127.0.0.1");
  await once(product, "listening");
  service = await Service.open();
  world = await service.world("linux");
  await service.must("PATCH", `/v1/accounts/${world.accountId}`, {
    body: { email: "taro@mizuki.example" },
  });
  proxy = await startProxy();
  context = await startBrowser();
});
afterAll(async () => {
  await context.close();
  await proxy.dispose();
  await service.dispose();
  product.close();
  rmSync(policy, { force: true });
  rmSync(home, { recursive: true, force: true });
});

const heading = (page: Page) => page.locator("h1:visible");

const isHeaded = (page: Page, title: string): Promise<void> =>
  expect.poll(() => heading(page).textContent(), { timeout: 15_000 }).toBe(title);

const BUTTON = "Space";
const WIDE = { width: 640, height: 450 };

/**
 * No page may have a fault that a judge finds: contrast, names, order of headings, overflow; in light and in dark, and on the
 * narrowest of screens.
 */
async function judge(page: Page): Promise<void> {
  expect(await axeFindings(page)).toEqual([]);
  expect(await readerFindings(page)).toEqual([]);
  const audit = async (): Promise<void> => {
    const { faults } = await page.evaluate<{ faults: string[] }>(AUDIT);
    expect(faults).toEqual([]);
  };
  await audit();
  await page.setViewportSize({ width: 320, height: 450 });
  await page.emulateMedia({ colorScheme: "dark" });
  await audit();
  expect(await axeFindings(page)).toEqual([]);
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize(WIDE);
}

/** What is printed for the file: A4 without its margins is 688 px wide and twice 508 px high. */
async function isOnHalfAPage(page: Page): Promise<void> {
  await page.emulateMedia({ media: "print" });
  await page.setViewportSize({ width: 688, height: 508 });
  expect(await page.evaluate<number>("document.documentElement.scrollHeight")).toBe(508);
  expect(await page.locator("button:visible, a.button:visible").count()).toBe(0);
  const text = await page.locator(".sheet").innerText();
  for (const each of ["受付1号機", /20\d\d年\d+月\d+日まで/, /(?:[0-9a-f]{4} ){7}[0-9a-f]{4}/])
    expect(text).toMatch(each);
}

/** Keeps the file that the page saves by itself, and waits for the first step. Returns the password that is shown. */
async function goThrough(
  page: Page,
  { downloading, file }: { readonly downloading: Promise<Download>; readonly file: string },
): Promise<string> {
  await (await downloading).saveAs(file);
  await isReadOut(page, "証明書の画面を開きます");
  return (await page.locator("[data-key=password]").textContent()) ?? "";
}

/** Presses 「確認する」, which opens a page of its own. */
async function check(page: Page): Promise<Page> {
  const [opened] = await Promise.all([
    context.waitForEvent("page"),
    pressByKey(page, "確認する", BUTTON),
  ]);
  await opened.locator("h1").waitFor();
  return opened;
}

/** What `pk12util` would put into the store: key and certificate, for a handshake beside the browser's. */
function unpacked(file: string, password: string): { readonly key: string; readonly cert: string } {
  const pem = (...what: readonly string[]): string =>
    execFileSync(
      "openssl",
      ["pkcs12", "-in", file, "-nodes", "-passin", `pass:${password}`, ...what],
      { encoding: "utf8" },
    );
  return { key: pem("-nocerts"), cert: pem("-clcerts", "-nokeys") };
}

/** A page that has come by itself is read out: its heading, which has the focus. */
async function isReadOut(page: Page, title: string): Promise<void> {
  await expect.poll(() => focused(page), { timeout: 15_000 }).toBe(title);
}

it(
  "goes from a product that refuses to a product that works, by mail, link, telephone, key and check, without a mouse",
  { timeout: 120_000 },
  async () => {
    const productUrl = `https://localhost:${proxy.port}/`;
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const faults: string[] = [];
    page.on("console", (message) => faults.push(message.text()));
    page.on("pageerror", (error) => faults.push(error.message));
    // The product was visited before, and the browser remembers for this host that it has no certificate.
    expect((await page.goto(productUrl))?.status()).toBe(403);
    faults.length = 0;

    const { accountId, deviceId } = world;
    const made = await service.must<{ id: string }>("POST", "/v1/enrolments", {
      body: { accountId, deviceId },
    });
    const [link = ""] = /http:\/\/localhost:\d+\/start\/[0-9a-f]{32}/.exec(await mailed()) ?? [];
    await page.goto(link);
    expect(await heading(page).textContent()).toBe("この端末に証明書を入れます");
    await judge(page);
    expect(await page.locator(".notice:visible").count()).toBe(0);
    await pressByKey(page, "はじめる", BUTTON);

    await page.waitForURL("**/way");
    const supportNumber = (await page.locator(".read-aloud .number").textContent())?.replace(
      " ",
      "",
    );
    await judge(page);
    const downloading = page.waitForEvent("download");
    await service.must("POST", `/v1/enrolments/${made.id}/confirm`, {
      body: { how: "telephone", supportNumber },
    });
    // The page goes on by itself: to the file, and with it to the first step.
    const file = path.join(home, "device.p12");
    const password = await goThrough(page, { downloading, file });
    await judge(page);
    await pressByKey(page, "コピー", BUTTON);
    await page.locator("[aria-live]").filter({ hasText: "コピーしました" }).waitFor();
    nss("pk12util", "-i", file, "-W", password);
    const name = await page.locator("[data-key=name]:visible").first().textContent();
    expect(name).toMatch(/^受付1号機 20\d\d-\d\d$/);

    const proof = await check(page);
    expect(await proof.locator("h1").textContent()).toBe("この端末で証明書が使えます");
    await proof.close();
    await isReadOut(page, "この端末で証明書が使えます");
    await judge(page);
    expect(await service.must("GET", `/v1/enrolments/${made.id}`)).toMatchObject({
      state: "proven",
      identifiedHow: "telephone",
    });

    // As the page says: all windows of the browser closed, and opened again.
    await context.close();
    context = await openBrowser();
    const again = await context.newPage();
    expect((await again.goto(productUrl))?.status()).toBe(200);
    expect(await again.locator("h1").textContent()).toBe("Musubi");
    await again.goto(`${service.instance.urls.app}/way`);
    const done = "終わりました。システムに入れています";
    await isHeaded(again, done);
    await judge(again);
    await isOnHalfAPage(again);
    expect(faults).toEqual([]);
  },
);

/** Whoever waits on this page is known by the number that stands there, and the page goes on by itself. */
async function identify(page: Page, title: string): Promise<void> {
  await page.waitForURL("**/way").catch(async (error: unknown) => {
    throw new Error(await page.locator("main").innerText(), { cause: error });
  });
  const shown = await page.locator(".read-aloud .number").textContent();
  const supportNumber = shown?.replace(" ", "");
  const target = `/v1/enrolments?supportNumber=${supportNumber}&state=started`;
  const { items } = await service.must<{ items: readonly { id: string }[] }>("GET", target);
  await service.must("POST", `/v1/enrolments/${items[0]?.id}/confirm`, {
    body: { how: "telephone", supportNumber },
  });
  await isReadOut(page, title);
}

it(
  "goes on to one more machine by a code that is typed, a name, and the question whose name it is, without a mouse",
  { timeout: 60_000 },
  async () => {
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    await page.setViewportSize(WIDE);
    await page.goto(`${service.instance.urls.app}/way`);
    await pressByKey(page, "もう1台に入れる", BUTTON);
    await isHeaded(page, "もう1台の端末で開いてください");
    await judge(page);
    const code = (await page.locator("main b.number").textContent()) ?? "";
    expect(code).toMatch(/^[A-Z2-9]{4}-[A-Z2-9]{4}$/);

    await page.goto(`${service.instance.urls.app}/start`);
    await judge(page);
    // After its last letter it goes on.
    await page.keyboard.type(code.toLowerCase());
    await identify(page, "この端末の名前を選んでください");
    await judge(page);
    await page.getByLabel("ほかの名前").fill("受付1号機");
    await page.keyboard.press("Enter");
    await isHeaded(page, "この端末に入れ替えますか");
    await judge(page);
    // Left before its first file is there, it would still be made, and take the place of the next invitation.
    const saved = page.waitForEvent("download");
    await pressByKey(page, "別のユーザーやブラウザーにも入れる", BUTTON);
    await isHeaded(page, "ファイルを保存します");
    await saved;

    // The same of an invitation to that very device.
    const { accountId, deviceId } = world;
    const { link } = await service.must<{ link: string }>("POST", "/v1/enrolments", {
      body: { accountId, deviceId },
    });
    await page.goto(link);
    await pressByKey(page, "はじめる", BUTTON);
    await identify(page, "この端末には、もう証明書があります");
    await judge(page);
    await pressByKey(page, "入れ替える", BUTTON);
    await isHeaded(page, "ファイルを保存します");
  },
);

it(
  "renews with the old certificate, and is told by keyboard too that it still shows the old one, until that is refused",
  { timeout: 90_000 },
  async () => {
    const renewUrl = `${service.instance.urls.mtls}/renew`;
    const recorder = await Recorder.on(context);
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    await page.goto(renewUrl);
    expect(await heading(page).textContent()).toBe("この端末の証明書を更新します");
    await judge(page);
    expect(await stopsByKey(page)).toEqual(["English", "更新する"]);
    const downloading = page.waitForEvent("download");
    await pressByKey(page, "更新する", BUTTON);
    const file = path.join(home, "next.p12");
    const password = await goThrough(page, { downloading, file });

    // The file was saved and not opened: the browser shows what it has.
    const old = await check(page);
    expect(recorder.actions).toEqual(["press 更新する", "press 確認する"]);
    expect(recorder.actions.length).toBe(RENEWAL.needs);
    expect(RENEWAL.needs).toBeLessThanOrEqual(RENEWAL.most);
    expect(await old.locator("h1").textContent()).toBe("この端末の、前の証明書が選ばれました");
    await judge(old);
    // Both have one name, so the page says by which number to choose.
    const number = await old.locator(".facts code").textContent();
    await old.close();

    // Proven in another window, for example: this one has the old certificate still.
    const { items } = await service.must<{ items: readonly Certificate[] }>(
      "GET",
      `/v1/devices/${world.deviceId}/certificates`,
    );
    const newest = items[0]?.serialNumber;
    expect(number?.replaceAll(" ", "")).toBe(newest);
    const oldest = items.at(-1)?.serialNumber;
    const checks = `/v1/certificates/${newest}/checks`;
    const { url } = await service.must<{ url: string }>("POST", checks);
    const port = Number(new URL(renewUrl).port);
    const proof = await visitAt(port, url, { client: unpacked(file, password) });
    expect(proof.text).toContain('"outcome":"proven"');
    await isReadOut(page, "この端末で証明書が使えます");
    await page.goto(renewUrl);
    expect(await heading(page).textContent()).toBe("新しい証明書が、もうこの端末にあります");
    await judge(page);
    expect(await page.locator(".guide-picture svg:visible").count()).toBe(2);
    expect(await stopsByKey(page)).toEqual(["English", "ここにも入れる"]);

    // Superseded, and refused: the proxy's page has the drawing too.
    await service.revoke(oldest ?? "", "superseded");
    await page.goto(renewUrl);
    expect(await stopsByKey(page)).toEqual(["English"]);
    const address = `https://localhost:${proxy.port}/`;
    await expect.poll(async () => (await page.goto(address))?.status()).toBe(403);
    expect(await heading(page).textContent()).toBe("この端末の、前の証明書が選ばれました");
    expect(await page.locator("svg.again:visible").count()).toBe(2);
  },
);
