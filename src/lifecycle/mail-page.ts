import type { MailContent } from "../delivery/mail-message.ts";

/** One piece of a mail between its heading and its button. */
export type MailBlock =
  | { readonly kind: "paragraph"; readonly text: string }
  | { readonly kind: "item"; readonly text: string }
  /** Between what belongs to one thing and to the next. */
  | { readonly kind: "gap" }
  /** A name and what it is, aligned under each other. */
  | {
      readonly kind: "fact";
      readonly name: string;
      readonly value: string;
      readonly isMain: boolean;
      /** Where it leads, on a line of its own. */
      readonly link?: string;
    };

export interface MailPage {
  readonly language: "ja" | "en";
  readonly subject: string;
  /** The button's colour, on which white can be read; absent or undefined: Suido's own. */
  readonly accent?: string | undefined;
  /** Who is addressed, where that is known. */
  readonly greeting?: string;
  readonly title: string;
  readonly blocks: readonly MailBlock[];
  /** What to do, above the button. */
  readonly todo: string;
  /** Whether it stands before everything else: where the mail asks for something, and does not only tell. */
  readonly isTodoFirst?: boolean;
  /** Absent where nothing is to be opened. */
  readonly button?: { readonly label: string; readonly link: string };
  /** Who can help, and how to reach them where that is known. */
  readonly help?: { readonly text: string; readonly contact?: string };
  /** Why this mail came. */
  readonly foot: readonly string[];
}

export function paragraph(text: string): MailBlock {
  return { kind: "paragraph", text };
}

export function fact(name: string, value: string, isMain = false): MailBlock {
  return { kind: "fact", name, value, isMain };
}

/** Digits in groups, as people read them to each other. */
export function inGroups(digits: string, size: number): string {
  return digits.match(new RegExp(`.{1,${size}}`, "g"))?.join(" ") ?? "";
}

/** Both forms of a mail, with the same words in the same order. */
export function mailPage(page: MailPage): MailContent {
  return { subject: page.subject, text: textOf(page), html: htmlOf(page) };
}

