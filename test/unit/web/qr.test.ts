import { decodeQR } from "qr/decode.js";
import { expect, it } from "vitest";

import { qrPicture } from "../../../src/web/qr.ts";

/** Pixels a module. */
const SCALE = 4;

/** What the drawing shows, each run of dark modules filled as its subpath says. */
function rasterised(svg: string) {
  const size = Number(/viewBox="0 0 (\d+) /.exec(svg)?.[1]) * SCALE;
  const pixels = new Uint8Array(size * size * 3).fill(255);
  for (const [, x, y, length] of svg.matchAll(/M(\d+) (\d+)h(\d+)v1H\1z/g))
    for (let down = 0; down < SCALE; down += 1) {
      const from = (Number(y) * SCALE + down) * size + Number(x) * SCALE;
      pixels.fill(0, from * 3, (from + Number(length) * SCALE) * 3);
    }
  return { width: size, height: size, data: pixels };
}

it.each([
  "https://suido.example.jp/start/0123456789abcdef0123456789abcdef",
  "A",
  "受付1号機",
  "x".repeat(300),
])("draws %s so that another decoder reads it", async (text) => {
  const svg = String(await qrPicture(text, "<label>"));
  expect(decodeQR(rasterised(svg))).toBe(text);
  expect(svg).toContain('aria-label="&lt;label&gt;"');
  expect(svg).not.toContain("style=");
});
