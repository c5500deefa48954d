import { InvalidValueError } from "../registry/errors.ts";

/** What a delivery status notification says of one mail of ours. */
export interface BounceReport {
  /** The digest in its Message-ID. */
  readonly message: string;
  /** Whether it will never arrive; else it is late, or has arrived after all. */
  readonly isFinal: boolean;
  /** One line for whoever looks after it. */
  readonly why: string;
}

const MAX_LINES = 20_000;
const MAX_WHY = 300;

/** `<digest@domain>`, as `messageId` writes it; or the digest behind a plus sign in the address that a report is sent to. */
const MESSAGE_ID = /^<?([0-9a-f]{32})@[^\s<>@]{1,255}>?$/;
const SUB_ADDRESS = /\+([0-9a-f]{32})@/;

/** RFC 3463 §2. */
const STATUS = /^([245])\.\d{1,3}\.\d{1,3}\b/;

/** The digest in a Message-ID of ours; undefined for any other text. */
export function digestOf(messageId: string): string | undefined {
  return MESSAGE_ID.exec(messageId.trim())?.[1];
}

/** Whether a status says that a mail will never arrive (5.x.x); undefined for what is none. */
export function isFinalStatus(status: string): boolean | undefined {
  const kind = STATUS.exec(status)?.[1];
  return kind === undefined ? undefined : kind === "5";
}

/** On one line, without what no log should have. */
export function oneLineOf(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\s]+/gu, " ")
    .trim()
    .slice(0, MAX_WHY);
}

function unreadable(says: string): InvalidValueError {
  return new InvalidValueError("body", says);
}

interface Part {
  readonly fields: ReadonlyMap<string, string>;
  readonly body: readonly string[];
}

/** Fields up to the first empty line (RFC 5322 §2.2), folded lines joined; of two with one name the first. */
function partOf(lines: readonly string[]): Part {
  const end = lines.indexOf("");
  const head = end === -1 ? lines : lines.slice(0, end);
  const fields = new Map<string, string>();
  let name: string | undefined;
  for (const line of head) {
    const colon = line.indexOf(":");
    if (/^[ \t]/.test(line)) {
      if (name !== undefined) fields.set(name, `${fields.get(name) ?? ""} ${line.trim()}`);
    } else if (colon > 0) {
      const key = line.slice(0, colon).trim().toLowerCase();
      name = fields.has(key) ? undefined : key;
      if (name !== undefined) fields.set(name, line.slice(colon + 1).trim());
    }
  }
  return { fields, body: end === -1 ? [] : lines.slice(end + 1) };
}

const typeOf = ({ fields }: Part): string => (fields.get("content-type") ?? "").toLowerCase();

function boundaryOf(contentType: string): string {
  const found = /;\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType);
  const boundary = found?.[1] ?? found?.[2];
  if (boundary === undefined) throw unreadable("it has no boundary between its parts");
  return boundary;
}

/** The parts between the delimiter lines (RFC 2046 §5.1.1). */
function partsOf({ fields, body }: Part): readonly Part[] {
  const boundary = boundaryOf(fields.get("content-type") ?? "");
  const parts: Part[] = [];
  let open: string[] | undefined;
  for (const line of body) {
    const delimiter = line.trimEnd();
    if (delimiter !== `--${boundary}` && delimiter !== `--${boundary}--`) {
      open?.push(line);
      continue;
    }
    if (open !== undefined) parts.push(partOf(open));
    open = delimiter.endsWith("--") && delimiter !== `--${boundary}` ? undefined : [];
  }
  return parts;
}

/** The groups of fields of a delivery-status part (RFC 3464 §2.1), the one of the message itself first. */
function groupsOf({ body }: Part): readonly Part["fields"][] {
  const groups: string[][] = [[]];
  for (const line of body) {
    if (line.trim() === "") groups.push([]);
    else groups.at(-1)?.push(line);
  }
  return groups.filter((lines) => lines.length > 0).map((lines) => partOf(lines).fields);
}

/** The mail whose own address it was sent to; undefined where it went to none. Servers note that of the envelope in several ways. */
function addressedMail({ fields }: Part): string | undefined {
  return ["to", "delivered-to", "x-original-to"]
    .map((name) => SUB_ADDRESS.exec(fields.get(name) ?? "")?.[1])
    .find((digest) => digest !== undefined);
}

/** The mail that came back: of the part that has it or its header, or the address that the report went to. */
function messageOf(report: Part, parts: readonly Part[]): string {
  const original = parts.find((part) =>
    /^(?:message\/rfc822|text\/rfc822-headers)/.test(typeOf(part)),
  );
  const inner = original === undefined ? undefined : partOf(original.body).fields.get("message-id");
  const digest = digestOf(inner ?? "") ?? addressedMail(report);
  if (digest === undefined) throw unreadable("it does not say which mail came back");
  return digest;
}

/** Its parts are of seven bits by these texts (RFC 3464, within RFC 6522), so nothing is decoded. */
function readStatusReport(report: Part): BounceReport {
  if (!/^multipart\/report\b.*\breport-type="?delivery-status"?/.test(typeOf(report)))
    throw unreadable("it is no multipart/report of the type delivery-status");
  const parts = partsOf(report);
  const status = parts.find((part) => typeOf(part).startsWith("message/delivery-status"));
  if (status === undefined) throw unreadable("it has no part message/delivery-status");
  const [, ...recipients] = groupsOf(status);
  const failed = recipients.find((fields) => fields.get("action")?.toLowerCase() === "failed");
  const told = failed ?? recipients[0];
  if (told === undefined) throw unreadable("it names no recipient");
  const code = told.get("status") ?? "";
  return {
    message: messageOf(report, parts),
    isFinal: failed !== undefined && isFinalStatus(code) === true,
    why: oneLineOf(`${code} ${told.get("diagnostic-code") ?? ""}`),
  };
}

/** A status of RFC 3463 for good, within text, and no part of an address or a version of four numbers. */
const FINAL_IN_TEXT = /(?<![\d.])5\.\d{1,3}\.\d{1,3}(?![\d.]*\d)/;

/**
 * What a server has written in words of its own: it came back for good where a server's own mailbox (RFC 2142) says so with a status.
 * Whoever is away, or writes back, does not.
 */
function readNote(message: string, { fields, body }: Part): BounceReport {
  const isOfServer = /\b(?:mailer-daemon|postmaster)\b/i.test(fields.get("from") ?? "");
  const line = isOfServer ? body.find((each) => FINAL_IN_TEXT.test(each)) : undefined;
  return { message, isFinal: line !== undefined, why: oneLineOf(line ?? "") };
}

/**
 * Reads a delivery status notification; or any other answer, where it was sent to the address of one mail alone. What is in
 * another shape is refused. Throws InvalidValueError.
 */
export function readBounceReport(octets: Uint8Array): BounceReport {
  const lines = Buffer.from(octets).toString("latin1").split(/\r?\n/);
  if (lines.length > MAX_LINES) throw unreadable("it has too many lines");
  const report = partOf(lines);
  try {
    return readStatusReport(report);
  } catch (error) {
    const message = addressedMail(report);
    if (message === undefined || !(error instanceof InvalidValueError)) throw error;
    return readNote(message, report);
  }
}
