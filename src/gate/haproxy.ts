import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";

import { ReloadError } from "./errors.ts";

/** Where HAProxy's runtime API listens, and what its configuration calls the two files. */
export interface Haproxy {
  /** The Unix socket, `level admin`. */
  readonly socket: string;
  readonly certificatesName: string;
  readonly listsName: string;
  /** `tune.bufsize`: a command with its payload has to fit. */
  readonly bufferOctets: number;
}

const SILENCE_MS = 10_000;

/**
 * So much of the buffer stays free. HAProxy refuses what is larger than its buffer; what fills it to the last octet makes
 * 2.6.12 spin until its own watchdog kills it.
 */
const SPARE_OCTETS = 1_024;

/**
 * One command and its answer: without `prompt` HAProxy closes after it (management guide, 9.3). A payload begins behind
 * `<<` and ends with an empty line.
 */
async function say(socket: string, command: string): Promise<string> {
  const connection = connect(socket);
  connection.setTimeout(SILENCE_MS, () => connection.destroy(new Error("it does not answer")));
  try {
    await once(connection, "connect");
    connection.end(command);
    return await text(connection);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ReloadError("runtime-api-failed", `HAProxy's socket ${socket}: ${why}`, {
      cause: error,
    });
  } finally {
    connection.destroy();
  }
}

interface Part {
  readonly kind: "ca-file" | "crl-file";
  readonly name: string;
  readonly payload: string;
}

const setCommand = ({ kind, name, payload }: Part): string =>
  `set ssl ${kind} ${name} <<\n${payload}\n`;

function checkSize(part: Part, limit: number): void {
  const octets = Buffer.byteLength(setCommand(part));
  if (octets <= limit - SPARE_OCTETS) return;
  throw new ReloadError(
    "payload-too-large",
    `${part.name} with ${octets} octets does not fit into HAProxy's buffer of ${limit}`,
  );
}

async function replace(socket: string, part: Part): Promise<void> {
  const { kind, name } = part;
  const refused = (step: string, answer: string): ReloadError =>
    new ReloadError("runtime-api-failed", `HAProxy, ${step} ${name}: ${answer.trim()}`);
  const begun = await say(socket, setCommand(part));
  // Without this an abort could end somebody else's transaction.
  if (!/transaction (?:created|updated) for/i.test(begun)) throw refused(`set ssl ${kind}`, begun);
  const answer = await say(socket, `commit ssl ${kind} ${name}\n`);
  if (answer.includes("Success!")) return;
  await say(socket, `abort ssl ${kind} ${name}\n`);
  throw refused(`commit ssl ${kind}`, answer);
}

/**
 * Tells a running HAProxy of new CAs and lists without a reload. The lists go first: a list whose CA is not there yet does
 * nothing, a CA without its list would refuse everybody. Throws ReloadError; `payload-too-large` before anything was said.
 */
export async function tellHaproxy(
  { bufferOctets, certificatesName, listsName, socket }: Haproxy,
  files: { readonly certificates: string; readonly lists: string },
): Promise<void> {
  const parts: readonly Part[] = [
    { kind: "crl-file", name: listsName, payload: files.lists },
    { kind: "ca-file", name: certificatesName, payload: files.certificates },
  ];
  for (const part of parts) checkSize(part, bufferOctets);
  for (const part of parts) await replace(socket, part);
}
