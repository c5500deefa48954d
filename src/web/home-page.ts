import { contact, FACE } from "./advice.ts";
import { html, type Html } from "./html.ts";
import { layout, type PageContext, pathIn } from "./layout.ts";
import { EMERGENCY_WORDS } from "./messages/emergency.ts";
import { EMERGENCY_PATH } from "./portal-layout.ts";

/** Where the parts of the service are reached from outside. */
export interface PublicUrls {
  readonly app: string;
  readonly va: string;
  readonly mtls: string;
}

/** The way of the water: one pipe, three devices, each with a certificate. */
function way({ catalogue: { messages } }: PageContext): Html {
  const { picture, pictureLabels } = messages.home;
  return html`<svg class="way" viewBox="0 0 440 320" role="img" aria-label="${picture}">
    <ellipse class="ground" cx="220" cy="272" rx="208" ry="22" />
    <path
      class="pipe"
      d="M220 62v42M72 142v-18a20 20 0 0 1 20-20h256a20 20 0 0 1 20 20v18M220 104v38"
    />
    <path class="drop" d="M220 4c-8 14-18 22-18 34a18 18 0 0 0 36 0c0-12-10-20-18-34Z" />
    <path class="shine" d="M211 39a9 9 0 0 0 7 8" />
    <rect class="body" x="12" y="168" width="120" height="78" rx="8" />
    <rect class="screen" x="22" y="178" width="100" height="58" rx="4" />
    <path class="rule" d="M72 246v18M46 266h52" />
    <rect class="body" x="176" y="166" width="88" height="104" rx="12" />
    <rect class="screen" x="186" y="178" width="68" height="80" rx="4" />
    <rect class="body" x="336" y="166" width="64" height="104" rx="12" />
    <rect class="screen" x="344" y="180" width="48" height="76" rx="4" />
    ${[72, 220, 368].map((x) => sheet(x))}
    <text x="72" y="312">${pictureLabels.pc}</text>
    <text x="220" y="312">${pictureLabels.tablet}</text>
    <text x="368" y="312">${pictureLabels.phone}</text>
  </svg>`;
}

/** A certificate with its tick, centred at x. */
function sheet(x: number): Html {
  return html`<g transform="translate(${x} 207)">
    <rect class="sheet" x="-17" y="-21" width="34" height="42" rx="4" />
    <path class="tick" d="M-8 0l6 7 11-14" />
  </g>`;
}

/** What to do, one after the other. */
function stepsAcross(steps: readonly { readonly do: string; readonly more: string }[]): Html {
  return html`<ol class="steps across">
    ${steps.map(
      (step) =>
        html`<li>
          <h3>${step.do}</h3>
          <p>${step.more}</p>
        </li>`,
    )}
  </ol>`;
}

/** Whom to call, and what to do by night. */
function help({ catalogue: { language, messages }, site }: PageContext): Html {
  const { call, help: title, helpMore } = messages.home.pharmacist;
  const support = site.support?.[language];
  return html`<div class="aside">
    ${FACE}
    <div>
      <h3>${title}</h3>
      <p>${support === undefined ? helpMore : [call, " ", contact(support)]}</p>
      <p><a href="${EMERGENCY_PATH}?lang=${language}">${EMERGENCY_WORDS[language].link}</a></p>
    </div>
  </div>`;
}

function pharmacist(context: PageContext): Html {
  const words = context.catalogue.messages.home.pharmacist;
  return html`<section class="card first" aria-labelledby="pharmacist">
    <p class="who">${words.who}</p>
    <h2 id="pharmacist">${words.title}</h2>
    ${stepsAcross(words.steps)}
    <div class="row"><a class="button" href="${pathIn(context, "/start")}">${words.button}</a></div>
    ${help(context)}
  </section>`;
}

/** Where the button of a mail leads that says when it will be time. */
function renewal({ catalogue: { language, messages } }: PageContext, { mtls }: PublicUrls): Html {
  const { button, who, title, steps } = messages.home.renewal;
  return html`<section class="card" id="renewal" aria-labelledby="renewal-title">
    <p class="who">${who}</p>
    <h2 id="renewal-title">${title}</h2>
    ${stepsAcross(steps)}
    <div class="row">
      <a class="button quiet" href="${mtls}/renew?lang=${language}">${button}</a>
    </div>
  </section>`;
}

function others(context: PageContext): Html {
  const { product, operator } = context.catalogue.messages.home;
  return html`<div class="pair">
    <section class="card" aria-labelledby="product">
      <p class="who">${product.who}</p>
      <h2 id="product">${product.title}</h2>
      <p>${product.text}</p>
      <pre
        role="region"
        aria-labelledby="product"
        tabindex="0"
      ><code>GET /v1/status/{serialNumber}?account={id}</code></pre>
      <ul class="links">
        <li><a href="/openapi.json">${product.api}</a></li>
        <li><a href="${pathIn(context, "/console")}#files">${product.va}</a></li>
      </ul>
    </section>
    <section class="card" aria-labelledby="operator">
      <p class="who">${operator.who}</p>
      <h2 id="operator">${operator.title}</h2>
      <p>${operator.text}</p>
      <div class="row">
        <a class="button quiet" href="${pathIn(context, "/console")}">${operator.button}</a>
      </div>
    </section>
  </div>`;
}

/** The first page: for a pharmacist who came here by chance, for who builds on Suido, for who runs it. */
export function homePage(context: PageContext, urls: PublicUrls): Html {
  const { home } = context.catalogue.messages;
  return layout(context, {
    title: home.title,
    section: "home",
    under: "site",
    body: html`<div class="hero">
        <div>
          <h1>${home.title}</h1>
          <p class="lead">${home.lead}</p>
        </div>
        ${way(context)}
      </div>
      ${pharmacist(context)} ${renewal(context, urls)} ${others(context)}`,
  });
}
