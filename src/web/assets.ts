import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import { browserScript } from "./browser-script.ts";
import { html, Html } from "./html.ts";
import { accentSheet, type SiteFacts } from "./site.ts";

/** A file that pages refer to. Its address holds its hash, so that it may be kept for ever. */
export interface Asset {
  readonly path: string;
  readonly type: string;
  readonly body: Buffer;
}

/** What pages refer to. */
export interface Assets {
  readonly style: Asset;
  readonly icon: Asset;
  /** The style of the pages for pharmacists. */
  readonly portal: Asset;
  /** What the pages of the way do by themselves (`browser/way.ts`), making a key among it. */
  readonly way: Asset;
  /** What asks for a passkey (`browser/passkeys.ts`). */
  readonly passkeys: Asset;
  /** The site's own, if it has one. */
  readonly logo: Asset | undefined;
}

/** The drop, as browsers show it beside a title. Its colours are fixed: an icon does not know our tokens. */
export const ICON = html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 28">
  <path d="M12 1C8 8 3 12 3 18a9 9 0 0 0 18 0C21 12 16 8 12 1Z" fill="#0b6a82" />
  <path
    d="M7.5 18.5a4.5 4.5 0 0 0 3.5 4"
    stroke="#fff"
    stroke-width="2"
    fill="none"
    stroke-linecap="round"
  />
</svg>`;

/** Enough of SHA-256 to tell versions apart. */
const HASH_CHARACTERS = 16;

function asset(name: string, type: string, body: Buffer): Asset {
  const hash = createHash("sha256").update(body).digest("hex").slice(0, HASH_CHARACTERS);
  const [stem, ending] = name.split(".");
  return { path: `/assets/${stem}.${hash}.${ending}`, type, body };
}

/** Where a page's colours may come from. */
type Coloured = Pick<SiteFacts, "colours">;

function readSheets(site: Coloured | undefined, ...names: readonly string[]): Buffer {
  const sheets = names.map((name) => readFileSync(new URL(name, import.meta.url)));
  return Buffer.concat([...sheets, Buffer.from(site === undefined ? "" : accentSheet(site))]);
}

const ENDINGS = { "image/svg+xml": "svg", "image/png": "png" } as const;

function script(name: string): Asset {
  const body = browserScript(`src/web/browser/${name}.ts`);
  return asset(`${name}.js`, "text/javascript; charset=utf-8", body);
}

/** Reads the styles that lie beside this file, and bundles the scripts if need be. Called once, at the start. */
export function loadAssets(site: SiteFacts): Assets {
  const { logo } = site;
  return {
    style: asset(
      "suido.css",
      "text/css; charset=utf-8",
      readSheets(site, "tokens.css", "base.css", "parts.css", "pages.css"),
    ),
    icon: asset("suido.svg", "image/svg+xml", Buffer.from(String(ICON))),
    portal: asset(
      "portal.css",
      "text/css; charset=utf-8",
      readSheets(site, "tokens.css", "base.css", "parts.css", "portal.css", "guide.css"),
    ),
    logo: logo && asset(`logo.${ENDINGS[logo.type]}`, logo.type, Buffer.from(logo.body)),
    way: script("way"),
    passkeys: script("passkeys"),
  };
}

/** The style of a page that carries it with it. */
export interface InlineStyle {
  readonly tag: Html;
  /** As a content security policy allows it: `'sha256-…'` (CSP3 §8.4). */
  readonly source: string;
}

/** Sheets without their comments and blanks, as a page carries them. */
function inlineStyle(site: Coloured | undefined, ...names: readonly string[]): InlineStyle {
  const css = readSheets(site, ...names)
    .toString()
    .replaceAll(/\/\*.*?\*\//gs, "")
    .replaceAll(/\s+/g, " ")
    .replaceAll(/ ?([{};,]) ?/g, "$1")
    .trim();
  const hash = createHash("sha256").update(css).digest("base64");
  return { tag: Html.from([`<style>${css}</style>`], []), source: `'sha256-${hash}'` };
}

/** The style of the help pages, in the site's colours where it is given: short, because HAProxy sends only what fits into one buffer. */
export function loadHelpStyle(site?: Coloured): InlineStyle {
  return inlineStyle(site, "tokens.css", "base.css", "help.css");
}

/** The style of cards that are printed. */
export function loadSheetStyle(site: Coloured): InlineStyle {
  return inlineStyle(site, "tokens.css", "sheet.css");
}

/** The style of the pages of a check, at whose host there is nothing else. */
export function loadCheckStyle(site: Coloured): InlineStyle {
  return inlineStyle(
    site,
    "tokens.css",
    "base.css",
    "parts.css",
    "help.css",
    "check.css",
    "guide.css",
  );
}
