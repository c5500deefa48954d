import { advice, type AdviceWords, devicePicture, inFours } from "./advice.ts";
import type { InlineStyle } from "./assets.ts";
import { chooseNewer, type ReadOn } from "./choose-newer.ts";
import { type DateStyle, day, dayAndTime } from "./dates.ts";
import { html, type Html } from "./html.ts";
import { CHECK_EN, type CheckMessages, type CheckOutcome } from "./messages/check-en.ts";
import { CHECK_JA } from "./messages/check-ja.ts";
import type { SiteFacts } from "./site.ts";
import { standalonePage } from "./standalone-page.ts";

/** What a page says of a visit to a check. */
interface VisitFacts {
  readonly outcome: CheckOutcome;
  /** The name of the certificate that is to be shown, as a browser's picker has it. */
  readonly commonName?: string;
  /** Of an older one that was shown. */
  readonly olderName?: string;
  /** The number of the one that is to be shown, in hexadecimal: by it people tell two of one name apart. */
  readonly newerSerial?: string;
  readonly device?: { readonly name: string; readonly pharmacyName: string };
  readonly proof?: {
    readonly notAfter: Date;
    readonly provenAt: Date;
  };
}

interface CheckContext extends DateStyle {
  /** Whose dialogs are drawn. */
  readonly on: ReadOn;
  readonly style: InlineStyle;
  readonly site: SiteFacts;
}

const MESSAGES = { ja: CHECK_JA, en: CHECK_EN } as const;

const TONES: Readonly<Record<CheckOutcome, "good" | "warn" | "bad">> = {
  proven: "good",
  newer: "good",
  "other-place": "good",
  revoked: "bad",
  none: "warn",
  "other-device": "warn",
  older: "warn",
  expired: "warn",
  unknown: "warn",
  ended: "warn",
};

/** What is drawn into the circle on the certificate: a tick, a clock's hands, a bar, a question mark. */
const HANDS: Readonly<Record<CheckOutcome, string | undefined>> = {
  proven: "M90 66l6 6 10-11",
  newer: "M90 66l6 6 10-11",
  "other-place": "M90 66l6 6 10-11",
  revoked: "M87 77l22-22",
  none: undefined,
  expired: "M98 56v11l7 5",
  older: "M98 56v11l7 5",
  ended: "M98 56v11l7 5",
  "other-device": "M93 62a5 5 0 1 1 7 5q-2 1-2 3M98 75v.5",
  unknown: "M93 62a5 5 0 1 1 7 5q-2 1-2 3M98 75v.5",
};

function picture(outcome: CheckOutcome): Html {
  const [hand, tone] = [HANDS[outcome], TONES[outcome]];
  if (hand === undefined) return devicePicture(undefined, `sheet gone ${tone}`);
  return devicePicture(
    html`<circle class="sign ${tone}" cx="98" cy="66" r="17" />
      <path class="hand ${tone}" d="${hand}" />`,
  );
}

/** The words with the certificate's name in them. Where there is no such check, none of them asks for it. */
function named(words: AdviceWords, certificate = ""): AdviceWords {
  const fill = (text: string): string => text.replaceAll("{certificate}", certificate);
  const { actionMore, otherwise, steps } = words;
  return {
    ...words,
    ...(actionMore !== undefined && { actionMore: fill(actionMore) }),
    ...(steps !== undefined && { steps: steps.map(fill) }),
    otherwise: { title: fill(otherwise.title), text: fill(otherwise.text) },
  };
}

/** Which device, until when, and since when it is known. */
function factsOf(
  { facts, until }: CheckMessages,
  { commonName, device, newerSerial, olderName, proof }: VisitFacts,
  context: CheckContext,
): Html | undefined {
  if (device === undefined) return undefined;
  const proven =
    proof !== undefined &&
    html`<dt>${facts.until}</dt>
      <dd>${until.before}${day(proof.notAfter, context)}${until.after}</dd>
      <dt>${facts.provenAt}</dt>
      <dd>${dayAndTime(proof.provenAt, context)}</dd>`;
  return html`<dl class="facts">
    <dt>${facts.device}</dt>
    <dd>${device.pharmacyName} ${device.name}</dd>
    ${
      newerSerial !== undefined &&
      commonName === olderName &&
      html`<dt>${facts.newerNumber}</dt>
        <dd><code>${inFours(newerSerial)}</code></dd>`
    }
    ${proven}
  </dl>`;
}

/** Who has shown the older of two sees both, and how the newer is chosen. */
function remedyOf(
  { commonName: newer, olderName: older }: VisitFacts,
  { language, on }: CheckContext,
): { readonly remedy?: Html } {
  if (newer === undefined || older === undefined) return {};
  return { remedy: chooseNewer(on, language, { newer, older }) };
}

/**
 * The page of a check: what the device has shown, and the one thing to do next. In one language, with all that it needs
 * inside: at this host nothing else is served.
 */
export function checkPage(visit: VisitFacts, context: CheckContext): Html {
  const words = MESSAGES[context.language];
  const { outcome, commonName } = visit;
  const said = named(words.outcomes[outcome], commonName);
  const { next, call, otherLanguage } = words;
  const { language, site } = context;
  const support = site.support?.[language];
  const isWell = TONES[outcome] === "good";
  const body = html`<div class="what">
      ${picture(outcome)}
      <div>
        <p class="chip ${TONES[outcome]}">${said.state}</p>
        <h1>${said.title}</h1>
        <p class="lead">${said.lead}</p>
        ${factsOf(words, visit, context)}
      </div>
    </div>
    ${advice({ next, call, said, support, isWell, level: 1, ...remedyOf(visit, context) })}`;
  return standalonePage({ title: said.title, path: "/", otherLanguage, body }, context);
}