function textOf(page: MailPage): string {
  const { greeting, title, blocks, todo, isTodoFirst = false, button, help, foot } = page;
  const lines = blocks.map((block) => {
    switch (block.kind) {
      case "paragraph":
        return `${block.text}\n`;
      case "item":
        return `・${block.text}`;
      case "fact":
        return [
          `${block.name}: ${block.value}`,
          ...(block.link === undefined ? [] : [block.link, ""]),
        ].join("\n");
      case "gap":
        return "";
    }
  });
  const action = [todo, "", ...(button === undefined ? [] : [button.label, button.link, ""])];
  return [
    ...(greeting === undefined ? [] : [greeting, ""]),
    title,
    "",
    ...(isTodoFirst ? [...action, ...lines, ""] : [...lines, "", ...action]),
    ...(help === undefined
      ? []
      : [help.text, ...(help.contact === undefined ? [] : [help.contact]), ""]),
    "--",
    ...foot,
    "",
  ].join("\n");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** The text as it may stand in an element or in a quoted attribute. */
function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

/** Mail programs drop style sheets, variables and flex boxes: colours of the light theme, written out on each element. */
const STYLE = {
  body: "margin:0;padding:0;background:#f6fafa",
  font: "font-family:'Hiragino Sans','Yu Gothic UI','Noto Sans JP','Noto Sans CJK JP',sans-serif;color:#12303a",
  card: "background:#ffffff;border:1px solid #d5e2e5;border-radius:14px;padding:28px 24px",
  title:
    "margin:0 0 16px;font-size:22px;line-height:1.45;font-weight:700;text-wrap:balance;word-break:auto-phrase",
  text: "margin:0 0 16px;font-size:17px;line-height:1.75;text-wrap:pretty;word-break:auto-phrase",
  name: "padding:6px 16px 6px 0;font-size:15px;line-height:1.6;color:#48636d;white-space:nowrap;vertical-align:top",
  // An address is one long word, and a telephone is narrow.
  value: "padding:6px 0;font-size:17px;line-height:1.6;vertical-align:top;overflow-wrap:anywhere",
  gap: "height:20px",
  main: "padding:6px 0;font-size:19px;line-height:1.5;font-weight:700;vertical-align:top",
  button:
    "display:inline-block;padding:14px 28px;border-radius:999px;color:#ffffff;font-size:17px;font-weight:700;text-decoration:none",
  link: "margin:12px 0 24px;font-size:15px;line-height:1.6;color:#48636d;word-break:break-all",
  way: "font-size:15px;font-weight:400;line-height:1.6;word-break:break-all",
  help: "margin:24px 0 0;padding:16px 0 0;border-top:1px solid #d5e2e5;font-size:17px;line-height:1.75;text-wrap:pretty;word-break:auto-phrase",
  contact: "font-size:19px;font-weight:700",
  // A telephone number stays in one piece.
  word: "display:inline-block",
  foot: "margin:0 0 8px;font-size:15px;line-height:1.7;color:#48636d;text-wrap:pretty;word-break:auto-phrase",
} as const;

/** `--water` of the light pages. */
const WATER = "#0b6a82";

const linkOf = (link: string | undefined): string =>
  link === undefined
    ? ""
    : `<br><a href="${escape(link)}" style="${STYLE.way}">${escape(link)}</a>`;

function factRows(blocks: readonly MailBlock[]): string {
  const rows = blocks
    .filter((block) => block.kind === "fact" || block.kind === "gap")
    .map((block) =>
      block.kind === "gap"
        ? `<tr><td colspan="2" style="${STYLE.gap}"></td></tr>`
        : `<tr><td style="${STYLE.name}">${escape(block.name)}</td><td style="${block.isMain ? STYLE.main : STYLE.value}">${escape(block.value)}${linkOf(block.link)}</td></tr>`,
    );
  return rows.length === 0
    ? ""
    : `<table role="presentation" cellpadding="0" cellspacing="0" style="margin:0 0 20px">${rows.join("")}</table>`;
}

function proseOf(blocks: readonly MailBlock[]): string {
  const items = blocks.filter(({ kind }) => kind === "item");
  const list = items
    .map((item) => ("text" in item ? `<li>${escape(item.text)}</li>` : ""))
    .join("");
  const paragraphs = blocks
    .filter((block) => block.kind === "paragraph")
    .map(({ text }) => `<p style="${STYLE.text}">${escape(text)}</p>`)
    .join("");
  return list === ""
    ? paragraphs
    : `${paragraphs}<ul style="${STYLE.text};padding-left:1.4em">${list}</ul>`;
}

function helpOf({ help }: MailPage): string {
  if (help === undefined) return "";
  const { text, contact } = help;
  const words = contact
    ?.split(" ")
    .map((word) => `<span style="${STYLE.word}">${escape(word)}</span>`);
  const line =
    words === undefined ? "" : `<br><span style="${STYLE.contact}">${words.join(" ")}</span>`;
  return `<p style="${STYLE.help}">${escape(text)}${line}</p>`;
}

function buttonOf({ accent = WATER, button }: MailPage): string {
  if (button === undefined) return "";
  const link = escape(button.link);
  return `<a href="${link}" style="background:${accent};${STYLE.button}">${escape(button.label)}</a>
<p style="${STYLE.link}">${link}</p>`;
}

function htmlOf(page: MailPage): string {
  const { language, subject, greeting, title, blocks, todo, isTodoFirst = false, foot } = page;
  const action = `<p style="${STYLE.text}">${escape(todo)}</p>
${buttonOf(page)}`;
  const hello = greeting === undefined ? "" : `<p style="${STYLE.text}">${escape(greeting)}</p>`;
  return `<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(subject)}</title></head>
<body style="${STYLE.body}">
<div style="max-width:600px;margin:0 auto;padding:24px 16px;${STYLE.font}">
<div style="${STYLE.card}">
${hello}
<h1 style="${STYLE.title}">${escape(title)}</h1>
${isTodoFirst ? action : ""}
${proseOf(blocks)}
${factRows(blocks)}
${isTodoFirst ? "" : action}
${helpOf(page)}
</div>
<div style="padding:20px 8px 0">
${foot.map((line) => `<p style="${STYLE.foot}">${escape(line)}</p>`).join("\n")}
</div>
</div>
</body>
</html>
`;
}
