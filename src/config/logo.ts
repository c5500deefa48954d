import { isUtf8 } from "node:buffer";
import { readFileSync, statSync } from "node:fs";
import { extname } from "node:path";

import type { Logo } from "./site.ts";

/** In octets: pages load it, and the pages of a proxy carry it. */
const MOST_OCTETS = 30 * 1024;

/** PNG (third edition) §5.2. */
const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** A picture and nothing else: no program, nothing from elsewhere, and no spelling that hides either. */
const SVG_RULES: readonly { readonly found: RegExp; readonly fault: string }[] = [
  { found: /<!(?:DOCTYPE|ENTITY)/i, fault: "must not have a document type" },
  { found: /<\?(?!xml\s)/, fault: "must not have processing instructions" },
  { found: /<(?:[\w.-]+:)?script|javascript:/i, fault: "must not have a script" },
  { found: /<(?:[\w.-]+:)?foreignObject/i, fault: "must not have a foreignObject" },
  { found: /[\s"'/]on[a-z]+\s*=/i, fault: "must not have event attributes (onload and the like)" },
  {
    found: /(?:href|src|base)\s*=(?!\s*["']#)|url\((?!\s*["']?#)|@import/i,
    fault: "must not refer to anything outside itself",
  },
  { found: /&#|\\/, fault: "must not spell characters as numbers or with backslashes" },
];

const SVG_START = /^\uFEFF?\s*(?:<\?xml\s[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<svg[\s>]/s;

function svgFault(body: Buffer): string | undefined {
  const text = isUtf8(body) ? body.toString("utf8") : "";
  if (!SVG_START.test(text)) return "must be an SVG in UTF-8";
  return SVG_RULES.find(({ found }) => found.test(text))?.fault;
}

function pngFault(body: Buffer): string | undefined {
  const isPng = body.subarray(0, PNG_SIGNATURE.length).equals(PNG_SIGNATURE);
  return isPng ? undefined : "must be a PNG";
}

const KINDS = {
  ".svg": { type: "image/svg+xml", faultOf: svgFault },
  ".png": { type: "image/png", faultOf: pngFault },
} as const;

const isKind = (ending: string): ending is keyof typeof KINDS => Object.hasOwn(KINDS, ending);

/** The picture in a file. Throws an Error that says what would be right. */
export function readLogo(file: string): Logo {
  const ending = extname(file).toLowerCase();
  if (!isKind(ending)) throw new Error("must be a file that ends with .svg or .png");
  const { type, faultOf } = KINDS[ending];
  const entry = statSync(file, { throwIfNoEntry: false });
  if (entry === undefined || !entry.isFile()) throw new Error(`is not there: ${file}`);
  if (entry.size > MOST_OCTETS) throw new Error(`must have at most ${MOST_OCTETS} octets`);
  const body = readFileSync(file);
  const fault = faultOf(body);
  if (fault !== undefined) throw new Error(fault);
  return { type, body };
}
