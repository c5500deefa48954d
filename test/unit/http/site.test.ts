import { createHash } from "node:crypto";

import type { LightMyRequestResponse as Response } from "fastify";
import { expect, it } from "vitest";

import { loadSite } from "../../../src/config/site-file.ts";
import { HELP_REASONS } from "../../../src/web/help-page.ts";
import { appWith } from "./app.ts";

const SITE = loadSite({ file: "deploy/site.example.yaml" });
const OPTIONS = {
  site: SITE,
  readiness: async () => ({ ready: true, roles: {} }),
  authorities: async () => [],
};
const ACCENT = /--water: ?light-dark\(#7a3b86, ?#d9a3e6\)/;

async function get(...urls: readonly string[]): Promise<readonly Response[]> {
  const { app } = await appWith(OPTIONS);
  const answers: Response[] = [];
  for (const url of urls) {
    answers.push(await app.inject({ method: "GET", url, headers: { accept: "text/html" } }));
  }
  await app.close();
  return answers;
}

/** What stands at the head of a page: its picture's address and its words. */
function brandOf(body: string): { readonly logo: string | undefined; readonly name: string } {
  const brand = /class="brand"[^>]*>(.*?)<\/(?:a|p)\s*>/s.exec(body)?.[1] ?? "";
  return {
    logo: /<img src="([^"]+)"/.exec(brand)?.[1],
    name: brand.replaceAll(/<[^>]*>/g, "").trim(),
  };
}

it.for([
  ["/?lang=ja", "みずきシステム"],
  ["/?lang=en", "Mizuki System"],
  ["/none?lang=ja", "みずきシステム"],
] as const)("%s stands under the site's name, logo and colour: %s", async ([url, name]) => {
  const [page] = await get(url);
  const body = page?.body ?? "";
  const { logo = "", name: shown } = brandOf(body);
  expect(shown).toBe(name);
  expect(/<title>(.*)<\/title>/.exec(body)?.[1]).toMatch(new RegExp(` ・ ${name}$`));
  const [picture, style] = await get(
    logo,
    /<link rel="stylesheet" href="([^"]+)"/.exec(body)?.[1] ?? "",
  );
  expect([picture?.statusCode, picture?.headers["content-type"]]).toEqual([200, "image/svg+xml"]);
  expect(picture?.headers["content-security-policy"]).toContain("default-src 'none'");
  expect(style?.body).toMatch(ACCENT);
});

it("the console stays Suido's", async () => {
  const [page] = await get("/console?lang=ja");
  expect(brandOf(page?.body ?? "")).toEqual({ logo: undefined, name: "Suido" });
});

it("the help page carries name, logo and colour, and its policy allows that very style", async () => {
  const [page] = await get("/help/certificate?reason=none");
  const body = page?.body ?? "";
  const { logo, name } = brandOf(body);
  expect(name).toBe("みずきシステム");
  expect(logo).toMatch(/^data:image\/svg\+xml;base64,/);
  expect(body).toContain("0120-000-000</a>(平日・土曜 9時〜19時)");
  expect(body).toContain("0120-000-000</a> (Monday to Saturday, 9:00–19:00)");
  const css = /<style>(.*?)<\/style>/s.exec(body)?.[1] ?? "";
  expect(css).toMatch(ACCENT);
  const hash = createHash("sha256").update(css).digest("base64");
  expect(page?.headers["content-security-policy"]).toContain(`style-src 'sha256-${hash}'`);
});

/** HAProxy answers from one buffer: 16,384 octets by default, 1,024 of them kept free for header fields. */
const HAPROXY_BUFFER = 16_384 - 1_024;

async function pageWith(octets: number, reason = "none"): Promise<string> {
  const logo = { type: "image/png", body: Buffer.alloc(octets) } as const;
  const { app } = await appWith({ ...OPTIONS, site: { ...SITE, logo } });
  const serial = "a".repeat(40);
  const { body } = await app.inject(`/help/certificate?reason=${reason}&serial=${serial}`);
  await app.close();
  return body;
}

it.for(HELP_REASONS)(
  "the help page for %s fits into a proxy's buffer, where need be without the logo",
  async (reason) => {
    for (const octets of [512, 1024, 2048])
      expect(Buffer.byteLength(await pageWith(octets, reason))).toBeLessThan(HAPROXY_BUFFER - 512);
  },
);

it("the help page carries a small logo, and leaves out a larger one", async () => {
  expect(await pageWith(2048)).toContain("data:image/png");
  expect(await pageWith(2049)).not.toContain("data:image/png");
});
