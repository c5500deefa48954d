import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { toHex } from "../pki/bytes.ts";
import type { Digest } from "../pki/crypto.ts";
import type { Serial } from "../pki/serial.ts";

/** What stopped a certificate, by the journal. */
interface JournalStatus {
  readonly state: "hold" | "revoked";
  readonly reason: number;
}

/** What the journal's files say, read without the code that writes them. */
export interface JournalFindings {
  readonly faults: string[];
  records: number;
  changes: number;
  changeSeq: bigint;
  /** Certificates that are older are not in the journal, because an earlier one was given up. */
  since: number;
  /** Serial → SHA-256 of the certificate, hex. */
  readonly issued: Map<Serial, string>;
  readonly stopped: Map<Serial, JournalStatus>;
  /** issuer/scope/number → SHA-256 of the list, hex. */
  readonly lists: Map<string, string>;
}

/** What was signed since may not have been in the files yet when they were read. */
const SETTLED_MS = 60 * 1000;

/** Whether what was signed then has to be in the journal's files. */
export function isDue(at: Date | null, { since }: JournalFindings, now: Date): boolean {
  const time = at?.getTime() ?? 0;
  return time >= since && time < now.getTime() - SETTLED_MS;
}

type Fields = Readonly<Record<string, unknown>>;

const KEYCOMPROMISE = 1;

function noteChange(findings: JournalFindings, fields: Fields): void {
  findings.changes++;
  const seq = BigInt(String(fields["changeSeq"]));
  if (seq > findings.changeSeq) findings.changeSeq = seq;
  const serial = fields["serial"] as Serial | undefined;
  if (serial === undefined) return;
  const before = findings.stopped.get(serial);
  switch (fields["change"]) {
    case "revoke": {
      const reason = Number(fields["reason"]);
      const isWorse = before?.state !== "revoked" || reason === KEYCOMPROMISE;
      if (isWorse) findings.stopped.set(serial, { state: "revoked", reason });
      break;
    }
    case "hold":
      if (before === undefined) findings.stopped.set(serial, { state: "hold", reason: 6 });
      break;
    case "unhold":
      if (before?.state === "hold") findings.stopped.delete(serial);
      break;
    default:
      break;
  }
}

function note(findings: JournalFindings, fields: Fields, digest: Digest): void {
  switch (fields["kind"]) {
    case "journal":
      // The first file's beginning, if it took over from one that is not here.
      if (findings.records === 1 && fields["adopted"] !== undefined)
        findings.since = Date.parse(String(fields["at"]));
      break;
    case "issued": {
      const serial = fields["serial"] as Serial;
      if (findings.issued.has(serial)) findings.faults.push(`I1 ${serial} was signed twice`);
      findings.issued.set(
        serial,
        toHex(digest("sha256", Buffer.from(String(fields["der"]), "base64"))),
      );
      break;
    }
    case "list": {
      const id = `${String(fields["issuerId"])}/${String(fields["scope"])}/${String(fields["number"])}`;
      if (findings.lists.has(id)) findings.faults.push(`I4 ${id} was given twice`);
      findings.lists.set(id, String(fields["sha256"]));
      break;
    }
    case "change":
      noteChange(findings, fields);
      break;
    default:
      break;
  }
}

/** One file: a chain of JSON lines, each with the hash over the hash before and its own text up to the hash. */
async function readJournal(file: string, findings: JournalFindings, digest: Digest): Promise<void> {
  let previous = Buffer.alloc(32);
  let seq = 0;
  let isCut = false;
  for await (const line of createInterface({
    input: createReadStream(file),
    crlfDelay: Infinity,
  })) {
    if (isCut) {
      findings.faults.push(`chain ${file}: the line after record ${seq} is not whole`);
      return;
    }
    const split = line.lastIndexOf(',"hash":"');
    const hash = /^,"hash":"([0-9a-f]{64})"\}$/.exec(line.slice(split))?.[1];
    if (split < 0 || hash === undefined) {
      // As the last line it is only what is being written now, or was when the power went.
      isCut = true;
      continue;
    }
    const body = Buffer.from(line.slice(0, split));
    if (toHex(digest("sha256", Buffer.concat([previous, body]))) !== hash) {
      findings.faults.push(`chain ${file}: record ${seq + 1} does not fit the one before it`);
      return;
    }
    const fields = JSON.parse(`${body.toString()}}`) as Fields;
    seq++;
    if (fields["seq"] !== String(seq))
      findings.faults.push(`chain ${file}: record ${seq} has the number ${String(fields["seq"])}`);
    findings.records++;
    note(findings, fields, digest);
    previous = Buffer.from(hash, "hex");
  }
}

/** Reads all files, oldest first. */
export async function readJournals(
  files: readonly string[],
  digest: Digest,
): Promise<JournalFindings> {
  const findings: JournalFindings = {
    faults: [],
    records: 0,
    changes: 0,
    changeSeq: 0n,
    since: 0,
    issued: new Map(),
    stopped: new Map(),
    lists: new Map(),
  };
  for (const file of files) await readJournal(file, findings, digest);
  if (findings.records === 0) findings.faults.push("chain: there is no journal");
  return findings;
}
