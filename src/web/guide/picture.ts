import { html, Html } from "../html.ts";
import { panel, type Panel } from "./frames.ts";
import { type Drawn, stroke } from "./kit.ts";

/** Units of the drawing for a screen of a phone, and for one column on a wider one. */
const NARROW = 300;
const COLUMN = 330;
const SINGLE = 430;
const SPACE = 34;
/** So that half a number and a line's width are not cut off. */
const MARGIN = 2;

/** Dialogs one below the other, with an arrow from each to the next. */
function column(panels: readonly Panel[], x: number, width: number): Drawn {
  let y = MARGIN;
  const shapes = panels.map((each, index) => {
    const arrow = index > 0 && stroke("arrow", `M${x + width / 2 - 9} ${y - 22}l9 9l9-9`);
    const drawn = panel(each, { x, y, width });
    y += drawn.height + SPACE;
    return html`${arrow}${drawn.shapes}`;
  });
  return { shapes: html`${shapes}`, height: y - SPACE + MARGIN };
}

/** Without the line breaks of our templates, which are a fifth of a drawing. */
function compact(shapes: Html): Html {
  const text = shapes.text.replaceAll(/\s+/g, " ").replaceAll(/ ?(\/?>) ?(?=<)/g, "$1");
  return Html.from([text], []);
}

function drawing(
  kind: string,
  { alt, width }: { readonly alt: string; readonly width: number },
  columns: readonly Drawn[],
): Html {
  const height = Math.max(...columns.map((each) => each.height));
  return compact(
    html`<svg class="${kind}" viewBox="0 0 ${width} ${height}" role="img">
      <title>${alt}</title>
      ${columns.map((each) => each.shapes)}
    </svg>`,
  );
}

/**
 * Draws the dialogs of one step twice: side by side in columns for a wide screen, one below the other for a phone. The
 * sheet shows one of them. All that a picture says is also in its `alt` and in the numbered sentences beside it.
 */
export function picture(alt: string, columns: readonly (readonly Panel[])[]): Html {
  const isSingle = columns.length === 1;
  const each = isSingle ? SINGLE : COLUMN;
  const wide = columns.map((panels, index) =>
    column(panels, MARGIN + index * (each + SPACE), each),
  );
  const arrows = wide.slice(1).map((_, index) => {
    // Beside the last of a column's dialogs: one goes on from there.
    const y = (wide[index]?.height ?? 0) - 62;
    const x = MARGIN + (index + 1) * (each + SPACE) - SPACE / 2 - 5;
    return { shapes: stroke("arrow", `M${x} ${y}l9 9l-9 9`), height: 0 };
  });
  const width = columns.length * (each + SPACE) - SPACE + 2 * MARGIN;
  const narrow = column(columns.flat(), MARGIN, NARROW - 2 * MARGIN);
  return html`<div class="guide-picture">
    ${drawing(isSingle ? "across one" : "across", { alt, width }, [...wide, ...arrows])}${drawing("down", { alt, width: NARROW }, [narrow])}
  </div>`;
}
