import { decodeQR } from "qr/decode.js";

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

/** What another library's decoder reads from a QR code that we have drawn. */
export function readQr(svg: string): string {
  return decodeQR(rasterised(svg));
}
