import { readFileSync } from "node:fs";

import {
  chooseNewerPicture,
  closeBrowserPicture,
  type Guide,
  guideOf,
  type GuideKind,
} from "../../src/web/guide/guide.ts";
import { html, Html } from "../../src/web/html.ts";

/** Each way with the browsers whose questions are drawn for it. */
export const GUIDES = [
  ["windows", "chrome"],
  ["windows", "edge"],
  ["windows", "firefox"],
  ["macos-profile", "safari"],
  ["macos-profile", "chrome"],
  ["macos-file", "safari"],
  ["macos-file", "chrome"],
  ["apple-profile", "safari"],
  ["apple-file", "safari"],
  ["android", "chrome"],
  ["firefox", "firefox"],
  ["plain", "other"],
] as const satisfies readonly (readonly [GuideKind, string])[];

export const LANGUAGES = ["ja", "en"] as const;
export const BROWSERS = ["chrome", "edge", "safari", "firefox", "other"] as const;

/** The names that guides are tried with. */
export const NAMES = { fileName: "受付1号機 2027-12.p12", certificateName: "受付1号機 2027-12" };

/** Two certificates of one device. */
export const TWO = { newer: NAMES.certificateName, older: "受付1号機 2026-12" };

const SHEETS = ["tokens.css", "base.css", "pages.css", "guide.css"];

function sheets(): Html {
  const css = SHEETS.map((name) =>
    readFileSync(new URL(`../../src/web/${name}`, import.meta.url), "utf8"),
  );
  return Html.from([`<style>${css.join("")}</style>`], []);
}

const numbered = (dos: readonly string[]): Html =>
  html`<ol class="steps">
    ${dos.map((each) => html`<li>${each}</li>`)}
  </ol>`;

const section = ({ kind, steps }: Guide, browser: string): Html =>
  html`<h2>${kind} ${browser}</h2>
    ${steps.map(
      ({ id, title, intro, picture, dos }) =>
        html`<section class="card" id="${kind}-${browser}-${id}">
          <h3>${title}</h3>
          <p>${intro}</p>
          ${picture}${numbered(dos)}
        </section>`,
    )}`;

/** A page of all guides of a language, as a page of the portal would show them. */
export function guidePage(language: "ja" | "en"): Html {
  return html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Guides</title>
        ${sheets()}
      </head>
      <body>
        <main class="wide">
          <h1>Guides</h1>
          ${GUIDES.map(([kind, browser]) => section(guideOf(kind, { ...NAMES, language, browser }), browser))}
          ${GUIDES.map(([kind, browser]) => {
            const on = { kind, browser };
            const { picture, dos } = chooseNewerPicture(on, language, TWO);
            return html`<section class="card" id="newer-${kind}-${browser}">
              ${picture}${numbered(dos)}
            </section>`;
          })}
          ${BROWSERS.map((browser) => {
            const { picture, dos } = closeBrowserPicture(browser, language);
            return html`<section class="card" id="close-${browser}">
              ${picture}${numbered(dos)}
            </section>`;
          })}
        </main>
      </body>
    </html> `;
}
