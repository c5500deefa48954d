import type { BulkIssueLine } from "../ca/bulk-issue.ts";

const COLUMNS = [
  "place",
  "deviceId",
  "accountId",
  "state",
  "serialNumber",
  "notAfter",
  "problem",
  "detail",
] as const satisfies readonly (keyof BulkIssueLine)[];

/** In quotes where it must be (RFC 4180 §2). */
function cellOf(value: string | number | Date | undefined): string {
  const text = value instanceof Date ? value.toISOString() : String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const rowOf = (cells: readonly string[]): string => `${cells.join(",")}\r\n`;

/** The names of the columns, as the first row of a table. */
export const csvHeading = (): string => rowOf(COLUMNS);

/** What became of one certificate, as a row (RFC 4180), without the certificate itself. */
export const csvLine = (line: BulkIssueLine): string =>
  rowOf(COLUMNS.map((column) => cellOf(line[column])));
