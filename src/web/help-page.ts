import { advice, devicePicture, ICON_ADDRESS } from "./advice.ts";
import type { InlineStyle } from "./assets.ts";
import { Html, html } from "./html.ts";
import { DROP, signWithin } from "./layout.ts";
import { HELP_EN, type HelpMessages, type HelpReason } from "./messages/help-en.ts";
import { HELP_JA } from "./messages/help-ja.ts";
import type { SiteFacts } from "./site.ts";

/** All reasons that have a page, in the order of the documentation. */
export const HELP_REASONS: readonly HelpReason[] = [
  "expired",
  "revoked",
  "replaced",
  "none",
  "other",
];

/** The reason that an address names. Whatever else it says is `other`: nobody is left without help. */
export function helpReason(asked: unknown): HelpReason {
  return HELP_REASONS.find((reason) => reason === asked) ?? "other";
}

/** What a help page knows besides its reason. */
export interface HelpFacts {
  readonly style: InlineStyle;
  /** Absent in the files that a proxy gives out, which are the same at all sites. */
  readonly site?: SiteFacts;
  /** Where somebody has a machine stand in for this one by night; absent in the same files. */
  readonly emergencyUrl?: string;
  /** The certificate's serial number, in hexadecimal. */
  readonly serialNumber?: string;
}

/** The signs on the certificate of the picture: a clock, a bar, a question mark; where there is none, its outline. */
const SIGNS: Readonly<Record<HelpReason, Html | undefined>> = {
  expired: html`<circle class="sign warn" cx="98" cy="66" r="17" />
    <path class="hand warn" d="M98 56v11l7 5" />`,
  revoked: html`<circle class="sign bad" cx="98" cy="66" r="17" />
    <path class="hand bad" d="M87 77l22-22" />`,
  replaced: html`<circle class="sign warn" cx="98" cy="66" r="17" />
    <path class="hand warn" d="M98 56v11l7 5" />`,
  none: undefined,
  other: html`<circle class="sign warn" cx="98" cy="66" r="17" />
    <path class="hand warn" d="M93 62a5 5 0 1 1 7 5q-2 1-2 3M98 75v.5" />`,
};

/**
 * All windows closed, and then the new certificate chosen instead of the old one: what the sentences beside it say, for any
 * browser, without a word in it. Pages that know their browser have drawings of its own dialogs.
 */
const CHOOSE_AGAIN = html`<svg class="again" viewBox="0 0 300 100" aria-hidden="true">
  <rect class="body" x="4" y="8" width="116" height="84" rx="7" />
  <path class="rule" d="M18 26h50M6 44h112M18 62h70M18 76h44" />
  <circle class="sign bad" cx="102" cy="26" r="13" />
  <path class="hand bad" d="M97 21l10 10m0-10l-10 10" />
  <path class="rule" d="M135 50h16m-7-7l7 7-7 7" />
  <rect class="body" x="168" y="8" width="128" height="84" rx="7" />
  <rect class="gone" x="184" y="19" width="18" height="22" rx="3" />
  <path class="rule" d="M214 30h40" />
  <rect class="screen" x="175" y="50" width="114" height="36" rx="5" />
  <rect class="sheet" x="184" y="57" width="18" height="22" rx="3" />
  <path class="rule" d="M214 68h32" />
  <path class="hand good" d="M262 67l6 6 11-12" />
</svg>`;

/** The reasons for which the person may be showing the wrong one of two. */
const HAS_NEWER: ReadonlySet<HelpReason> = new Set(["expired", "revoked", "replaced"]);

/** The device and its certificate with the reason's sign. */
const picture = (reason: HelpReason): Html =>
  devicePicture(SIGNS[reason], reason === "none" ? "sheet gone warn" : "sheet");

const adviceIn = (
  { next, call, night, reasons }: HelpMessages,
  { reason, facts, level }: { reason: HelpReason; facts: HelpFacts; level: 1 | 2 },
): Html => {
  const { emergencyUrl, site, serialNumber } = facts;
  const support = site?.support?.[level === 1 ? "ja" : "en"];
  const known = serialNumber === undefined ? {} : { serialNumber };
  const drawn = HAS_NEWER.has(reason) && { picture: CHOOSE_AGAIN };
  const written = advice({ next, call, said: reasons[reason], support, level, ...known, ...drawn });
  if (emergencyUrl === undefined) return written;
  return html`${written}
    <p class="night"><a href="${emergencyUrl}?lang=${level === 1 ? "ja" : "en"}">${night}</a></p>`;
};

/** What fits, with the header fields before it, into the 16 KiB that some proxies send. */
const MOST_OCTETS = 14_848;

/**
 * The page for the person at the browser whom a proxy does not let in: what has happened, the one thing to do, whom to
 * call. In both languages at once and with all that it needs inside, so that any proxy can give it out as a file: where the
 * site's logo would make it too long for that, without.
 */
export function helpPage(reason: HelpReason, facts: HelpFacts): Html {
  const page = packed(reason, facts);
  const { site } = facts;
  if (site?.logo === undefined || Buffer.byteLength(page.text) <= MOST_OCTETS) return page;
  return packed(reason, { ...facts, site: { ...site, logo: undefined } });
}

/** Without what indents its source: every octet counts. */
function packed(reason: HelpReason, facts: HelpFacts): Html {
  return Html.from([whole(reason, facts).text.replaceAll(/\n\s+/g, "\n")], []);
}

function whole(reason: HelpReason, facts: HelpFacts): Html {
  const { site } = facts;
  const [ja, en] = [HELP_JA.reasons[reason], HELP_EN.reasons[reason]];
  const tone = reason === "revoked" ? "bad" : "warn";
  return html`<!doctype html>
    <html lang="ja">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>${ja.title}</title>
        <link rel="icon" href="${ICON_ADDRESS}" />
        ${facts.style.tag}
      </head>
      <body>
        <header class="masthead">
          <div class="wide">
            <p class="brand">
              ${site === undefined ? [DROP, HELP_JA.about] : [signWithin(site), site.name.ja]}
            </p>
            <a href="#en" lang="en" hreflang="en">English</a>
          </div>
        </header>
        <main class="wide">
          <div class="what">
            ${picture(reason)}
            <div>
              <p class="chip ${tone}">${ja.state}</p>
              <h1>${ja.title}</h1>
              <p class="lead">${ja.lead}</p>
            </div>
          </div>
          ${adviceIn(HELP_JA, { reason, facts, level: 1 })}
          <section id="en" lang="en" aria-labelledby="en-title" tabindex="-1">
            <p class="chip ${tone}">${en.state}</p>
            <h2 id="en-title">${en.title}</h2>
            <p class="lead">${en.lead}</p>
            ${adviceIn(HELP_EN, { reason, facts, level: 2 })}
          </section>
        </main>
      </body>
    </html> `;
}
