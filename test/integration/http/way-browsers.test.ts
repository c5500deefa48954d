import { afterAll, beforeAll, expect, it } from "vitest";

import type { Browser } from "../../../src/lifecycle/user-agent.ts";
import { guideOf, type GuideKind } from "../../../src/web/guide/guide.ts";
import { WAY_JA } from "../../../src/web/messages/way-ja.ts";
import { USER_AGENTS } from "../../support/user-agents.ts";
import { Visitor } from "./visitor.ts";
import { type HttpWorld, openHttpWorld, type Tenant } from "./world.ts";

/** One device, which is registered as another platform each time. */
let world: HttpWorld;
let tenant: Tenant;

beforeAll(async () => {
  world = await openHttpWorld();
  tenant = await world.tenant("みずき薬局");
});
afterAll(() => world.close());

async function invited(platform: string): Promise<{ readonly id: string; readonly token: string }> {
  const { accountId, deviceId } = tenant;
  await world.call("PATCH", `/v1/devices/${deviceId}`, { body: { platform } });
  const { body } = await world.call("POST", "/v1/enrolments", { body: { accountId, deviceId } });
  const { id, link } = body as unknown as { readonly id: string; readonly link: string };
  return { id, token: link.split("/").at(-1) ?? "" };
}

/** Before the page that installs. */
async function identified(platform: string, agent?: string): Promise<Visitor> {
  const { id, token } = await invited(platform);
  const visitor = new Visitor(world.app, agent);
  await visitor.press({ token });
  await world.call("POST", `/v1/enrolments/${id}/confirm`, {
    key: world.keys.support,
    body: { how: "telephone" },
  });
  return visitor;
}

const titles = (html: string): readonly (string | undefined)[] =>
  [...html.matchAll(/<h[12][^>]*>([^<]+)<|role="note"\s*>\s*<p><b>([^<]+)</g)].map(
    ([, heading, notice]) => heading ?? notice,
  );

/** What of a browser is in the way, as the page says it above everything. */
function noticeOf({ inApp, needsSafari, isUnsupported }: Partial<Browser>): readonly string[] {
  const { warnings } = WAY_JA;
  if (inApp !== undefined) return [warnings.inApp.title];
  if (needsSafari === true) return [warnings.needsSafari.title];
  return isUnsupported === true ? [warnings.unsupported.title] : [];
}

it("shows each of forty browsers and more its own steps, and what is in their way", async () => {
  const visitor = await identified("other");
  const { cookie } = visitor;
  const seen = [];
  for (const { name, signs } of USER_AGENTS) {
    const { secChUaPlatform, secChUaPlatformVersion, touchPoints, userAgent = "" } = signs;
    const headers = {
      "user-agent": userAgent,
      ...(secChUaPlatform !== undefined && { "sec-ch-ua-platform": secChUaPlatform }),
      ...(secChUaPlatformVersion !== undefined && {
        "sec-ch-ua-platform-version": secChUaPlatformVersion,
      }),
      cookie: `${cookie}; suido-touch=${touchPoints ?? ""}`,
    };
    const { body } = await visitor.go("GET", "/way", { headers });
    seen.push([name, ...titles(body)]);
  }
  const facts = { language: "ja", fileName: "この端末の証明書.p12" } as const;
  const { pages, profile } = WAY_JA;
  const wanted = USER_AGENTS.map(({ name, guide, expected }) => {
    const first = guide?.endsWith("-profile") === true ? profile : pages.make;
    const { steps } = guideOf(guide as GuideKind, {
      ...facts,
      browser: expected.browser as "chrome",
    });
    return [
      name,
      ...noticeOf(expected as Partial<Browser>),
      first.title,
      ...steps.map(({ title }) => title),
    ];
  });
  expect(seen).toEqual(wanted);
  // Each guide has steps of its own, so that none passes for another.
  const kinds = [...new Set(USER_AGENTS.map(({ guide }) => guide as GuideKind))];
  const steps = kinds.map((kind) =>
    guideOf(kind, { ...facts, browser: "chrome" }).steps.map(({ title }) => title),
  );
  expect([kinds.length, new Set(steps.map(String)).size]).toEqual([6, 6]);
});

it.each([
  [
    "an iPhone",
    "ios",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
    "/way/profile",
  ],
  [
    "an iPad that calls itself a Mac",
    "ipados",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
    "/way/profile",
  ],
  [
    "a Mac",
    "macos",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
    "/way/profile",
  ],
])("offers %s what it takes best", async (...[, platform, agent, action]) => {
  const visitor = await identified(platform, agent);
  const page = (await visitor.go("GET", "/way")).body;
  expect(/<form[^>]*action="(\/way\/[^"]+)"/.exec(page)?.[1]).toBe(action);
  const file = (await visitor.go("GET", "/way?with=file")).body;
  expect(file).toContain('action="/way/certificates"');
  expect(file).toContain('<a href="/way">');
});

it("asks whoever opens the link with a telephone whether it is the PC", async () => {
  const agent =
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36";
  const { token } = await invited("windows");
  const page = await new Visitor(world.app, agent).go("GET", `/start/${token}`);
  expect(page.body).toContain("いまお使いなのは「受付1号機」ですか");
});

it("gives whoever looks after the equipment a sheet, in the language that was chosen", async () => {
  const visitor = new Visitor(world.app);
  const ja = await visitor.go("GET", "/equipment");
  expect([ja.statusCode, ja.headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
  expect(ja.body).toContain("機器担当の方へ");
  expect(ja.body).toContain("<code>*.check.localhost</code>");
  await visitor.go("GET", "/start?lang=en");
  expect((await visitor.go("GET", "/equipment")).body).toContain("Connections to allow");
});
