import { day, dayAndTime } from "./dates.ts";
import { html, type Html } from "./html.ts";
import { MANAGE_EN, type ManageNews, type ManageWords } from "./messages/manage-en.ts";
import { MANAGE_JA } from "./messages/manage-ja.ts";
import { portalLayout, type PortalContext, spoken } from "./portal-layout.ts";
import { callLine } from "./way/call-parts.ts";

export { MANAGE_NEWS, type ManageNews } from "./messages/manage-en.ts";

/** Whoever is signed in. */
interface Who {
  readonly name: string;
  readonly corporationName: string;
}

interface Device {
  readonly id: string;
  readonly name: string;
  readonly platform: keyof ManageWords["devices"]["platforms"];
  readonly notAfter?: Date;
  readonly places: number;
  readonly isGood: boolean;
  readonly hold?: {
    readonly by: string;
    readonly at: Date;
    readonly reason: keyof ManageWords["hold"]["reasons"];
  };
}

interface Waiting {
  readonly enrolmentId: string;
  readonly supportNumber: string;
  readonly personName: string;
  readonly deviceName?: string;
  readonly startedAt: Date;
  readonly isOwn: boolean;
}

interface Colleague {
  readonly membershipId: string;
  readonly name: string;
  readonly role: keyof ManageWords["deputies"]["roles"];
  readonly isDeputy: boolean;
  /** Whether they have enrolled what confirms who they are on the night. */
  readonly isPrepared: boolean;
  readonly isOwn: boolean;
}

/** What the screen of one pharmacy shows. */
export interface ManageView {
  readonly who: Who;
  readonly pharmacy: {
    readonly id: string;
    readonly name: string;
    readonly isManager: boolean;
    readonly devices: readonly Device[];
    readonly people: readonly Waiting[];
    readonly colleagues: readonly Colleague[];
  };
  /** Whether there are other pharmacies to go to. */
  readonly hasOthers: boolean;
  readonly news?: ManageNews;
}

interface Drawing extends PortalContext {
  readonly own: ManageWords;
}

const WORDS: Readonly<Record<"ja" | "en", ManageWords>> = { ja: MANAGE_JA, en: MANAGE_EN };

/** What went well; everything else asks for something. */
const GOOD: ReadonlySet<ManageNews> = new Set([
  "confirmed",
  "held",
  "released",
  "deputy-named",
  "deputy-ended",
]);

const told = ({ own }: Drawing, news: ManageNews): Html =>
  html`<p class="notice ${GOOD.has(news) ? "done" : ""}">${own.news[news]}</p>`;

function waiting(context: Drawing, person: Waiting): Html {
  const { people: words } = context.own;
  const { deviceName, enrolmentId, isOwn, personName, startedAt, supportNumber } = person;
  return html`<li class="entry">
    <p class="read-aloud"><span>${words.number}</span> ${spoken(supportNumber)}</p>
    <dl class="facts">
      <dt>${words.person}</dt>
      <dd id="person-${enrolmentId}">${personName}</dd>
      ${
        deviceName !== undefined &&
        html`<dt>${words.device}</dt>
          <dd>${deviceName}</dd>`
      }
      <dt>${words.since}</dt>
      <dd>${dayAndTime(startedAt, context)}</dd>
    </dl>
    ${
      isOwn
        ? html`<p class="soft">${words.own}</p>`
        : html`<form method="post" action="/manage/enrolments/${enrolmentId}/confirm">
            <input type="hidden" name="supportNumber" value="${supportNumber}" />
            <button class="button" aria-describedby="person-${enrolmentId}">
              ${words.confirm}
            </button>
          </form>`
    }
  </li>`;
}

function people(context: Drawing, { pharmacy }: ManageView): Html {
  const { people: words } = context.own;
  const { id, people: list } = pharmacy;
  return html`<section class="card">
    <h2>${words.title}</h2>
    ${
      list.length === 0
        ? html`<p>${words.nobody}</p>`
        : html`<p>${words.lead}</p>
            <ul class="entries">
              ${list.map((each) => waiting(context, each))}
            </ul>`
    }
    <p><a class="button quiet" href="/manage/${id}">${words.refresh}</a></p>
  </section>`;
}

