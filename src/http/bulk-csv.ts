import type { BulkIssueLine } from "../ca/bulk-issue.ts";
import { csvRow } from "./csv-row.ts";

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

/** The names of the columns, as the first row of a table. */
export const csvHeading = (): string => csvRow(COLUMNS);

/** What became of one certificate, as a row (RFC 4180), without the certificate itself. */
export const csvLine = (line: BulkIssueLine): string =>
  csvRow(COLUMNS.map((column) => line[column]));
