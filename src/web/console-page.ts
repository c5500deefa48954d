import { firstSteps } from "./first-steps.ts";
import { day, daysBetween, type DateStyle, minute } from "./dates.ts";
import type { PublicUrls } from "./home-page.ts";
import { html, type Html } from "./html.ts";
import { layout, type PageContext } from "./layout.ts";

/** The published list of an authority that has no distribution point. */
export interface ListFacts {
  readonly number: string;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly entries: number;
}

/** What anybody may know of an authority, because its certificate and its list say it. */
export interface AuthorityFacts {
  /** As in its files' names: `issuing-g1`. */
  readonly id: string;
  readonly kind: "root" | "issuing";
  /** Its common name. */
  readonly name: string;
  /** SHA-256 of its certificate, hex. */
  readonly fingerprint: string;
  readonly notAfter: Date;
  readonly list?: ListFacts;
}

/** The state of the service, as far as it is public. */
export interface ConsoleFacts {
  readonly now: Date;
  readonly timeZone: string;
  readonly urls: PublicUrls;
  readonly ready: boolean;
  readonly roles: Readonly<Record<string, { readonly ready: boolean; readonly detail?: string }>>;
  readonly authorities: readonly AuthorityFacts[];
}

interface View {
  readonly context: PageContext;
  readonly facts: ConsoleFacts;
  readonly dates: DateStyle;
}

function chip(state: "good" | "warn" | "bad", word: string): Html {
  return html`<span class="chip ${state}">${word}</span>`;
}

function roles({ context, facts }: View): Html {
  const words = context.catalogue.messages.console;
  const names: Readonly<Record<string, string>> = words.roleNames;
  const entries = Object.entries(facts.roles);
  return html`<section class="stack" aria-labelledby="roles">
    <h2 id="roles">${words.roles}</h2>
    ${
      entries.length === 0
        ? html`<p>${words.noRoles}</p>`
        : html`<dl class="tiles">
            ${entries.map(
              ([role, { ready, detail }]) =>
                html`<div>
                  <dt>${names[role] ?? role}</dt>
                  <dd>${ready ? chip("good", words.ready) : chip("bad", words.notReady)}</dd>
                  ${detail !== undefined && html`<dd class="note soft">${detail}</dd>`}
                </div>`,
            )}
          </dl>`
    }
  </section>`;
}

/** A list is signed hourly and lives for days: past half its life, something has stood still for long. */
function listState({ thisUpdate, nextUpdate }: ListFacts, now: Date): "fresh" | "old" | "late" {
  if (nextUpdate <= now) return "late";
  const life = nextUpdate.getTime() - thisUpdate.getTime();
  return now.getTime() - thisUpdate.getTime() > life / 2 ? "old" : "fresh";
}

const LIST_COLOURS = { fresh: "good", old: "warn", late: "bad" } as const;

function listCell({ context, facts, dates }: View, list: ListFacts | undefined): Html {
  const words = context.catalogue.messages.console;
  if (list === undefined) return chip("warn", words.noList);
  const state = listState(list, facts.now);
  return html`${chip(LIST_COLOURS[state], words.listAge[state])}
    <span class="soft">${words.listMade} ${minute(list.thisUpdate, dates)}</span>
    <span class="soft">${words.listNext} ${minute(list.nextUpdate, dates)}</span>
    <span class="soft">${words.listEntries(list.entries)}</span>`;
}

/** Groups of four are easier to compare with another screen. */
function fingerprintText(hex: string): string {
  return hex.replaceAll(/(.{4})(?=.)/g, "$1 ");
}

function authorityRow(view: View, authority: AuthorityFacts): Html {
  const { context, facts, dates } = view;
  const words = context.catalogue.messages.console;
  const { id, kind, name, fingerprint, notAfter, list } = authority;
  const left = daysBetween(facts.now, notAfter);
  return html`<tr>
    <th scope="row">
      ${name} <span class="soft">${words.kinds[kind]} ・ ${id}</span>
      <code class="print">${words.fingerprint} ${fingerprintText(fingerprint)}</code>
    </th>
    <td data-label="${words.columns.notAfter}">
      ${day(notAfter, dates)}
      <span class="soft">${left < 0 ? chip("bad", words.hasEnded) : words.daysLeft(left)}</span>
    </td>
    <td data-label="${words.columns.list}">${listCell(view, list)}</td>
    <td data-label="${words.columns.files}">
      <a href="${facts.urls.va}/ca/${id}.cer">${words.certificateFile}</a><br />
      <a href="${facts.urls.va}/crl/${id}.crl">${words.listFile}</a>
    </td>
  </tr>`;
}

function authorities(view: View): Html {
  const { context, facts } = view;
  const words = context.catalogue.messages.console;
  const { columns } = words;
  return html`<section class="stack" aria-labelledby="authorities">
    <h2 id="authorities">${words.authorities}</h2>
    <div class="card">
      ${
        facts.authorities.length === 0
          ? html`<p>${words.noAuthorities}</p>`
          : html`<table aria-labelledby="authorities">
              <thead>
                <tr>
                  <th scope="col">${columns.authority}</th>
                  <th scope="col">${columns.notAfter}</th>
                  <th scope="col">${columns.list}</th>
                  <th scope="col">${columns.files}</th>
                </tr>
              </thead>
              <tbody>
                ${facts.authorities.map((authority) => authorityRow(view, authority))}
              </tbody>
            </table>`
      }
    </div>
  </section>`;
}

function files({ context, facts: { urls } }: View): Html {
  const words = context.catalogue.messages.console;
  const links = [
    [words.links.api, `${urls.app}/openapi.json`],
    [words.links.bundle, `${urls.va}/ca/bundle.pem`],
    [words.links.lists, `${urls.va}/crl/bundle.pem`],
    [words.links.mtls, `${urls.mtls}/v1/whoami`],
    [words.links.health, `${urls.app}/health/ready`],
    [words.links.metrics, `${urls.app}/metrics`],
  ] as const;
  return html`<section class="stack" aria-labelledby="files">
    <h2 id="files">${words.files}</h2>
    <div class="card">
      <ul class="links">
        ${links.map(
          ([name, url]) =>
            html`<li>
              <a href="${url}">${name}<code>${url}</code></a>
            </li>`,
        )}
      </ul>
      <p>${words.links.ocsp}: <code>${urls.va}/ocsp</code></p>
    </div>
  </section>`;
}

/** The operators' page: how the service is, and how to begin. Nothing on it needs a sign-in, so nothing on it is anybody's. */
export function consolePage(context: PageContext, facts: ConsoleFacts): Html {
  const { messages, language } = context.catalogue;
  const words = messages.console;
  const dates = { language, timeZone: facts.timeZone };
  const view = { context, facts, dates };
  return layout(context, {
    under: "suido",
    title: words.title,
    section: "console",
    body: html`<div class="stack">
        <div class="head">
          <h1>${words.title}</h1>
          ${facts.ready ? chip("good", words.good) : chip("bad", words.bad)}
        </div>
        <p class="soft">${words.asOf} ${minute(facts.now, dates)} ・ ${words.privacy}</p>
      </div>
      ${roles(view)} ${authorities(view)} ${firstSteps(context, facts.urls)} ${files(view)}`,
  });
}
