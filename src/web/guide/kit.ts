import { html, type Child, type Html } from "../html.ts";

/** Where something is drawn, and how wide it may be. In units of the drawing: on a phone about a pixel each. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** What was drawn, and how much height it took. */
export interface Drawn {
  readonly shapes: Html;
  readonly height: number;
}

/** A part of a dialog: it fits itself to the width that there is. */
export type Part = (place: Place) => Drawn;

export interface Box extends Place {
  readonly height: number;
}

/** Of the letters, and from one line to the next. */
const LETTER = 15;
const LINE = 23;

/** The number at a place to press, and how far it reaches into what it stands at. */
const MARK_RADIUS = 13;
const MARK_ROOM = 18;

/** Half-width letters are about so much of a full one, in the fonts of the pages. */
const HALF = 0.57;

/** How long a text is about. Fonts differ: whoever draws around it leaves room. */
function widthOf(words: string): number {
  const widths = Array.from(words).map((letter) =>
    /[\u0020-\u024F\u2018-\u201D]/.test(letter) ? HALF : 1,
  );
  return widths.reduce((sum, width) => sum + width, 0) * LETTER;
}

/** Words, also those in katakana, and single letters with the signs that must not begin or end a line (JIS X 4051). */
const PIECES = /[!-~\u2018-\u201D]+ ?|[「(]?(?:[ァ-ヴー]+|[^!-~])[、。」)っゃゅょ…]*| /g;

function broken(words: string, width: number): readonly string[] {
  const lines = [""];
  for (const piece of words.match(PIECES) ?? []) {
    const line = `${lines.at(-1)}${piece}`;
    if (widthOf(line.trimEnd()) <= width || lines.at(-1) === "") lines[lines.length - 1] = line;
    else lines.push(piece);
  }
  return lines.map((line) => line.trim());
}

/** As few lines as there can be, and of about the same length: none with a last letter alone. */
function linesOf(words: string, width: number): readonly string[] {
  let lines = broken(words, width);
  if (lines.length === 1) return lines;
  for (let narrower = width - LETTER; narrower > LETTER; narrower -= LETTER) {
    const tried = broken(words, narrower);
    if (tried.length > lines.length) break;
    lines = tried;
  }
  return lines;
}

/** A name that is too long without its middle: its beginning tells which, its end what kind. */
function fitted(name: string, width: number): string {
  const all = Array.from(name);
  if (widthOf(name) <= width) return name;
  for (let kept = all.length - 1; kept > 2; kept -= 1) {
    const end = Math.min(7, kept >> 1);
    const short = [...all.slice(0, kept - end), "…", ...all.slice(-end)].join("");
    if (widthOf(short) <= width) return short;
  }
  return name;
}

/** A rectangle. The class says what it is; the sheet says how that looks. */
export function box(kind: string, { x, y, width, height }: Box, radius = 0): Html {
  const round = radius > 0 && html` rx="${radius}"`;
  return html`<rect
    class="${kind}"
    x="${x}"
    y="${y}"
    width="${width}"
    height="${height}"
    ${round}
  />`;
}

export function stroke(kind: string, path: string): Html {
  return html`<path class="${kind}" d="${path}" />`;
}

/** One line of text: `x` is its beginning, or its middle for a kind that is centred. */
export function letters(kind: string, { x, y }: Pick<Place, "x" | "y">, words: Child): Html {
  return html`<text class="${kind}" x="${x}" y="${y}">${words}</text>`;
}

/** The number of what is done here. */
function mark(number: number, { x, y }: Pick<Place, "x" | "y">): Html {
  return html`<g class="mark"
    ><circle cx="${x}" cy="${y}" r="${MARK_RADIUS}" />${letters("mid", { x, y: y + 5 }, number)}</g
  >`;
}

/** Puts a number and a frame around what is to be pressed or seen to. */
export function marked(number: number | undefined, area: Box): Html | false {
  if (number === undefined) return false;
  const { x, y, height } = area;
  return html`${box("ring", area, 9)}${mark(number, { x, y: y + height / 2 })}`;
}

