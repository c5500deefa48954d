import { expect, it } from "vitest";

import { qrPicture } from "../../../src/web/qr.ts";
import { readQr } from "../../support/qr-reader.ts";

it.each([
  "https://suido.example.jp/start/0123456789abcdef0123456789abcdef",
  "A",
  "受付1号機",
  "x".repeat(300),
])("draws %s so that another decoder reads it", async (text) => {
  const svg = String(await qrPicture(text, "<label>"));
  expect(readQr(svg)).toBe(text);
  expect(svg).toContain('aria-label="&lt;label&gt;"');
  expect(svg).not.toContain("style=");
});