/** Behind a first press, so that nobody stops the counter by a slip of the finger. */
function holding({ own: { hold: words } }: Drawing, { id }: Device): Html {
  const reasons = (["lost", "suspicious", "other"] as const).map(
    (reason) =>
      html`<label class="choice"
        ><input type="radio" name="reason" value="${reason}" required />
        ${words.reasons[reason]}</label
      >`,
  );
  return html`<details class="trouble">
    <summary aria-describedby="device-${id}">${words.open}</summary>
    <p>${words.lead}</p>
    <form method="post" action="/manage/devices/${id}/hold">
      <fieldset>
        <legend>${words.why}</legend>
        ${reasons}
      </fieldset>
      <button class="button" aria-describedby="device-${id}">${words.button}</button>
    </form>
  </details>`;
}

function releasing({ own: { release: words } }: Drawing, { id }: Device): Html {
  return html`<form method="post" action="/manage/devices/${id}/release">
    <button class="button quiet" aria-describedby="device-${id}">${words.button}</button>
  </form>`;
}

/** Who has stopped it, when and why. */
function held(context: Drawing, hold: NonNullable<Device["hold"]>): Html {
  const { devices: words, hold: reasons } = context.own;
  return html`<p class="soft">
    ${words.heldBy(hold.by)} ・ ${dayAndTime(hold.at, context)} ・ ${reasons.reasons[hold.reason]}
  </p>`;
}

function device(context: Drawing, shown: Device, isManager: boolean): Html {
  const { devices: words, release } = context.own;
  const { hold, id, isGood, name, notAfter, places, platform } = shown;
  const isHeld = !isGood && notAfter !== undefined;
  const state = isGood ? "good" : isHeld ? "held" : "missing";
  const { before, after } = words.until;
  return html`<li class="entry device">
    <h3 id="device-${id}">${name}</h3>
    <p class="state">
      <b class="chip ${{ good: "good", held: "bad", missing: "soft" }[state]}"
        >${words.states[state]}</b
      >
      <span class="soft"
        >${words.platforms[platform]}${
          notAfter !== undefined && html` ・ ${before}${day(notAfter, context)}${after}`
        }</span
      >
    </p>
    ${state === "missing" && html`<p class="soft">${words.missing}</p>`}
    ${places > 1 && html`<p class="soft">${words.places(places)}</p>`}
    ${hold !== undefined && held(context, hold)}
    ${hold !== undefined && (isManager ? releasing(context, shown) : html`<p>${release.askManager}</p>`)}
    ${isGood && holding(context, shown)}
  </li>`;
}

/** Those that are stopped stand first: somebody waits for them, or they are gone. */
function devices(context: Drawing, { pharmacy }: ManageView): Html {
  const { devices: words } = context.own;
  const stopped = pharmacy.devices.filter(({ hold }) => hold !== undefined);
  const sorted = [...stopped, ...pharmacy.devices.filter(({ hold }) => hold === undefined)];
  return html`<section class="card">
    <h2>${words.title}</h2>
    ${
      pharmacy.devices.length === 0
        ? html`<p>${words.none}</p>`
        : html`<p class="soft">${words.count(sorted.length, stopped.length)}</p>
            <ul class="entries">
              ${sorted.map((each) => device(context, each, pharmacy.isManager))}
            </ul>`
    }
  </section>`;
}

/** What a manager prepares by day for the night on which a machine fails. */
const night = ({ own: { night: words } }: Drawing): Html =>
  html`<section class="card">
    <h2>${words.title}</h2>
    <p>${words.lead}</p>
    <p><a class="button quiet" href="/factors">${words.button}</a></p>
  </section>`;

/** Somebody of the pharmacy, with the button that makes them a deputy or takes it back. */
function colleague({ own: { deputies: words } }: Drawing, shown: Colleague): Html {
  const { isDeputy, isOwn, isPrepared, membershipId: id, name, role } = shown;
  const said = isOwn ? words.own : words.mayAnyway;
  return html`<li class="entry">
    <h3 id="colleague-${id}">${name}</h3>
    <p class="soft">${words.roles[role]} ・ ${words.prepared[isPrepared ? "yes" : "no"]}</p>
    ${
      isOwn || role === "manager"
        ? html`<p class="soft">${said}</p>`
        : html`<form method="post" action="/manage/memberships/${id}/deputy">
            <input type="hidden" name="deputy" value="${isDeputy ? "no" : "yes"}" />
            <button class="button quiet" aria-describedby="colleague-${id}">
              ${isDeputy ? words.end : words.name}
            </button>
          </form>`
    }
  </li>`;
}