/** Parts one below the other. */
export function stacked(parts: readonly Part[], place: Place): Drawn {
  let { y } = place;
  const shapes = parts.map((part) => {
    const drawn = part({ ...place, y });
    y += drawn.height;
    return drawn.shapes;
  });
  return { shapes: html`${shapes}`, height: y - place.y };
}

export function gap(height: number): Part {
  return () => ({ shapes: html``, height });
}

/** A text over as many lines as it needs. */
export function text(words: string, kind: "" | "bold" | "soft" = ""): Part {
  return ({ x, y, width }) => {
    const lines = linesOf(words, width);
    return {
      shapes: html`${lines.map((line, index) => letters(kind, { x, y: y + 16 + index * LINE }, line))}`,
      height: lines.length * LINE + 6,
    };
  };
}

/** The same in the middle, as phones say it. */
export function centred(words: string, kind: "" | "bold" | "soft" = ""): Part {
  return ({ x, y, width }) => {
    const lines = linesOf(words, width);
    return {
      shapes: html`${lines.map((line, index) =>
        letters(`mid ${kind}`.trim(), { x: x + width / 2, y: y + 16 + index * LINE }, line),
      )}`,
      height: lines.length * LINE + 6,
    };
  };
}

/** The certificate's name. A page that learns it late finds it by `data-key`. */
function nameAt({ x, y }: Pick<Place, "x" | "y">, name: string): Html {
  return html`<text class="bold" data-key="name" x="${x}" y="${y}">${name}</text>`;
}

interface Choice {
  readonly words: string;
  readonly isOn?: boolean;
  readonly mark?: number;
  /** The square of a thing to tick instead of the circle of a choice. */
  readonly isSquare?: boolean;
}

/** A choice among several, or a thing to tick. */
export function choice({ words, isOn = false, mark: number, isSquare = false }: Choice): Part {
  return ({ x, y, width }) => {
    const left = x + MARK_ROOM;
    const lines = linesOf(words, width - MARK_ROOM - 34);
    const height = lines.length * LINE + 15;
    const kind = isOn ? "knob on" : "knob";
    const dot = html`<circle class="${kind}" cx="${left + 9}" cy="${y + 19}" r="8" />`;
    const square = box(kind, { x: left + 1, y: y + 11, width: 16, height: 16 }, 3);
    const core = isOn && html`<circle class="water" cx="${left + 9}" cy="${y + 19}" r="4" />`;
    const said = lines.map((line, index) =>
      letters(isOn ? "bold" : "", { x: left + 28, y: y + 24 + index * LINE }, line),
    );
    return {
      shapes: html`${isSquare ? square : dot}${core}${said}${marked(number, { x, y: y + 1, width, height: height - 2 })}`,
      height,
    };
  };
}

interface Field {
  readonly label?: string;
  readonly value?: string;
  /** Drawn as dots, as a password is. */
  readonly isHidden?: boolean;
  readonly mark?: number;
  readonly isName?: boolean;
}

/** A field with what stands in it. */
export function field({
  label,
  value = "",
  isHidden = false,
  mark: number,
  isName = false,
}: Field): Part {
  return ({ x, y, width }) => {
    const said = label === undefined ? undefined : text(label, "soft")({ x, y, width });
    const top = y + (said?.height ?? 0) + 2;
    const area = { x, y: top, width, height: 38 };
    const inner = { x: x + MARK_ROOM, y: top + 25 };
    const dots = isHidden && html`<path class="dots" d="M${inner.x + 4} ${top + 19}h112" />`;
    const fit = fitted(value, width - MARK_ROOM - 12);
    const shown = isName ? nameAt(inner, fit) : letters("", inner, fit);
    return {
      shapes: html`${said?.shapes}${box("field", area, 5)}${isHidden ? dots : shown}${marked(number, area)}`,
      height: top + 38 + 8 - y,
    };
  };
}

