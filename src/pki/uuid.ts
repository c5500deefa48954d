import { toHex } from "./bytes.ts";
import type { Clock } from "./clock.ts";
import type { Random } from "./crypto.ts";

/** Makes a fresh identifier. */
export type NewId = () => string;

/** Identifiers as UUID version 7 (RFC 9562 §5.7): they sort by the millisecond of their birth, so that indexes stay dense. */
export function uuidV7(clock: Clock, random: Random): NewId {
  return () => {
    const bytes = random(16);
    let ms = clock().getTime();
    for (let i = 5; i >= 0; i--) {
      bytes[i] = ms % 256;
      ms = Math.floor(ms / 256);
    }
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
    return toHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };
}
