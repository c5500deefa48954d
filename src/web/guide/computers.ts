import type { Panel } from "./frames.ts";
import type { GuideStepWords } from "../messages/guide-words.ts";
import { type Button, buttons, choice, field, gap, item, text } from "./kit.ts";
import type { Scene, SceneFacts } from "./scene.ts";

/** The browser just after the download, with its list open. */
function downloads(
  { dialogs, fileName, browser }: SceneFacts,
  file: number,
  arrow?: number,
): Panel {
  const { address, downloads: title, openFile } = dialogs.browser;
  const more = browser === "edge" ? { more: openFile } : {};
  return {
    frame: "downloads",
    title: address,
    ...(arrow !== undefined && { mark: arrow }),
    parts: [
      text(title, "soft"),
      item({ words: fileName, sign: "file", mark: file, isOn: true, ...more }),
    ],
  };
}

/** The window in which a file is chosen. */
export function chooser(
  { fileName }: SceneFacts,
  words: { readonly folder: string; readonly open: string; readonly cancel: string },
  first: number,
): Panel {
  return {
    frame: "windows",
    title: words.folder,
    parts: [
      item({ words: fileName, sign: "file", mark: first, isOn: true }),
      gap(34),
      buttons([{ words: words.open, mark: first + 1 }, { words: words.cancel }]),
    ],
  };
}

/** A page of the wizard, with the button that leads on. */
function wizard(facts: SceneFacts, parts: Panel["parts"], next: Button): Panel {
  const { wizard: title, cancel } = facts.dialogs.windows;
  return {
    frame: "windows",
    title,
    parts: [...parts, gap(6), buttons([next, { words: cancel }])],
  };
}

/** Windows: the Certificate Import Wizard. */
export function windowsScenes(facts: SceneFacts): readonly Scene[] {
  const { windows: words } = facts.words;
  const { windows: said } = facts.dialogs;
  const store = [
    text(said.location, "bold"),
    choice({ words: said.currentUser, isOn: true, mark: 1 }),
    choice({ words: said.localMachine }),
  ];
  const file = [text(said.file, "bold"), field({ label: said.fileName, value: facts.fileName })];
  const password = [
    text(said.privateKey, "bold"),
    field({ label: said.password, isHidden: true, mark: 1 }),
    choice({ words: said.strong, isSquare: true }),
  ];
  const place = [
    text(said.place, "bold"),
    choice({ words: said.automatic, isOn: true }),
    choice({ words: said.following }),
  ];
  const success: Panel = {
    frame: "windows",
    title: said.wizard,
    parts: [gap(4), text(said.success), buttons([{ words: said.ok, mark: 3 }])],
  };
  const completing = wizard(facts, [text(said.completing, "bold")], {
    words: said.finish,
    mark: 2,
  });
  return [
    { id: "open", words: words.open, columns: [[downloads(facts, 1)]], actions: 1 },
    {
      id: "store",
      words: words.store,
      columns: [
        [wizard(facts, store, { words: said.next, mark: 2 })],
        [wizard(facts, file, { words: said.next, mark: 3 })],
      ],
      actions: 2,
    },
    {
      id: "password",
      words: words.password,
      columns: [[wizard(facts, password, { words: said.next, mark: 2 })]],
      actions: 2,
      needsPassword: true,
    },
    {
      id: "finish",
      words: words.finish,
      columns: [[wizard(facts, place, { words: said.next, mark: 1 })], [completing, success]],
      actions: 3,
    },
  ];
}

/** The saved file, on a Mac. Safari asks first whether the site may save anything at all: of each site once. */
function macOpenScene(facts: SceneFacts, words: GuideStepWords): Scene {
  const list = (before: number): Panel => downloads(facts, before + 2, before + 1);
  if (facts.browser !== "safari") return { id: "open", words, columns: [[list(0)]], actions: 2 };
  const { alt, todo } = facts.words.macDownload;
  const { mac: said } = facts.dialogs;
  const ask: Panel = {
    frame: "mac",
    title: "Safari",
    parts: [
      text(said.download, "bold"),
      gap(6),
      buttons([{ words: said.cancel }, { words: said.allow, mark: 1 }]),
    ],
  };
  return {
    id: "open",
    words: { ...words, alt: `${alt} ${words.alt}`, dos: [todo, ...words.dos] },
    columns: [[ask], [list(1)]],
    actions: 3,
  };
}