function deputies(context: Drawing, { pharmacy: { colleagues } }: ManageView): Html {
  const { deputies: words } = context.own;
  const names = colleagues.filter(({ isDeputy }) => isDeputy).map(({ name }) => name);
  return html`<section class="card">
    <h2>${words.title}</h2>
    <p>${words.lead}</p>
    <dl class="facts">
      <dt>${words.now}</dt>
      <dd>${names.length === 0 ? words.nobody : names.join(" ・ ")}</dd>
    </dl>
    ${
      colleagues.every(({ isOwn }) => isOwn)
        ? html`<p class="soft">${words.alone}</p>`
        : html`<details class="trouble">
            <summary>${words.open}</summary>
            <ul class="entries">
              ${colleagues.map((each) => colleague(context, each))}
            </ul>
          </details>`
    }
  </section>`;
}

function signedIn({ own }: Drawing, { name, corporationName }: Who): Html {
  return html`<section class="card">
    <dl class="facts">
      <dt>${own.signedIn}</dt>
      <dd>${name} ・ ${corporationName}</dd>
    </dl>
    <form method="post" action="/sign-out">
      <button class="button quiet">${own.signOut}</button>
    </form>
  </section>`;
}

/** The screen for the devices of a pharmacy, and for the colleagues who wait to be confirmed. */
export function managePage(view: ManageView, context: PortalContext): Html {
  const drawing: Drawing = { ...context, own: WORDS[context.language] };
  const { own } = drawing;
  const { hasOthers, news, pharmacy, who } = view;
  const body = html`<h1>${pharmacy.name}</h1>
    ${news !== undefined && told(drawing, news)} ${pharmacy.isManager && people(drawing, view)}
    ${devices(drawing, view)} ${pharmacy.isManager && night(drawing)}
    ${pharmacy.isManager && deputies(drawing, view)}
    ${hasOthers && html`<p><a class="button quiet" href="/manage">${own.others}</a></p>`}
    ${signedIn(drawing, who)}`;
  const said = news && own.news[news];
  return portalLayout(context, { title: `${own.title} ・ ${pharmacy.name}`, news: said, body });
}

/** A pharmacy to choose. */
interface Choice {
  readonly id: string;
  readonly name: string;
  readonly isManager: boolean;
  /** How many people wait there to be confirmed. */
  readonly waiting: number;
}

const isWaitedAt = ({ isManager, waiting: count }: Choice): boolean => isManager && count > 0;

/** Which pharmacy, for whoever has several; and for whoever has none, whom to call. */
export function choosePharmacyPage(
  view: {
    readonly who: Who;
    readonly pharmacies: readonly Choice[];
    readonly news?: ManageNews;
  },
  context: PortalContext,
): Html {
  const drawing: Drawing = { ...context, own: WORDS[context.language] };
  const { own } = drawing;
  const { pharmacies } = view;
  const { title, lead } = pharmacies.length === 0 ? own.none : own.choose;
  // Those at which somebody waits stand first.
  const sorted = pharmacies
    .filter(isWaitedAt)
    .concat(pharmacies.filter((each) => !isWaitedAt(each)));
  const body = html`${view.news !== undefined && told(drawing, view.news)}
    <section class="card">
      <h1>${title}</h1>
      <p class="lead">${lead}</p>
      ${pharmacies.length === 0 && callLine(context)}
      <ul class="places">
        ${sorted.map(
          (each) =>
            html`<li>
              <a class="button quiet" href="/manage/${each.id}"
                >${each.name}
                ${isWaitedAt(each) && html`<span>${own.waitingCount(each.waiting)}</span>`}</a
              >
            </li>`,
        )}
      </ul>
    </section>
    ${signedIn(drawing, view.who)}`;
  return portalLayout(context, { title, news: view.news && own.news[view.news], body });
}
