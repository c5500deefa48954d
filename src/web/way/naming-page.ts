import { day } from "../dates.ts";
import { html, type Html } from "../html.ts";
import { PLACE_WORDS } from "../messages/place-words.ts";
import type { PortalContext } from "../portal-layout.ts";
import { type NamedPlatform, offeredNames } from "./offered-names.ts";

/** What is wrong with a name: nobody can have it, somebody else has it, or is just about to. */
export type NameProblem = "wrong" | "reserved" | "owned" | "lost";

/** What the page goes by on which a machine gets its name. */
export interface NamingView {
  /** As the browser's header says it. */
  readonly platform: NamedPlatform;
  /** The names that are in use in the pharmacy. */
  readonly taken: readonly string[];
  readonly problem?: NameProblem;
  /** What was typed or lost. */
  readonly typed?: string;
  /** The device that has the name, where the person is asked whether this machine takes its place. */
  readonly holder?: {
    readonly deviceId: string;
    readonly name: string;
    /** Whether the machine may be that very device, and get a certificate beside those that it has. */
    readonly further: "offered" | "full" | "none";
    readonly certificate?: { readonly installedBy: string; readonly notAfter: Date };
  };
}

const PLATFORMS: readonly NamedPlatform[] = [
  "windows",
  "macos",
  "ipados",
  "ios",
  "android",
  "chromeos",
  "linux",
  "other",
];

function choice(
  { words }: PortalContext,
  platforms: readonly NamedPlatform[],
  chosen: NamedPlatform,
): Html {
  return html`<fieldset class="choice">
    <legend>${words.naming.platform}</legend>
    ${platforms.map(
      (each) =>
        html`<label
          ><input
            type="radio"
            name="platform"
            value="${each}"
            ${each === chosen && html`checked`}
          />
          ${words.naming.platforms[each]}</label
        >`,
    )}
  </fieldset>`;
}

/** What runs here, where the header does not say it for sure: a script tells an iPad from a Mac, which it says that it is. */
function platformPart(context: PortalContext, platform: NamedPlatform): Html {
  if (platform === "other") return choice(context, PLATFORMS, "other");
  if (platform !== "macos") return html``;
  return html`<noscript>${choice(context, ["macos", "ipados"], "macos")}</noscript>`;
}

/** One press on a name that is offered, or a name of one's own. The first button is what Enter in the field presses. */
export function namingForm(
  context: PortalContext,
  { platform, taken, problem, typed = "" }: NamingView,
): Html {
  const { naming, pages } = context.words;
  const described = `${problem === undefined ? "" : "wrong "}hint`;
  return html`${
      problem !== undefined &&
      html`<p class="bad" id="wrong">${naming.problems[problem](typed)}</p>`
    }
    <form method="post" action="/way/device">
      <button class="default" tabindex="-1" aria-hidden="true">${pages.name.primary}</button>
      ${platformPart(context, platform)}
      <div class="choices" role="group" aria-label="${naming.offered}">
        ${offeredNames(platform, taken, naming.offers).map(
          (name) =>
            html`<button class="button quiet" name="offer" value="${name}" formnovalidate>
              ${name}
            </button>`,
        )}
      </div>
      <label for="own">${naming.own}</label>
      <p class="soft" id="hint">${naming.hint}</p>
      <input
        id="own"
        name="own"
        class="line"
        required
        maxlength="50"
        autocomplete="off"
        value="${problem === "wrong" && typed}"
        aria-describedby="${described}"
        ${problem !== undefined && html`aria-invalid="true" autofocus`}
      />
      <button class="button">${pages.name.primary}</button>
    </form>`;
}

type Holder = NonNullable<NamingView["holder"]>;

/** Who has put the device's certificate on, and until when it is good. */
function holderFacts(context: PortalContext, { certificate, name }: Holder): Html {
  const { facts, naming, until } = context.words;
  return html`<dl class="facts">
      <dt>${facts.device}</dt>
      <dd>${name}</dd>
      ${
        certificate !== undefined &&
        html`<dt>${naming.installedBy}</dt>
          <dd>${certificate.installedBy}</dd>
          <dt>${facts.until}</dt>
          <dd>${until.before}${day(certificate.notAfter, context)}${until.after}</dd>`
      }
    </dl>
    ${certificate === undefined && html`<p>${naming.noCertificate}</p>`}`;
}

/** In the place of what the device has, or beside it: what each of the two means stands above its button. */
function choices({ language, words }: PortalContext, { certificate, further }: Holder): Html {
  const { pages } = words;
  const said = PLACE_WORDS[language];
  return html`${certificate !== undefined && html`<p id="instead">${said.instead}</p>`}
    <button
      class="button"
      name="place"
      value="instead"
      ${certificate !== undefined && html`aria-describedby="instead"`}
    >
      ${pages.replace.primary}
    </button>
    ${
      further === "offered" &&
      html`<p id="further">${said.furtherMore}</p>
        <button class="button" name="place" value="further" aria-describedby="further">
          ${said.further}
        </button>`
    }
    ${further === "full" && html`<p>${said.full}</p>`}`;
}

/** 「この端末に入れ替えますか」: of a name that a device has. */
export function replaceForm(context: PortalContext, { holder, platform }: NamingView): Html {
  if (holder === undefined) return html``;
  const { deviceId, name } = holder;
  return html`${holderFacts(context, holder)}
    <form method="post" action="/way/device">
      <input type="hidden" name="offer" value="${name}" />
      <input type="hidden" name="takesOver" value="${deviceId}" />
      <input type="hidden" name="platform" value="${platform}" />
      ${choices(context, holder)}
    </form>
    <p><a class="button quiet" href="/way">${context.words.naming.otherName}</a></p>`;
}

/** The same of the device that the invitation is for. */
export function placeForm(context: PortalContext, { holder }: NamingView): Html {
  if (holder === undefined) return html``;
  return html`${holderFacts(context, holder)}
    <form method="post" action="/way/place">${choices(context, holder)}</form>`;
}
