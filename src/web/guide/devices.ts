import type { Panel } from "./frames.ts";
import { buttons, centred, choice, field, gap, item, type Part, text, wideButtons } from "./kit.ts";
import type { Scene, SceneFacts } from "./scene.ts";

function savedFile({ dialogs, fileName }: SceneFacts): Panel {
  return {
    frame: "phone",
    title: dialogs.browser.downloads,
    parts: [item({ words: fileName, sign: "file", mark: 1, isOn: true }), gap(30)],
  };
}

function downloaded({ dialogs: { apple: said } }: SceneFacts): Panel {
  return {
    frame: "alert",
    title: "",
    parts: [
      centred(said.downloaded, "bold"),
      centred(said.review),
      wideButtons([{ words: said.close, mark: 2 }]),
    ],
  };
}

/** The step in which the downloaded profile is opened. */
function settings({ words, dialogs: { apple: said } }: SceneFacts): Scene {
  const home: Panel = {
    frame: "phone",
    title: "",
    parts: [item({ words: said.settings, sign: "gear", mark: 1, isOn: true })],
  };
  const first: Panel = {
    frame: "phone",
    title: said.settings,
    parts: [
      item({ words: said.downloaded, mark: 2, isOn: true }),
      item({ words: said.airplane }),
      item({ words: said.wifi }),
      item({ words: said.general, sign: "gear" }),
    ],
  };
  return { id: "settings", words: words.apple.settings, columns: [[home], [first]], actions: 2 };
}

/** The screens from the profile to the last question. */
function installing(
  { certificateName, dialogs: { apple: said } }: SceneFacts,
  state: string,
): Readonly<Record<"profile" | "passcode" | "ask", Panel>> {
  return {
    profile: {
      frame: "phone",
      title: said.profile,
      parts: [
        buttons([{ words: said.install, mark: 1 }], 18),
        item({ words: certificateName, more: state, sign: "card", isName: true }),
      ],
    },
    passcode: { frame: "phone", title: said.passcode, parts: [field({ isHidden: true, mark: 2 })] },
    ask: {
      frame: "alert",
      title: "",
      parts: [centred(said.installing, "bold"), wideButtons([{ words: said.install, mark: 3 }])],
    },
  };
}

function finished(
  words: { readonly installed: string; readonly done: string },
  mark: number,
): Panel {
  return {
    frame: "phone",
    title: words.installed,
    parts: [buttons([{ words: words.done, mark }], 18)],
  };
}

/** iPhone and iPad: a signed profile, which asks for no password of its own. */
export function appleProfileScenes(facts: SceneFacts): readonly Scene[] {
  const { apple: words } = facts.words;
  const { apple: said } = facts.dialogs;
  const { profile, passcode, ask } = installing(facts, said.signed);
  const allow: Panel = {
    frame: "alert",
    title: "",
    parts: [
      centred(said.ask),
      wideButtons([{ words: said.allow, mark: 1 }, { words: said.ignore }]),
    ],
  };
  const columns = [
    [profile, passcode],
    [ask, finished(said, 4)],
  ];
  return [
    { id: "allow", words: words.allow, columns: [[allow], [downloaded(facts)]], actions: 2 },
    settings(facts),
    { id: "install", words: words.install, columns, actions: 4 },
  ];
}

/** iPhone and iPad: a file, whose password is asked for. */
export function appleFileScenes(facts: SceneFacts): readonly Scene[] {
  const { apple: words } = facts.words;
  const { apple: said } = facts.dialogs;
  const { profile, passcode, ask } = installing(facts, said.unsigned);
  const password: Panel = {
    frame: "phone",
    title: said.password,
    parts: [field({ isHidden: true, mark: 1 }), buttons([{ words: said.next, mark: 2 }], 18)],
  };
  return [
    {
      id: "open",
      words: words.file,
      columns: [[savedFile(facts)], [downloaded(facts)]],
      actions: 2,
    },
    settings(facts),
    { id: "install", words: words.installFile, columns: [[profile], [passcode, ask]], actions: 3 },
    {
      id: "password",
      words: words.password,
      columns: [[password], [finished(said, 3)]],
      actions: 3,
      needsPassword: true,
    },
  ];
}

function dialog(title: string, parts: Panel["parts"]): Panel {
  return { frame: "alert", title: "", parts: [text(title, "bold"), ...parts] };
}

/** Android: a file, by the dialogs of its settings. */
export function androidScenes(facts: SceneFacts): readonly Scene[] {
  const { android: words } = facts.words;
  const { android: said } = facts.dialogs;
  const foot = (mark: number): Part =>
    buttons([{ words: said.cancel }, { words: said.ok, mark }], 18);
  const password = dialog(said.extract, [
    field({ label: said.password, isHidden: true, mark: 1 }),
    foot(2),
  ]);
  const kind = dialog(said.kind, [
    choice({ words: said.vpn, isOn: true, mark: 1 }),
    choice({ words: said.wifi }),
    foot(2),
  ]);
  const name = dialog(said.name, [
    field({ label: said.nameLabel, value: facts.certificateName, isName: true }),
    foot(1),
  ]);
  return [
    { id: "open", words: words.open, columns: [[savedFile(facts)]], actions: 1 },
    {
      id: "password",
      words: words.password,
      columns: [[password]],
      actions: 2,
      needsPassword: true,
    },
    { id: "kind", words: words.kind, columns: [[kind]], actions: 2 },
    { id: "name", words: words.name, columns: [[name]], actions: 1 },
  ];
}
