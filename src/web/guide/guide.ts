import type { Html } from "../html.ts";
import { GUIDE_EN } from "../messages/guide-en.ts";
import { GUIDE_JA } from "../messages/guide-ja.ts";
import type { GuideStepWords, GuideTrouble } from "../messages/guide-words.ts";
import {
  firefoxScenes,
  macFileScenes,
  macProfileScenes,
  plainScenes,
  windowsScenes,
} from "./computers.ts";
import { androidScenes, appleFileScenes, appleProfileScenes } from "./devices.ts";
import type { Panel } from "./frames.ts";
import { item } from "./kit.ts";
import { type Picker, pickScene } from "./pick.ts";
import { picture } from "./picture.ts";
import type { GuideBrowser, Scene, SceneFacts } from "./scene.ts";

/** The ways in which a saved file is put onto a device, each with dialogs of its own. */
export type GuideKind =
  | "windows"
  | "macos-profile"
  | "macos-file"
  /** iPhone and iPad. */
  | "apple-profile"
  | "apple-file"
  | "android"
  | "firefox"
  /** ChromeOS, Linux and whatever else. */
  | "plain";

/** One screen of a guide. */
export interface GuideStep {
  /** Stable, for what pages report: `open`, `password`, … The last is `pick`. */
  readonly id: string;
  readonly title: string;
  readonly intro?: string;
  /** The dialogs, drawn for a wide screen and for a phone. Its sheet is `guide.css`. */
  readonly picture: Html;
  /** Numbered as the numbers in the picture. */
  readonly dos: readonly string[];
  /** Whether the page shows the password here, with a button that copies it. */
  readonly needsPassword: boolean;
  /** The button: what the person saw when it worked. */
  readonly done: string;
  readonly troubles: readonly GuideTrouble[];
}

/** How a certificate gets onto a device, a screen after the other. */
export interface Guide {
  readonly kind: GuideKind;
  /** What somebody needs who has never done it. */
  readonly minutes: number;
  /** Clicks or taps in the dialogs of the platform. */
  readonly actions: number;
  readonly steps: readonly GuideStep[];
}

/** Whom a guide is for. */
export interface GuideFacts {
  readonly language: "ja" | "en";
  /** Of the saved file, with its ending. */
  readonly fileName: string;
  /**
   * As the browser's picker shows it. Absent where it is not yet known: sentences then hold `{certificate}`, and drawings
   * a `data-key="name"` whose text a script sets.
   */
  readonly certificateName?: string;
  readonly browser: GuideBrowser;
}

const MESSAGES = { ja: GUIDE_JA, en: GUIDE_EN } as const;

interface Way {
  readonly scenes: (facts: SceneFacts) => readonly Scene[];
  readonly picker: (browser: GuideBrowser) => Picker;
}

const ofComputer = (browser: GuideBrowser): Picker =>
  browser === "firefox" || browser === "safari" ? browser : "chromium";

const WAYS: Readonly<Record<GuideKind, Way>> = {
  windows: { scenes: windowsScenes, picker: ofComputer },
  "macos-profile": { scenes: macProfileScenes, picker: ofComputer },
  "macos-file": {
    scenes: macFileScenes,
    picker: (browser) => (browser === "safari" ? "safariFile" : ofComputer(browser)),
  },
  "apple-profile": { scenes: appleProfileScenes, picker: () => "apple" },
  "apple-file": { scenes: appleFileScenes, picker: () => "apple" },
  android: { scenes: androidScenes, picker: () => "android" },
  firefox: { scenes: firefoxScenes, picker: () => "firefox" },
  plain: { scenes: plainScenes, picker: () => "plain" },
};

type Fill = (text: string) => string;

function filled({ seen, remedy, otherStyle }: GuideTrouble, fill: Fill): GuideTrouble {
  return { seen: fill(seen), remedy: fill(remedy), ...(otherStyle && { otherStyle }) };
}

function step({ id, words, columns, needsPassword }: Scene, fill: Fill): GuideStep {
  const { title, intro, alt, dos, done, troubles }: GuideStepWords = words;
  return {
    id,
    title,
    ...(intro !== undefined && { intro }),
    picture: picture(alt, columns),
    dos: dos.map(fill),
    needsPassword: needsPassword === true,
    done,
    troubles: troubles.map((trouble) => filled(trouble, fill)),
  };
}

/** The guide of one kind, with the names that the person will see. */
export function guideOf(kind: GuideKind, facts: GuideFacts): Guide {
  const { language, fileName, certificateName, browser } = facts;
  const words = MESSAGES[language];
  const { dialogs } = words;
  const drawn = { words, dialogs, fileName, browser, certificateName: certificateName ?? "…" };
  const { scenes, picker } = WAYS[kind];
  const all = [...scenes(drawn), pickScene(picker(browser), drawn)];
  const fill: Fill = (text) => {
    const named = text.replaceAll("{file}", () => fileName);
    return named.replaceAll("{certificate}", (found) => certificateName ?? found);
  };
  return {
    kind,
    // Half a minute a screen: to read it, to find its place, to press.
    minutes: Math.ceil(all.length / 2),
    actions: all.reduce((sum, { actions }) => sum + actions, 0),
    steps: all.map((scene) => step(scene, fill)),
  };
}

/** What the menu of a browser looks like before it is opened. */
const MENUS = {
  chrome: "dots",
  edge: "ellipsis",
  safari: "menubar",
  firefox: "lines",
  other: "dots",
} as const satisfies Record<GuideBrowser, Panel["frame"]>;

/** How all windows of a browser are closed: a drawing, and its sentences with the same numbers. */
export function closeBrowserPicture(
  browser: GuideBrowser,
  language: "ja" | "en",
): Pick<GuideStep, "picture" | "dos"> {
  const { close, dialogs } = MESSAGES[language];
  const { close: said, browser: names } = dialogs;
  const drawn: Panel = {
    frame: MENUS[browser],
    title: browser === "safari" ? "Safari" : names.address,
    mark: 1,
    parts: [
      item({ words: said.newWindow }),
      item({ words: said.history }),
      item({ words: said[browser], mark: 2 }),
    ],
  };
  return { picture: picture(close.alt, [[drawn]]), dos: close.dos[browser] };
}

/** Two certificates of a device, by the names that its browser shows. */
export interface TwoCertificates {
  readonly newer: string;
  readonly older: string;
}

/** How the newer of two is chosen in the browser's own question: a drawing, and its sentences with the same numbers. */
export function chooseNewerPicture(
  { kind, browser }: { readonly kind: GuideKind; readonly browser: GuideBrowser },
  language: "ja" | "en",
  { newer, older }: TwoCertificates,
): Pick<GuideStep, "picture" | "dos"> {
  const words = MESSAGES[language];
  const { dialogs } = words;
  const asked = WAYS[kind].picker(browser);
  // Whoever has shown one has answered the question for the key's own password before.
  const picker = asked === "safariFile" ? "safari" : asked;
  const names = { certificateName: newer, olderName: older };
  const scene = pickScene(picker, { words, dialogs, fileName: "", browser, ...names });
  const dos = scene.words.dos.map((each) => each.replaceAll("{certificate}", () => newer));
  return { picture: picture(scene.words.alt, scene.columns), dos };
}
