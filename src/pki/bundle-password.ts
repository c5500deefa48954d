import type { Random } from "./crypto.ts";

/** 32 characters that nobody mistakes for one another: no 0, O, 1 or I. */
const ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

const CHARACTERS = 20;
const GROUP = 4;

/**
 * The password of a bundle: 20 characters of 5 bits, 100 bits in all, in groups of four. The hyphens between the groups
 * belong to it, so that it is typed as it is seen. 32 divides 256: taking five bits of each octet is unbiased.
 */
export function newBundlePassword(random: Random): string {
  const characters = Array.from(random(CHARACTERS), (octet) => ALPHABET.charAt(octet & 31));
  const groups: string[] = [];
  for (let i = 0; i < CHARACTERS; i += GROUP) groups.push(characters.slice(i, i + GROUP).join(""));
  return groups.join("-");
}
