import type { BatchReportLine } from "../lifecycle/enrolment-batch-report.ts";
import type { Language } from "../web/language.ts";
import { BATCH_REPORT_WORDS, type BatchReportWords } from "../web/messages/batch-report.ts";
import { csvRow, shownText } from "./csv-row.ts";

/** For whom a report is: in their language, and in the zone of the pharmacies. */
export interface ReportStyle {
  readonly language: Language;
  readonly timeZone: string;
}

/** Spreadsheets read a file as UTF-8 only when it begins with this. */
const BYTE_ORDER_MARK = "\ufeff";

const COLUMNS = [
  "line",
  "pharmacy",
  "device",
  "account",
  "email",
  "state",
  "mail",
  "supportNumber",
  "expiresAt",
  "startedAt",
  "identifiedAt",
  "endedAt",
  "serialNumber",
] as const satisfies readonly (keyof BatchReportWords["columns"])[];

/** A table of a batch's report for people: its heading, and a row a line. */
export function batchReportTable({ language, timeZone }: ReportStyle): {
  readonly heading: string;
  readonly write: (line: BatchReportLine) => string;
} {
  const { columns, states, mails } = BATCH_REPORT_WORDS[language];
  // The Swedish form is what spreadsheets everywhere take for a time: 2027-12-21 09:05.
  const format = new Intl.DateTimeFormat("sv-SE", {
    dateStyle: "short",
    timeStyle: "short",
    timeZone,
  });
  const cellOf = (
    line: BatchReportLine,
    column: (typeof COLUMNS)[number],
  ): string | number | undefined => {
    if (column === "state") return states[line.state];
    if (column === "mail") return mails[line.mail];
    // Digits at the beginning and long numbers stay as they are only in a text.
    if (column === "serialNumber") return line.serialNumber;
    const value = line[column];
    if (value instanceof Date) return format.format(value);
    return typeof value === "string" ? shownText(value) : value;
  };
  return {
    heading: BYTE_ORDER_MARK + csvRow(COLUMNS.map((column) => columns[column])),
    write: (line) => csvRow(COLUMNS.map((column) => cellOf(line, column))),
  };
}
