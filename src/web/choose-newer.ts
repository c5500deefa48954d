import {
  chooseNewerPicture,
  closeBrowserPicture,
  type GuideKind,
  type TwoCertificates,
} from "./guide/guide.ts";
import type { GuideBrowser } from "./guide/scene.ts";
import { html, type Html } from "./html.ts";
import type { Language } from "./language.ts";
import { CHOOSE_NEWER, type Keeper } from "./messages/choose-newer.ts";

/** Where a page is read: which dialogs there are. */
export interface ReadOn {
  readonly kind: GuideKind;
  readonly browser: GuideBrowser;
}

const KEEPERS: Readonly<Record<GuideKind, Keeper>> = {
  windows: "windows",
  "macos-profile": "macos",
  "macos-file": "macos",
  "apple-profile": "apple",
  "apple-file": "apple",
  android: "android",
  firefox: "firefox",
  plain: "other",
};

const list = (dos: readonly string[]): Html =>
  html`<ol class="steps">
    ${dos.map((each) => html`<li>${each}</li>`)}
  </ol>`;

const drawn = ({ dos, picture }: Pick<ReturnType<typeof chooseNewerPicture>, "dos" | "picture">) =>
  html`${picture} ${list(dos)}`;

/** The browser's own question with both certificates in it, as it looks there. */
function choose(on: ReadOn, language: Language, two: TwoCertificates): Html {
  const { sameName } = CHOOSE_NEWER[language];
  return html`${drawn(chooseNewerPicture(on, language, two))}
  ${two.newer === two.older && html`<p>${sameName}</p>`}`;
}

/** How the old one is deleted. Nothing where both have one name: the wrong one would be gone as easily. */
function deleteOlder({ kind }: ReadOn, language: Language, two: TwoCertificates): Html {
  if (two.newer === two.older) return html``;
  const { remove } = CHOOSE_NEWER[language];
  const steps = remove.of[KEEPERS[kind]].map((each) => each.replaceAll("{older}", two.older));
  return html`<details class="more">
    <summary>${remove.title}</summary>
    <p>${remove.needless}</p>
    ${list(steps)}
  </details>`;
}

/** What helps where the browser asks again by itself, as it does at each fresh host. */
export function chooseNewer(on: ReadOn, language: Language, two: TwoCertificates): Html {
  return html`<div class="part">
      <h3>${CHOOSE_NEWER[language].whenAsked}</h3>
      ${choose(on, language, two)}
    </div>
    ${deleteOlder(on, language, two)}`;
}

/** What helps elsewhere: a browser that remembers its choice forgets it when it ends, and then asks again. */
export function closeAndChoose(on: ReadOn, language: Language, two: TwoCertificates): Html {
  const words = CHOOSE_NEWER[language];
  const keeper = KEEPERS[on.kind];
  const isHandheld = keeper === "apple" || keeper === "android";
  return html`<div class="part">
      <h3>${words.close}</h3>
      ${isHandheld ? html`<p>${words.closeApp}</p>` : drawn(closeBrowserPicture(on.browser, language))}
    </div>
    <div class="part">
      <h3>${words.choose}</h3>
      ${choose(on, language, two)}
    </div>
    ${deleteOlder(on, language, two)}`;
}