/** macOS: a profile, by System Settings. */
export function macProfileScenes(facts: SceneFacts): readonly Scene[] {
  const { macProfile: words } = facts.words;
  const { mac: said } = facts.dialogs;
  const menu: Panel = {
    frame: "menubar",
    title: "",
    parts: [item({ words: said.openSettings, sign: "gear", mark: 1 })],
  };
  const settings: Panel = {
    frame: "mac",
    title: said.settings,
    parts: [
      item({ words: said.downloaded, sign: "gear", mark: 2 }),
      item({ words: said.general, sign: "gear" }),
    ],
  };
  const management: Panel = {
    frame: "mac",
    title: said.management,
    parts: [
      text(said.notInstalled, "soft"),
      item({ words: said.profile, sign: "card", mark: 3, isOn: true }),
    ],
  };
  const ask: Panel = {
    frame: "mac",
    title: said.profile,
    parts: [
      text(said.ask, "bold"),
      gap(6),
      buttons([{ words: said.cancel }, { words: said.install, mark: 1 }]),
    ],
  };
  const enter: Panel = {
    frame: "mac",
    title: said.settings,
    parts: [
      text(said.enter, "bold"),
      field({ label: said.password, isHidden: true }),
      buttons([{ words: said.cancel }, { words: said.ok, mark: 2 }]),
    ],
  };
  return [
    macOpenScene(facts, words.open),
    {
      id: "settings",
      words: words.settings,
      columns: [[menu], [settings, management]],
      actions: 3,
    },
    { id: "install", words: words.install, columns: [[ask], [enter]], actions: 2 },
  ];
}

/** macOS: a file, by Keychain Access. */
export function macFileScenes(facts: SceneFacts): readonly Scene[] {
  const { macFile: words } = facts.words;
  const { mac: said } = facts.dialogs;
  const add: Panel = {
    frame: "mac",
    title: said.keychains,
    parts: [
      field({ label: said.keychain, value: said.login, mark: 1 }),
      gap(4),
      buttons([{ words: said.cancel }, { words: said.add, mark: 2 }]),
    ],
  };
  const password: Panel = {
    frame: "mac",
    title: said.keychains,
    parts: [
      field({ label: said.filePassword, isHidden: true, mark: 1 }),
      gap(4),
      buttons([{ words: said.cancel }, { words: said.ok, mark: 2 }]),
    ],
  };
  return [
    macOpenScene(facts, words.open),
    { id: "add", words: words.add, columns: [[add]], actions: 1 },
    {
      id: "password",
      words: words.password,
      columns: [[password]],
      actions: 2,
      needsPassword: true,
    },
  ];
}

/** Firefox on a computer: its own certificates. */
export function firefoxScenes(facts: SceneFacts): readonly Scene[] {
  const { firefox: words } = facts.words;
  const { firefox: said } = facts.dialogs;
  const menu: Panel = {
    frame: "lines",
    title: facts.dialogs.browser.address,
    mark: 1,
    parts: [item({ words: said.settings, sign: "gear", mark: 2 })],
  };
  const settings: Panel = {
    frame: "page",
    title: said.settings,
    parts: [
      field({ value: said.certificates, mark: 3 }),
      text(said.certificates, "bold"),
      buttons([{ words: said.view, mark: 4 }]),
    ],
  };
  const manager: Panel = {
    frame: "windows",
    title: said.manager,
    parts: [
      item({ words: said.yours, mark: 1, isOn: true }),
      item({ words: said.servers }),
      gap(20),
      buttons([{ words: said.import, mark: 2 }]),
    ],
  };
  const password: Panel = {
    frame: "windows",
    title: said.enter,
    parts: [
      field({ isHidden: true, mark: 1 }),
      gap(4),
      buttons([{ words: said.signIn, mark: 2 }, { words: said.cancel }]),
    ],
  };
  return [
    { id: "settings", words: words.settings, columns: [[menu], [settings]], actions: 4 },
    { id: "import", words: words.import, columns: [[manager]], actions: 2 },
    { id: "file", words: words.file, columns: [[chooser(facts, said, 1)]], actions: 2 },
    {
      id: "password",
      words: words.password,
      columns: [[password]],
      actions: 2,
      needsPassword: true,
    },
  ];
}

/** Whatever else: the way that is alike everywhere. */
export function plainScenes(facts: SceneFacts): readonly Scene[] {
  const { plain: words } = facts.words;
  const { plain: said, pick } = facts.dialogs;
  const settings: Panel = {
    frame: "page",
    title: said.settings,
    parts: [
      field({ value: said.search, mark: 1 }),
      item({ words: said.manage, sign: "card", mark: 2 }),
    ],
  };
  const list: Panel = {
    frame: "page",
    title: said.settings,
    parts: [text(said.yours, "bold"), gap(8), buttons([{ words: said.import, mark: 1 }])],
  };
  const password: Panel = {
    frame: "page",
    title: said.settings,
    parts: [
      field({ label: said.password, isHidden: true, mark: 1 }),
      gap(4),
      buttons([{ words: said.ok, mark: 2 }, { words: pick.cancel }]),
    ],
  };
  const choose = chooser(facts, { ...said, cancel: pick.cancel }, 2);
  return [
    { id: "settings", words: words.settings, columns: [[settings]], actions: 2 },
    { id: "file", words: words.file, columns: [[list], [choose]], actions: 3 },
    {
      id: "password",
      words: words.password,
      columns: [[password]],
      actions: 2,
      needsPassword: true,
    },
  ];
}
