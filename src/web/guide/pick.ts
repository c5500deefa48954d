import type { Panel } from "./frames.ts";
import { buttons, centred, field, gap, item, type Part, text, wideButtons } from "./kit.ts";
import type { Scene, SceneFacts } from "./scene.ts";

/** Whose question which certificate is to be shown. */
export type Picker =
  | "chromium"
  | "safari"
  | "safariFile"
  | "firefox"
  | "apple"
  | "android"
  | "plain";

/** The one that is not to be chosen any more, above the one that is. */
const older = ({ olderName }: SceneFacts): readonly Part[] =>
  olderName === undefined ? [] : [item({ words: olderName, sign: "card" })];

function list(facts: SceneFacts): Panel {
  const { certificateName } = facts;
  const { pick: said } = facts.dialogs;
  return {
    frame: "windows",
    title: said.chromium,
    parts: [
      text(said.chromiumAsk),
      ...older(facts),
      item({ words: certificateName, sign: "card", mark: 1, isOn: true, isName: true }),
      gap(14),
      buttons([{ words: said.ok, mark: 2 }, { words: said.cancel }]),
    ],
  };
}

function safari(facts: SceneFacts): Panel {
  const { certificateName } = facts;
  const { pick: said } = facts.dialogs;
  return {
    frame: "mac",
    title: "Safari",
    parts: [
      text(said.safari, "bold"),
      ...older(facts),
      item({ words: certificateName, sign: "card", mark: 1, isOn: true, isName: true }),
      gap(6),
      buttons([{ words: said.cancel }, { words: said.continue, mark: 2 }]),
    ],
  };
}

/** macOS asks before a browser may use a key that no profile has brought. */
function keychain({ dialogs: { mac: said } }: SceneFacts): Panel {
  return {
    frame: "mac",
    title: said.login,
    parts: [
      text(said.enter, "bold"),
      field({ label: said.password, isHidden: true, mark: 3 }),
      buttons([{ words: said.always, mark: 4 }, { words: said.deny }, { words: said.allow }]),
    ],
  };
}

function firefox({ dialogs: { pick: said }, certificateName }: SceneFacts): Panel {
  return {
    frame: "windows",
    title: said.firefox,
    parts: [
      field({ label: said.firefoxAsk, value: certificateName, mark: 1, isName: true }),
      gap(6),
      buttons([{ words: said.ok, mark: 2 }, { words: said.cancel }]),
    ],
  };
}

function apple(facts: SceneFacts): Panel {
  const { certificateName } = facts;
  const { pick: said } = facts.dialogs;
  return {
    frame: "alert",
    title: "",
    parts: [
      centred(said.safari, "bold"),
      ...older(facts),
      item({ words: certificateName, sign: "card", mark: 1, isOn: true, isName: true }),
      wideButtons([{ words: said.continue, mark: 2 }, { words: said.cancel }]),
    ],
  };
}

function android(facts: SceneFacts): Panel {
  const { certificateName } = facts;
  const { pick: said } = facts.dialogs;
  return {
    frame: "alert",
    title: "",
    parts: [
      text(said.android, "bold"),
      text(said.androidAsk),
      ...older(facts),
      item({ words: certificateName, sign: "card", mark: 1, isOn: true, isName: true }),
      buttons([{ words: said.refuse }, { words: said.choose, mark: 2 }], 18),
    ],
  };
}

const PANELS: Readonly<Record<Picker, readonly ((facts: SceneFacts) => Panel)[]>> = {
  chromium: [list],
  safari: [safari],
  safariFile: [safari, keychain],
  firefox: [firefox],
  apple: [apple],
  android: [android],
  plain: [list],
};

/** Choosing the certificate in the browser's own question. There it is chosen already where there is but one. */
export function pickScene(picker: Picker, facts: SceneFacts): Scene {
  return {
    id: "pick",
    words: facts.words.pick[picker],
    columns: PANELS[picker].map((draw) => [draw(facts)]),
    actions: PANELS[picker].length,
  };
}
