import { html, type Html } from "../html.ts";
import { box, type Drawn, letters, marked, type Part, type Place, stacked, stroke } from "./kit.ts";

/**
 * What a dialog is drawn in. A browser is drawn with what is pressed at its top right: the arrow of the downloads, or the
 * lines or dots of its menu; in a `page` of it nothing is.
 */
type Frame =
  | "windows"
  | "mac"
  | "menubar"
  | "page"
  | "downloads"
  | "lines"
  | "dots"
  | "ellipsis"
  | "phone"
  | "alert";

/** A dialog: its frame, what stands above, and its parts from the top. */
export interface Panel {
  readonly frame: Frame;
  /** In the bar at the top. If empty, there is no bar. */
  readonly title: string;
  /** Of what is pressed in the bar at the top. */
  readonly mark?: number;
  readonly parts: readonly Part[];
}

const PADDING = 22;
const BAR = 36;

type Bar = Pick<Panel, "title" | "mark">;
type Head = (place: Place, bar: Bar) => Html;

const lights = ({ x, y }: Place): Html =>
  html`${[20, 38, 56].map((at) => html`<circle class="light" cx="${x + at}" cy="${y + 18}" r="5.5" />`)}`;

/** The top of a browser with one of its buttons, whose path begins in its middle. */
function browser(icon: string): Head {
  return ({ x, y, width }, { title, mark }) => {
    const address = { x: x + 14, y: y + 7, width: width - 100, height: 23 };
    const middle = x + width - 30;
    const area = { x: middle - 27, y: y + 2, width: 50, height: 32 };
    return html`${box("field", address, 11)}${letters("soft", { x: x + 28, y: y + 24 }, title)}${stroke(
      "icon strong",
      `M${middle} ${y + 18}${icon}`,
    )}${marked(mark, area)}`;
  };
}

const centre: Head = ({ x, y, width }, { title }) =>
  letters("mid bold", { x: x + width / 2, y: y + 24 }, title);

/** What the top of a frame looks like. */
const HEADS: Readonly<Record<Frame, Head>> = {
  windows: ({ x, y, width }, { title }) =>
    html`${letters("bold", { x: x + 16, y: y + 24 }, title)}${stroke("icon", `M${x + width - 26} ${y + 13}l10 10m0-10l-10 10`)}`,
  mac: (place, { title }) =>
    html`${lights(place)}${letters("bold", { x: place.x + 78, y: place.y + 24 }, title)}`,
  menubar: ({ x, y }, { title, mark }) =>
    html`${letters("bold", { x: x + 40, y: y + 24 }, title)}${marked(mark, { x: x + 20, y: y + 3, width: 90, height: 30 })}`,
  page: browser(""),
  downloads: browser("m0-9v11m-5-5l5 5l5-5m-13 3v5h16v-5"),
  lines: browser("m-8-6h16m-16 6h16m-16 6h16"),
  dots: browser("m0-7v.1m0 7v.1m0 7v.1"),
  ellipsis: browser("m-7 0h.1m7 0h.1m7 0h.1"),
  phone: centre,
  alert: () => html``,
};

const RADIUS: Readonly<Record<Frame, number>> = {
  windows: 8,
  mac: 12,
  menubar: 8,
  page: 10,
  downloads: 10,
  lines: 10,
  dots: 10,
  ellipsis: 10,
  phone: 22,
  alert: 18,
};

/** A bar of its own colour with only its upper corners round. */
function topOf({ x, y, width }: Place, radius: number): Html {
  return stroke(
    "bar",
    `M${x} ${y + BAR}v${radius - BAR}a${radius} ${radius} 0 0 1 ${radius}-${radius}h${width - 2 * radius}a${radius} ${radius} 0 0 1 ${radius} ${radius}v${BAR - radius}z`,
  );
}

/** A dialog as wide as its place. */
export function panel({ frame, parts, ...bar }: Panel, place: Place): Drawn {
  const { x, y, width } = place;
  const hasBar = bar.title !== "";
  const top = hasBar ? BAR + 14 : 20;
  const inner = stacked(parts, { x: x + PADDING, y: y + top, width: width - 2 * PADDING });
  const height = top + inner.height + 14;
  const area = { ...place, height };
  const radius = RADIUS[frame];
  return {
    shapes: html`${box("ground", area, radius)}${hasBar && topOf(place, radius)}${HEADS[frame](place, bar)}${inner.shapes}${box("edge", area, radius)}`,
    height,
  };
}
