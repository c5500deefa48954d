import { html, type Html } from "./html.ts";

/** Light modules around it (ISO/IEC 18004 §5.3.8). */
const QUIET = 4;

/** The dark modules of a row as one subpath each run: right, down, back. */
function runsOf(row: readonly boolean[], y: number): string {
  let path = "";
  for (let from = 0; from < row.length;) {
    let to = from;
    while (row[to] === true) to += 1;
    if (to > from) path += `M${from + QUIET} ${y + QUIET}h${to - from}v1H${from + QUIET}z`;
    from = to + 1;
  }
  return path;
}

/**
 * Text as a QR code (ISO/IEC 18004, error correction M): a drawing that scales, dark on light on every ground and on paper.
 * `label` says what it is to whoever does not see it.
 */
export async function qrPicture(text: string, label: string): Promise<Html> {
  // Seldom drawn, so not loaded before.
  const { encode } = await import("uqr");
  const { data } = encode(text, { ecc: "M", border: 0 });
  const size = data.length + 2 * QUIET;
  const path = data.map((row, y) => runsOf(row, y)).join("");
  return html`<svg
    class="qr"
    role="img"
    aria-label="${label}"
    viewBox="0 0 ${size} ${size}"
    shape-rendering="crispEdges"
  >
    <path fill="#fff" d="M0 0h${size}v${size}H0z" />
    <path fill="#000" d="${path}" />
  </svg>`;
}
