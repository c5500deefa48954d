import { execFileSync } from "node:child_process";
import { createPrivateKey, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import {
  type Browser,
  type BrowserContext,
  chromium,
  type Locator,
  type Page,
} from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { KeyFormSite } from "../support/key-form-site.ts";
import { holds, sentOctets } from "../support/leaks.ts";
import { mustRun } from "../support/openssl-ca.ts";
import { Service } from "../support/service.ts";

const EXECUTABLE = "/usr/bin/chromium";

const home = mkdtempSync(path.join(tmpdir(), "suido-key-form-"));
let service: Service;
let site: KeyFormSite;

beforeAll(async () => {
  service = await Service.open();
});
afterAll(async () => {
  await service.dispose();
  rmSync(home, { recursive: true, force: true });
});

/** What went wrong in a page, as it says itself: a violated content security policy is among it. */
function faultsOf(page: Page): string[] {
  const faults: string[] = [];
  page.on("console", (message) => faults.push(message.text()));
  page.on("pageerror", (error) => faults.push(error.message));
  return faults;
}

const part = (page: Page, name: string) => page.locator(`[data-key-part=${name}]`);

/** Presses what makes the page save a file by itself, and keeps it under this name in the home folder. */
async function save(
  page: Page,
  name: string,
  button: Locator,
): Promise<{ file: string; password: string }> {
  const [download] = await Promise.all([page.waitForEvent("download"), button.click()]);
  await part(page, "saving").waitFor({ state: "visible" });
  expect(download.suggestedFilename()).toBe("受付1号機.p12");
  const file = path.join(home, name);
  await download.saveAs(file);
  return { file, password: (await page.locator("[data-key=password]").textContent()) ?? "" };
}

interface Opened {
  /** The private number and both coordinates of the point, 32 octets each. */
  readonly d: Buffer;
  readonly x: Buffer;
  readonly pem: string;
  readonly certificate: string;
  readonly algorithms: string;
}

function open(bundle: { readonly file: string; readonly password: string }): Opened {
  const { file, password } = bundle;
  const read = (...args: readonly string[]): string =>
    mustRun("openssl", ["pkcs12", "-in", file, "-passin", `pass:${password}`, ...args]);
  const pem = read("-nocerts", "-nodes");
  const { d = "", x = "" } = createPrivateKey(pem).export({ format: "jwk" });
  return {
    d: Buffer.from(d, "base64url"),
    x: Buffer.from(x, "base64url"),
    pem,
    certificate: read("-clcerts", "-nokeys").replace(/^[\s\S]*?(?=-----BEGIN)/, ""),
    algorithms: read("-info", "-noout"),
  };
}

/** A new NSS store that takes this file: the names in it that have a key. */
function importIntoNss(bundle: { readonly file: string; readonly password: string }): string {
  const store = mkdtempSync(path.join(home, "nss-"));
  const nss = (tool: string, ...args: readonly string[]): string =>
    execFileSync(tool, [...args, "-d", `sql:${store}`], { encoding: "utf8" });
  nss("certutil", "-N", "--empty-password");
  nss("pk12util", "-i", bundle.file, "-W", bundle.password);
  return nss("certutil", "-L");
}

const lines = (text: string): string => text.replaceAll(/.{5}/g, "$&\r\n");

describe("the search for what leaked", () => {
  const secret = randomBytes(32);
  it.for([
    { name: "raw", text: `x${secret.toString("latin1")}y` },
    { name: "hex", text: `x${secret.toString("hex")}y` },
    { name: "capital hex", text: secret.toString("hex").toUpperCase() },
    { name: "percent encoding", text: secret.toString("hex").replaceAll(/../g, "%$&") },
    { name: "base64url", text: secret.toString("base64url") },
    ...[0, 1, 2, 3].map((before) => ({
      name: `lines of Base64, ${before} octets from its start`,
      text: encodeURIComponent(
        lines(Buffer.concat([Buffer.alloc(before, 7), secret, secret]).toString("base64")),
      ),
    })),
  ])("finds it as $name", ({ text }) => {
    expect(holds(["", text], secret)).toBe(true);
    expect(holds(["", text], randomBytes(32))).toBe(false);
  });
});

describe("a person makes a certificate in Chromium", () => {
  const profile = path.join(home, "profile");
  const netLog = path.join(home, "net-log.json");
  let context: BrowserContext;

  beforeAll(async () => {
    site = await KeyFormSite.open(service);
    mkdirSync(profile);
    context = await chromium.launchPersistentContext(profile, {
      executablePath: EXECUTABLE,
      args: ["--no-sandbox", `--log-net-log=${netLog}`, "--net-log-capture-mode=Everything"],
      env: { ...process.env, HOME: home },
      locale: "ja-JP",
      permissions: ["clipboard-read", "clipboard-write"],
    });
  });
  afterAll(async () => {
    await context.close();
    await site.close();
  });

  it("in both forms of file, with one request, and the key leaves the tab in the files only", async () => {
    const page = await context.newPage();
    const faults = faultsOf(page);
    const requests: string[] = [];
    context.on("request", (request) => requests.push(`${request.method()} ${request.url()}`));
    const script = page.waitForResponse("**/assets/way.*.js");
    const reply = await page.goto(site.url);
    expect(await (await script).allHeaders()).toMatchObject({
      "content-type": "text/javascript; charset=utf-8",
      "cache-control": "public, max-age=31536000, immutable",
    });
    expect(reply?.headers()["content-security-policy"]).toBe(
      "default-src 'none';style-src 'self';img-src 'self';form-action 'self';base-uri 'none';frame-ancestors 'none';script-src 'self';connect-src 'self'",
    );

    const make = page.getByRole("button", { name: "作る", exact: true });
    const modern = await save(page, "modern.p12", make);
    // One press: the file is saved, and its password lies where it can be pasted from.
    const copied = page.locator("[data-key=copied]");
    const clipboard = (): Promise<string> => page.evaluate("navigator.clipboard.readText()");
    await copied.waitFor({ state: "visible" });
    expect(await clipboard()).toBe(modern.password);
    // Where nothing was saved, or something else was copied meanwhile, there are buttons.
    await page.evaluate("navigator.clipboard.writeText('another text')");
    await page.locator("[data-key=copy]").click();
    await expect.poll(clipboard).toBe(modern.password);
    const again = await save(page, "again.p12", page.locator("[data-key=save]"));
    expect(readFileSync(again.file).equals(readFileSync(modern.file))).toBe(true);

    const compatible = await save(page, "compatible.p12", page.locator("[data-key=other-style]"));
    expect(compatible.password).not.toBe(modern.password);
    await expect.poll(clipboard).toBe(compatible.password);

    // The same key and certificate in both, under different passwords.
    const [first, second] = [open(modern), open(compatible)];
    expect(first.algorithms).toContain("PBES2, PBKDF2, AES-256-CBC, Iteration 100000");
    expect(second.algorithms).toContain("pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 10000");
    expect(second.d.equals(first.d)).toBe(true);
    expect(first.certificate.trim()).toBe(site.issued?.certificate.trim());
    expect(second.certificate).toBe(first.certificate);
    for (const bundle of [modern, compatible])
      expect(importIntoNss(bundle)).toMatch(/受付1号機 20\d\d-\d\d\s+u,u,u/);

    // What the server was sent: the form's own field and the request, once.
    expect(site.posts.map((fields) => [...fields.keys()].toSorted())).toEqual([["csr", "token"]]);
    const others = requests.filter((each) => !each.startsWith(`GET ${site.url}assets/`));
    expect(others).toEqual([`GET ${site.url}`, `POST ${site.url}issue`]);
    expect(faults).toEqual([]);

    // What the tab keeps: nothing that outlives it.
    const kept = await page.evaluate<number[]>(
      "indexedDB.databases().then((all) => [all.length, localStorage.length, sessionStorage.length, document.cookie.length])",
    );
    expect(kept).toEqual([0, 0, 0, 0]);
    const control = randomBytes(32);
    await page.evaluate(`localStorage.setItem("control", "${control.toString("base64")}")`);
    await context.close();

    // What the whole browser sent through any socket. That the public key is found shows that the search works.
    const sent = sentOctets(netLog);
    expect(holds(sent, first.x)).toBe(true);
    const secrets = {
      "the private number": first.d,
      "the first password": Buffer.from(modern.password),
      "the second password": Buffer.from(compatible.password),
    };
    const leaked = Object.entries(secrets).filter(([, secret]) => holds(sent, secret));
    expect(leaked.map(([name]) => name)).toEqual([]);

    // What it wrote into its own folder, where something that a page kept is found.
    const files = await readdir(profile, { recursive: true, withFileTypes: true });
    const written = files
      .filter((each) => each.isFile())
      .map((each) => readFileSync(path.join(each.parentPath, each.name), "latin1"));
    expect(holds(written, control)).toBe(true);
    expect(holds(written, first.d)).toBe(false);
  });
});

describe("what may go wrong in between", () => {
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    site = await KeyFormSite.open(service);
    browser = await chromium.launch({ executablePath: EXECUTABLE, args: ["--no-sandbox"] });
  });
  afterEach(async () => {
    await page.close();
    site.posts.length = 0;
    site.refuse = undefined;
  });
  afterAll(async () => {
    await browser.close();
    await site.close();
  });

  const press = (): Promise<void> => page.locator("form button").click();

  it("nobody answers: the page says so, and the next press sends the same request", async () => {
    page = await browser.newPage();
    await page.goto(site.url);
    const tried: (string | null)[] = [];
    await page.route("**/issue", async (route) => {
      tried.push(route.request().postData());
      await (tried.length === 1 ? route.abort() : route.continue());
    });
    await press();
    await part(page, "unreached").waitFor({ state: "visible" });
    expect(await part(page, "working").isVisible()).toBe(false);
    expect(await page.evaluate("document.activeElement.dataset.keyPart")).toBe("unreached");
    await press();
    await part(page, "saving").waitFor({ state: "visible" });
    expect(tried).toHaveLength(2);
    expect(tried[1]).toBe(tried[0]);
  });

  it("nobody has pressed anything just now: the clipboard is not touched, for which Chrome would ask", async () => {
    page = await browser.newPage();
    // The browser's debugger, which drives this test, passes for a press.
    await page.addInitScript(`
      Object.defineProperty(navigator, "userActivation", { value: { isActive: false } });
      globalThis.asked = 0;
      navigator.clipboard.writeText = async () => { asked += 1; };`);
    await page.goto(site.url);
    await press();
    await part(page, "saving").waitFor({ state: "visible" });
    expect(await page.evaluate("asked")).toBe(0);
    await page.locator("[data-key=copy]").click();
    await page.locator("[data-key=copied]").waitFor({ state: "visible" });
    expect(await page.evaluate("asked")).toBe(1);
  });

  it("the browser lets the page neither save nor copy: all is done but that, and the buttons are there", async () => {
    const context = await browser.newContext({ acceptDownloads: false });
    page = await context.newPage();
    await page.addInitScript(
      "navigator.clipboard.writeText = () => Promise.reject(new DOMException('', 'NotAllowedError'));",
    );
    const faults = faultsOf(page);
    await page.goto(site.url);
    const denied = page.waitForEvent("download");
    await press();
    expect(await (await denied).failure()).not.toBeNull();
    await part(page, "saving").waitFor({ state: "visible" });
    expect(await page.locator("[data-key=copied]").isVisible()).toBe(false);
    for (const key of ["save", "copy"])
      expect(await page.locator(`[data-key=${key}]`).isEnabled()).toBe(true);
    const second = page.waitForEvent("download");
    await page.locator("[data-key=save]").click();
    await second;
    expect(faults).toEqual([]);
    await context.close();
  });

  it("the server refuses: the page says so", async () => {
    page = await browser.newPage();
    await page.goto(site.url);
    site.refuse = 409;
    await press();
    await part(page, "refused").waitFor({ state: "visible" });
    expect(await page.locator("[data-key=password]").textContent()).toBe("");
  });

  it("the person sees that the page works before the tab is busy with keys", async () => {
    page = await browser.newPage();
    await page.goto(site.url);
    await press();
    await part(page, "saving").waitFor({ state: "visible" });
    await page.evaluate(`
      globalThis.frames = [];
      const look = () => {
        frames.push(document.querySelector("[data-key-part]:not([hidden])").dataset.keyPart);
        requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    `);
    await page.locator("[data-key=other-style]").click();
    await expect
      .poll(() => page.evaluate<string[]>("frames.filter((each, i) => each !== frames[i - 1])"), {
        timeout: 10_000,
      })
      .toEqual(["saving", "working", "saving"]);
  });

  it("two presses make one request", async () => {
    page = await browser.newPage();
    await page.goto(site.url);
    await page.locator("form button").dblclick();
    await part(page, "saving").waitFor({ state: "visible" });
    expect(site.posts).toHaveLength(1);
  });

  it.for([
    { name: "runs no script", script: "", javaScriptEnabled: false },
    {
      name: "has no WebCrypto",
      script: "Object.defineProperty(globalThis, 'isSecureContext', { value: false });",
      javaScriptEnabled: true,
    },
    { name: "is too old", script: "delete Array.prototype.at;", javaScriptEnabled: true },
  ])("a browser that $name asks the server for the key", async ({ javaScriptEnabled, script }) => {
    page = await browser.newPage({ javaScriptEnabled });
    await page.addInitScript(script);
    await page.goto(site.url);
    await press();
    await page.waitForURL("**/issue");
    expect(await page.locator("body").textContent()).toBe("server-made");
    expect(site.posts.map(String)).toEqual(["token=t-1"]);
  });
});
