import type { Assets } from "./assets.ts";
import { html, type Html } from "./html.ts";
import type { Catalogue } from "./language.ts";
import type { SiteFacts } from "./site.ts";

/** What every page needs to be drawn. */
export interface PageContext {
  readonly catalogue: Catalogue;
  readonly assets: Assets;
  readonly site: SiteFacts;
  /** The page's own path, for the link to the other language. */
  readonly path: string;
}

/** One page's own part. */
export interface PageContent {
  readonly title: string;
  readonly section?: "home" | "console";
  /** Whose name stands above it: pharmacists know the site, whoever runs the service or calls it knows Suido. */
  readonly under: "site" | "suido";
  readonly body: Html;
}

/** The drop: our sign. It says nothing that the word beside it does not. */
export const DROP = html`<svg viewBox="0 0 24 28" aria-hidden="true">
  <path class="drop" d="M12 1C8 8 3 12 3 18a9 9 0 0 0 18 0C21 12 16 8 12 1Z" />
  <path class="shine" d="M7.5 18.5a4.5 4.5 0 0 0 3.5 4" />
</svg>`;

/** The sign before the site's name, which says the same: its logo at this address, else the drop in its colour. */
export function signAt(address: string | undefined): Html {
  return address === undefined ? DROP : html`<img src="${address}" alt="" />`;
}

/** A page that carries everything within it has little room: some proxies send only what fits into 16 KiB. */
const MOST_WITHIN_OCTETS = 2048;

/** The same for a page that carries everything within it: the logo where it is small. */
export function signWithin({ logo }: Pick<SiteFacts, "logo">): Html {
  if (logo === undefined || logo.body.length > MOST_WITHIN_OCTETS) return DROP;
  return signAt(`data:${logo.type};base64,${Buffer.from(logo.body).toString("base64")}`);
}

/** Sign and name of the site, as the head of a page shows them. */
function siteBrand({ site, assets, catalogue }: PageContext): Html {
  return html`${signAt(assets.logo?.path)}${site.name[catalogue.language]}`;
}

/** A link within the site that keeps the language without a cookie. */
export function pathIn({ catalogue: { language } }: PageContext, path: string): string {
  return `${path}?lang=${language}`;
}

function masthead(context: PageContext, { section, under }: PageContent): Html {
  const { nav, otherLanguage } = context.catalogue.messages;
  const link = (name: "home" | "console", path: string): Html =>
    html`<a href="${pathIn(context, path)}" ${section === name && html`aria-current="page"`}
      >${nav[name]}</a
    >`;
  return html`<header class="masthead">
    <div class="wide">
      <a class="brand" href="${pathIn(context, "/")}"
        >${under === "site" ? siteBrand(context) : [DROP, "Suido"]}</a
      >
      <nav aria-label="${nav.label}">
        ${link("home", "/")}${link("console", "/console")}
        <a
          href="${context.path}?lang=${otherLanguage.lang}"
          lang="${otherLanguage.lang}"
          hreflang="${otherLanguage.lang}"
          >${otherLanguage.name}</a
        >
      </nav>
    </div>
  </header>`;
}

function foot(context: PageContext): Html {
  const { foot: words } = context.catalogue.messages;
  return html`<footer class="foot">
    <nav class="wide" aria-label="${words.label}">
      <p class="soft">${words.line}</p>
      <a class="soft" href="${pathIn(context, "/problems")}">${words.problems}</a>
      <a class="soft" href="/openapi.json">${words.api}</a>
    </nav>
  </footer>`;
}

/** A whole page. */
export function layout(context: PageContext, content: PageContent): Html {
  const { assets, catalogue, site } = context;
  const { title, under, body } = content;
  return html`<!doctype html>
    <html lang="${catalogue.language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} ・ ${under === "site" ? site.name[catalogue.language] : "Suido"}</title>
        <link rel="stylesheet" href="${assets.style.path}" />
        <link rel="icon" href="${assets.icon.path}" type="${assets.icon.type}" />
      </head>
      <body>
        <a class="skip" href="#content">${catalogue.messages.skip}</a>
        ${masthead(context, content)}
        <main id="content" class="wide" tabindex="-1">${body}</main>
        ${foot(context)}
      </body>
    </html> `;
}
