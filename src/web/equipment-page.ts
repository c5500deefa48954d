import type { AuthorityFacts } from "./console-page.ts";
import type { PublicUrls } from "./home-page.ts";
import { html, type Html } from "./html.ts";
import type { Language } from "./language.ts";
import { EQUIPMENT_EN, type EquipmentMessages } from "./messages/equipment-en.ts";
import { EQUIPMENT_JA } from "./messages/equipment-ja.ts";
import { UNDO } from "./way/script-page.ts";
import { EQUIPMENT_PATH, portalLayout, type PortalContext } from "./portal-layout.ts";

const MESSAGES: Readonly<Record<Language, EquipmentMessages>> = {
  ja: EQUIPMENT_JA,
  en: EQUIPMENT_EN,
};

/** What the sheet is drawn from: the addresses of the configuration and the names of the CAs, all of it public. */
export interface EquipmentFacts {
  readonly urls: PublicUrls;
  /** Below its host each check has one of its own. */
  readonly checkUrl: string;
  readonly authorities: readonly AuthorityFacts[];
}

/** A host that a device talks to. Those that ask for its certificate must not be inspected on the way. */
interface Place {
  readonly host: string;
  readonly port: string;
  readonly use: string;
  /** As browser policies spell it (Chromium's content setting patterns); absent where no certificate is asked for. */
  readonly pattern?: string;
}

const DEFAULT_PORTS: Readonly<Record<string, string>> = { "https:": "443", "http:": "80" };

function placeAt(
  address: string,
  use: string,
  { below = false, isAsked = true }: { readonly below?: boolean; readonly isAsked?: boolean } = {},
): Place {
  const { host, hostname, port, protocol } = new URL(address);
  return {
    host: below ? `*.${hostname}` : hostname,
    port: port === "" ? (DEFAULT_PORTS[protocol] ?? "") : port,
    use,
    ...(isAsked && { pattern: `${protocol}//${below ? "[*.]" : ""}${host}` }),
  };
}

function placesOf(
  { urls, checkUrl }: EquipmentFacts,
  { language, site }: PortalContext,
): readonly Place[] {
  const { hosts } = MESSAGES[language];
  return [
    placeAt(urls.app, hosts.app, { isAsked: false }),
    placeAt(checkUrl, hosts.checks, { below: true }),
    placeAt(urls.mtls, hosts.mtls),
    ...site.products.map(({ name, url }) => placeAt(url, hosts.product(name[language]))),
    placeAt(urls.va, hosts.va, { isAsked: false }),
  ];
}

/** One attribute of a name that is written as in RFC 4514. */
function attributeOf(name: string, type: "CN" | "O"): string | undefined {
  const found = new RegExp(String.raw`(?:^|,)${type}=((?:\\.|[^,\\])*)`).exec(name);
  return found?.[1]?.replaceAll(/\\(.)/g, "$1");
}

/** By the organisation, which all generations of the CA have in common (`ca-config`): the policy outlives this one. */
function policyValue({ pattern }: Place, name: string): string {
  const organisation = attributeOf(name, "O");
  const issuer = organisation === undefined ? { CN: attributeOf(name, "CN") } : { O: organisation };
  return JSON.stringify({ pattern, filter: { ISSUER: issuer } });
}

function table(heads: readonly string[], rows: readonly (readonly (string | Html)[])[]): Html {
  return html`<table>
    <thead>
      <tr>
        ${heads.map((head) => html`<th scope="col">${head}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        ([first, ...rest]) =>
          html`<tr>
            <th scope="row">${first}</th>
            ${rest.map((cell, index) => html`<td data-label="${heads[index + 1]}">${cell}</td>`)}
          </tr>`,
      )}
    </tbody>
  </table>`;
}

const code = (text: string): Html => html`<code>${text}</code>`;

function policy(
  { policy: words }: EquipmentMessages,
  places: readonly Place[],
  name: string,
): Html {
  const values = places
    .filter(({ pattern }) => pattern !== undefined)
    .map((place) => policyValue(place, name));
  const keys = ["Google\\Chrome", "Microsoft\\Edge"].map(
    (product) => `HKLM\\SOFTWARE\\Policies\\${product}\\AutoSelectCertificateForUrls`,
  );
  return html`<section>
    <h2>${words.title}</h2>
    <p>${words.text} ${words.places}</p>
    <pre><code>${keys.join("\n")}</code></pre>
    <p>${words.values}</p>
    <pre><code>${values.join("\n")}</code></pre>
    <p>${words.old}</p>
  </section>`;
}

function stores({ stores: words }: EquipmentMessages, issuers: readonly string[]): Html {
  const rows = words.rows.map(({ platform, where, undo }) => [platform, where, undo]);
  return html`<section>
    <h2>${words.title}</h2>
    <p>${words.lead} ${words.name} ${words.nothingElse}</p>
    ${
      issuers.length > 0 &&
      html`<p>${words.issuer}: ${issuers.map((name, index) => [index > 0 && ", ", code(name)])}</p>`
    }
    ${table([words.platform, words.where, words.undo], rows)}
    <p>${words.lost}</p>
  </section>`;
}

/** 「機器担当の方へ」: what a pharmacy's equipment vendor needs to know, for the screen and for paper, without a script. */
export function equipmentPage(facts: EquipmentFacts, context: PortalContext): Html {
  const words = MESSAGES[context.language];
  const { clock, hosts, inspection, key, script } = words;
  const places = placesOf(facts, context);
  const issuers = facts.authorities.filter(({ kind }) => kind === "issuing");
  const names = issuers.map(({ name }) => attributeOf(name, "CN") ?? name);
  const rows = places.map(({ host, port, use }) => [code(host), code(port), use]);
  const asked = places.filter(({ pattern }) => pattern !== undefined);
  const body = html`<article class="card paper">
    <h1>${words.title}</h1>
    <p class="lead">${words.lead}</p>
    <p class="soft">
      ${words.toPrint} ${words.address}: ${code(`${facts.urls.app}${EQUIPMENT_PATH}`)}
    </p>
    <section>
      <h2>${hosts.title}</h2>
      <p>${hosts.lead}</p>
      ${table([hosts.host, hosts.port, hosts.use], rows)}
    </section>
    <section>
      <h2>${inspection.title}</h2>
      <p>${inspection.text}</p>
      <ul>
        ${asked.map(({ host, port }) => html`<li>${code(host)} (${port})</li>`)}
      </ul>
      <p>${inspection.leave}</p>
    </section>
    <section>
      <h2>${clock.title}</h2>
      <p>${clock.text}</p>
    </section>
    ${stores(words, names)}
    <section>
      <h2>${key.title}</h2>
      <p>${key.text}</p>
    </section>
    <section>
      <h2>${script.title}</h2>
      <p>${script.text}</p>
      <p>${script.left}</p>
      <pre><code>${UNDO}</code></pre>
    </section>
    ${issuers[0] !== undefined && policy(words, places, issuers[0].name)}
  </article>`;
  return portalLayout(context, { title: words.title, body });
}