export interface Button {
  readonly words: string;
  /** The one to press. */
  readonly mark?: number;
}

function button({ words, mark: number }: Button, area: Box, radius: number): Html {
  const middle = { x: area.x + area.width / 2, y: area.y + area.height / 2 + 5 };
  const isNext = number !== undefined;
  const said = letters(
    isNext ? "mid go" : "mid soft",
    { ...middle, x: middle.x + (isNext ? 5 : 0) },
    words,
  );
  const { x, y, height } = area;
  return html`${box(isNext ? "next" : "key", area, radius)}${said}${isNext && mark(number, { x, y: y + height / 2 })}`;
}

/** The buttons at the foot of a dialog, from the right, as wide as their words. */
export function buttons(all: readonly Button[], radius = 5): Part {
  return ({ x, y, width }) => {
    const spare = 14;
    const natural = all.map(({ words }) => Math.max(widthOf(words) + 40, 84));
    const total = natural.reduce((sum, each) => sum + each + spare, -spare);
    const scale = Math.min(1, width / total);
    let left = x + width - Math.min(total, width);
    const shapes = all.map((each, index) => {
      const wide = Math.round((natural[index] ?? 0) * scale);
      const area = { x: Math.round(left), y: y + 8, width: wide, height: 36 };
      left += wide + spare * scale;
      return button(each, area, radius);
    });
    return { shapes: html`${shapes}`, height: 52 };
  };
}

/** Buttons one below the other over the whole width, as phones have them. */
export function wideButtons(all: readonly Button[]): Part {
  return ({ x, y, width }) => ({
    shapes: html`${all.map((each, index) =>
      button(each, { x, y: y + 6 + index * 50, width, height: 42 }, 12),
    )}`,
    height: all.length * 50 + 4,
  });
}

interface Item {
  readonly words: string;
  readonly more?: string;
  readonly mark?: number;
  /** Chosen, as lists show it. */
  readonly isOn?: boolean;
  readonly sign?: "file" | "card" | "gear" | "more";
  /** Filled in by the page's script, once it is known. */
  readonly isName?: boolean;
}

/** What stands before a line of a list, in a square of 20. */
const SIGNS = {
  file: "M4 1h8l5 5v13h-13zM12 1v5h5",
  card: "M1 3h18v14h-18zM4 8h7M4 12h4M15 10v5",
  gear: "M10 6a4 4 0 1 0 0 8a4 4 0 1 0 0-8M10 1v3M10 16v3M1 10h3M16 10h3M3.6 3.6l2 2M14.4 14.4l2 2M16.4 3.6l-2 2M5.6 14.4l-2 2",
  more: "",
} as const;

/** A line of a list: a file, a setting, a certificate. */
export function item({
  words,
  more,
  mark: number,
  isOn = false,
  sign,
  isName = false,
}: Item): Part {
  return ({ x, y, width }) => {
    const left = x + MARK_ROOM + (sign === undefined ? 0 : 32);
    const room = width - (left - x) - 10;
    const lines = isName || sign === "file" ? [fitted(words, room)] : linesOf(words, room);
    const height = lines.length * LINE + (more === undefined ? 17 : 38);
    const area = { x, y: y + 2, width, height: height - 4 };
    const icon =
      sign !== undefined &&
      html`<path
        class="icon"
        transform="translate(${x + MARK_ROOM + 2} ${y + 9})"
        d="${SIGNS[sign]}"
      />`;
    const said = lines.map((line, index) => {
      const at = { x: left, y: y + 24 + index * LINE };
      return isName ? nameAt(at, line) : letters(number === undefined ? "" : "bold", at, line);
    });
    const second =
      more !== undefined &&
      letters("soft", { x: left, y: y + 24 + lines.length * LINE }, fitted(more, room));
    return {
      shapes: html`${isOn && box("chosen", area, 9)}${icon}${said}${second}${marked(number, area)}`,
      height,
    };
  };
}
