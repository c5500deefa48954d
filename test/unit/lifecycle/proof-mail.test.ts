import { expect, it } from "vitest";

import { loadSite } from "../../../src/config/site-file.ts";
import { plainSite } from "../../../src/config/site.ts";
import { writeProofMail } from "../../../src/lifecycle/proof-mail.ts";

const FACTS = {
  pharmacy: "あおぞら薬局",
  device: "受付1号機",
  notAfter: "2027-12-21T14:59:59Z",
  provenAt: "2026-11-21T03:00:00Z",
  serialNumber: "41c39e07b25d4f6a8c10e7725f3d8d12",
  name: "薬師 花子",
  reason: "first",
  requestedBy: "本部 システム課",
  supportNumber: "482915",
} as const;
/** As they are read to support. */
const SPOKEN = ["482 915", "41c3 9e07 b25d 4f6a 8c10 e772 5f3d 8d12"];
const site = plainSite("0120-000-000");
const mail = (language: "ja" | "en", facts: object = {}, own = site) =>
  writeProofMail(
    { facts: { ...FACTS, ...facts }, language },
    { timeZone: "Asia/Tokyo", site: own },
  );

it.for([
  ["ja", "2026年11月21日(土) 12:00", "2027年12月21日(火) 23:59"],
  ["en", "Saturday, 21 November 2026, 12:00", "Tuesday, 21 December 2027, 23:59"],
] as const)(
  "names device, pharmacy, both times, who asked, both numbers and whom to call, in %s",
  ([language, at, until]) => {
    const { subject, text, html } = mail(language);
    expect(subject).toContain("受付1号機");
    for (const each of [FACTS.pharmacy, FACTS.device, FACTS.name, at, until, "0120-000-000"])
      expect(text).toContain(each);
    for (const each of [FACTS.requestedBy, ...SPOKEN]) {
      expect(text).toContain(each);
      expect(html).toContain(each);
    }
  },
);

it.for(["ja", "en"] as const)("has nothing in it that can be pressed, in %s", (language) => {
  const { text, html } = mail(language, {}, loadSite({ file: "deploy/site.example.yaml" }));
  expect(text + html).not.toMatch(/https?:|<a |href|<img|mailto/);
});

it("says where a device has renewed itself, and names nobody at a shared address", () => {
  const byDevice = { reason: "renewal", requestedBy: undefined, isByDevice: true, name: undefined };
  const { text } = mail("ja", byDevice);
  expect(text).toContain("端末の更新ボタン");
  expect(text).toContain("あおぞら薬局 ご担当の方へ");
  expect(text).not.toBe(mail("ja", { ...byDevice, reason: "first" }).text);
});

it("names the operators where nobody else has asked", () => {
  const { text } = mail("ja", { requestedBy: undefined, supportNumber: undefined });
  expect(text).toContain("依頼した人: お使いのシステムの運用担当");
  expect(text).not.toContain("お問い合わせ番号");
});
