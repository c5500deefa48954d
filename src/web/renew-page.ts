import { advice, contact, devicePicture, FACE, inFours } from "./advice.ts";
import type { InlineStyle } from "./assets.ts";
import { type DateStyle, day, dayAndTime } from "./dates.ts";
import { html, type Html } from "./html.ts";
import { closeAndChoose, type ReadOn } from "./choose-newer.ts";
import { RENEW_WORDS, type RenewRefusal } from "./messages/renew-words.ts";
import type { SiteFacts } from "./site.ts";
import { standalonePage } from "./standalone-page.ts";

const signOf = (tone: string, d: string): Html =>
  html`<circle class="sign ${tone}" cx="98" cy="66" r="17" />
    <path class="hand ${tone}" d="${d}" />`;

const CLOCK = "M98 56v11l7 5";
const ROUND = "M106 62a9 9 0 1 0 1 6m-1-13v7h-7";

/** What a device reads there whose certificate is an emergency's: there is nothing to press. */
export function emergencyRenewPage(
  facts: { readonly deviceName: string; readonly pharmacyName: string; readonly notAfter: Date },
  context: DateStyle & { readonly style: InlineStyle; readonly site: SiteFacts },
): Html {
  const { language, site } = context;
  const { emergency, ...words } = RENEW_WORDS[language];
  const body = html`<div class="what">
      ${devicePicture(signOf("warn", CLOCK))}
      <div>
        <h1>${emergency.title}</h1>
        <p class="lead">${emergency.lead}</p>
        <dl class="facts">
          <dt>${words.device}</dt>
          <dd>${facts.pharmacyName} ${facts.deviceName}</dd>
          <dt>${emergency.until}</dt>
          <dd>${dayAndTime(facts.notAfter, context)}</dd>
        </dl>
      </div>
    </div>
    <div class="aside">
      ${FACE}
      <p class="contact">
        ${words.call}: ${contact(site.support?.[language] ?? words.supportUnnamed)}
      </p>
    </div>`;
  const { otherLanguage } = words;
  return standalonePage({ title: emergency.title, path: "/renew", otherLanguage, body }, context);
}

/** The page at which a device shows its certificate to get the next. It stands alone, as all pages of this host do. */
export function renewPage(
  facts: {
    readonly deviceName: string;
    readonly pharmacyName: string;
    readonly notAfter: Date;
    /** Where its form leads. */
    readonly action: string;
  },
  context: DateStyle & { readonly style: InlineStyle; readonly site: SiteFacts },
): Html {
  const { language, site } = context;
  const words = RENEW_WORDS[language];
  const { otherLanguage } = words;
  const body = html`<div class="what">
      ${devicePicture(signOf("good", ROUND))}
      <div>
        <h1>${words.title}</h1>
        <p class="lead">${words.lead}</p>
        <dl class="facts">
          <dt>${words.device}</dt>
          <dd>${facts.pharmacyName} ${facts.deviceName}</dd>
          <dt>${words.until}</dt>
          <dd>${day(facts.notAfter, context)}${words.untilAfter}</dd>
        </dl>
        <form method="post" action="${facts.action}">
          <button class="button">${words.button}</button>
        </form>
      </div>
    </div>
    <div class="aside">
      ${FACE}
      <div>
        <p>${words.safe}</p>
        <p class="contact">
          ${words.call}: ${contact(site.support?.[language] ?? words.supportUnnamed)}
        </p>
      </div>
    </div>`;
  return standalonePage({ title: words.title, path: "/renew", otherLanguage, body }, context);
}

/** What is known of a certificate that is not renewed here. */
export type RenewRefusalFacts = {
  /** Of the one that was shown, in hexadecimal. */
  readonly serialNumber?: string;
} & (
  | {
      readonly refusal: "replaced";
      readonly newer: {
        readonly commonName: string;
        readonly olderName: string;
        readonly serialNumber: string;
        readonly notAfter: Date;
      };
      readonly on: ReadOn;
      /** Where the form leads that puts another one here. Absent where the old one does not count any more. */
      readonly action?: string;
    }
  | {
      readonly refusal: "late";
      readonly until: Date;
      /** Where a code is typed. */
      readonly start: string;
    }
  | { readonly refusal: "tooLate" | "stopped" }
);

