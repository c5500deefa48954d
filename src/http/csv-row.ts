/** In quotes where it must be (RFC 4180 §2). */
function cellOf(value: string | number | Date | undefined): string {
  const text = value instanceof Date ? value.toISOString() : String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A row of a table (RFC 4180). What is absent is an empty cell. */
export function csvRow(cells: readonly (string | number | Date | undefined)[]): string {
  return `${cells.map(cellOf).join(",")}\r\n`;
}

/** Whatever a spreadsheet would take for a formula, and so for something to be carried out. */
const FORMULA = /^[=+\-@\t\r]/;

/** Text that people named things with, as a cell that a spreadsheet shows and does not compute. */
export function shownText(text: string | undefined): string | undefined {
  return text !== undefined && FORMULA.test(text) ? `'${text}` : text;
}
