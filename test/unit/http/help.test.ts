import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

import { plainSite } from "../../../src/config/site.ts";
import { HELP_REASONS } from "../../../src/web/help-page.ts";
import { appWith } from "./app.ts";

const TITLES = {
  expired: "この端末の証明書は、期限が切れています",
  revoked: "この端末の証明書は、止められています",
  replaced: "この端末の、前の証明書が選ばれました",
  none: "証明書が選ばれていません",
  other: "証明書を確かめられませんでした",
} as const;

async function get(query: string, support?: string): Promise<{ title: string; text: string }> {
  const { app } = await appWith({ site: plainSite(support) });
  const answer = await app.inject({ url: `/help/certificate${query}`, headers: { accept: "*/*" } });
  await app.close();
  expect(answer.statusCode).toBe(200);
  expect(answer.headers["content-type"]).toBe("text/html; charset=utf-8");
  return { title: /<title>(.*?)<\/title>/.exec(answer.body)?.[1] ?? "", text: answer.body };
}

it.for([
  ...HELP_REASONS.map((reason) => ({ query: `?reason=${reason}`, reason })),
  { query: "", reason: "other" },
  { query: "?reason=", reason: "other" },
  { query: "?reason=toString", reason: "other" },
  { query: "?reason=expired&reason=revoked", reason: "other" },
  { query: "?reason[]=expired", reason: "other" },
  { query: `?reason=${"x".repeat(2000)}`, reason: "other" },
] as const)("$query is about $reason, without a key", async ({ query, reason }) => {
  expect((await get(query)).title).toBe(TITLES[reason]);
});

it.for([
  {
    name: "markup",
    query: "?reason=none&serial=%3Cscript%3Ealert(1)%3C/script%3E",
    trace: "alert",
  },
  { name: "words", query: "?serial=call%20555%20evil", trace: "evil" },
  { name: "too long a number", query: `?serial=${"ab".repeat(21)}`, trace: "abab" },
  { name: "two numbers", query: "?serial=beef&serial=cafe", trace: "beef" },
  { name: "an unknown reason", query: "?reason=b0b0b0", trace: "b0b0" },
])("shows nothing of $name in the address", async ({ query, trace }) => {
  expect((await get(query)).text).not.toContain(trace);
});

it("escapes the support's line, and has no script", async () => {
  const { text } = await get("?reason=expired", "<b>Support</b> 03-1234-5678");
  expect(text).toContain("&lt;b&gt;Support&lt;/b&gt;");
  expect(text).toContain('<a href="tel:0312345678">03-1234-5678</a>');
  expect(text).not.toMatch(/<script|\son[a-z]+=|javascript:/i);
});

it("leads in both languages to where a machine is replaced by night; the files of a proxy know of none", async () => {
  for (const lang of ["ja", "en"])
    expect((await get("?reason=none")).text).toContain(`/emergency?lang=${lang}"`);
  expect(readFileSync("deploy/help/none.html", "utf8")).not.toContain("/emergency");
});

it("shows a line without a number as it is", async () => {
  const { text } = await get("?reason=expired", "本部 総務課 内線12");
  expect(text).toContain("本部 総務課 内線12");
  expect(text).not.toContain("tel:");
});

/** HAProxy answers from one buffer: 16,384 octets by default, 1,024 of them kept free for header fields. */
const HAPROXY_BUFFER = 16_384 - 1_024;

it.for(HELP_REASONS)(
  "the file for %s fits into a proxy's buffer with its header fields",
  (reason) => {
    const octets = readFileSync(`deploy/help/${reason}.html`).length;
    expect(octets).toBeLessThan(HAPROXY_BUFFER - 512);
  },
);