type RefusalContext = DateStyle & { readonly style: InlineStyle; readonly site: SiteFacts };

const SIGNS: Readonly<Record<RenewRefusal, { readonly tone: "warn" | "bad"; readonly d: string }>> =
  {
    replaced: { tone: "warn", d: CLOCK },
    late: { tone: "warn", d: CLOCK },
    tooLate: { tone: "warn", d: "M98 56v11l7 5" },
    stopped: { tone: "bad", d: "M87 77l22-22" },
  };

/** What is to be chosen, and by what it is told apart. */
function newerFacts(
  { newer }: Extract<RenewRefusalFacts, { refusal: "replaced" }>,
  context: RefusalContext,
): Html {
  const { newer: words, untilAfter } = RENEW_WORDS[context.language];
  return html`<dl class="facts">
    <dt>${words.name}</dt>
    <dd>${newer.commonName}</dd>
    <dt>${words.until}</dt>
    <dd>${day(newer.notAfter, context)}${untilAfter}</dd>
    <dt>${words.number}</dt>
    <dd><code>${inFours(newer.serialNumber)}</code></dd>
  </dl>`;
}

/** What stands beside the sentences of a refusal: how another is chosen, and what can be pressed instead. */
function partsOf(
  facts: RenewRefusalFacts,
  { language }: RefusalContext,
): { readonly remedy?: Html; readonly instead?: Html } {
  const words = RENEW_WORDS[language];
  switch (facts.refusal) {
    case "replaced": {
      const { commonName, olderName } = facts.newer;
      const remedy = closeAndChoose(facts.on, language, { newer: commonName, older: olderName });
      const { button, call, text } = words.again;
      if (facts.action === undefined) return { remedy, instead: html`<p>${call}</p>` };
      const instead = html`<p>${text}</p>
        <form method="post" action="${facts.action}">
          <button class="button quiet">${button}</button>
        </form>`;
      return { remedy, instead };
    }
    case "late":
      return {
        instead: html`<p><a class="button quiet" href="${facts.start}">${words.typeCode}</a></p>`,
      };
    case "tooLate":
    case "stopped":
      return {};
  }
}

/** The sentence below the heading, with the day in it until which it is possible. */
function leadOf(facts: RenewRefusalFacts, lead: string, context: RefusalContext): Html {
  if (facts.refusal !== "late") return html`${lead}`;
  const [before, after] = lead.split("{until}");
  return html`${before}${day(facts.until, context)}${after}`;
}

/** Why nothing is renewed here, and what to do instead: never a page without somebody to call. */
export function renewRefusalPage(facts: RenewRefusalFacts, context: RefusalContext): Html {
  const { language, site } = context;
  const { callWords: call, next, otherLanguage, refusals } = RENEW_WORDS[language];
  const words = refusals[facts.refusal];
  const { tone, d } = SIGNS[facts.refusal];
  const support = site.support?.[language];
  const { serialNumber } = facts;
  const known = serialNumber !== undefined && { serialNumber };
  const parts = partsOf(facts, context);
  const body = html`<div class="what">
      ${devicePicture(signOf(tone, d))}
      <div>
        <p class="chip ${tone}">${words.state}</p>
        <h1>${words.title}</h1>
        <p class="lead">${leadOf(facts, words.lead, context)}</p>
        ${facts.refusal === "replaced" && newerFacts(facts, context)}
      </div>
    </div>
    ${advice({ next, call, said: words, support, level: 1, ...known, ...parts })}`;
  return standalonePage({ title: words.title, path: "/renew", otherLanguage, body }, context);
}
