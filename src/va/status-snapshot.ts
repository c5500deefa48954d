import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

import { SERIAL_OCTETS } from "../pki/serial.ts";
import { replaceFile } from "../storage/durable-file.ts";
import { StatusIndex } from "./status-index.ts";
import type { Reached } from "./status-rows.ts";

/** What a VA knew when it wrote this. */
export interface StatusSnapshot {
  readonly index: StatusIndex;
  readonly reached: Reached;
  /** In milliseconds since 1970. */
  readonly known: number;
}

/** `SUIDOVA2`, the length of the JSON head in 4 octets, the head, the chunks, SHA-256 of all that. */
const MAGIC = Buffer.from("SUIDOVA2");
const HASH_OCTETS = 32;

interface Head extends Reached {
  readonly known: number;
  readonly issuers: readonly string[];
  readonly count: number;
}

const octets = (view: Uint8Array | Uint16Array | Uint32Array): Buffer =>
  Buffer.from(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));

// Each chunk is copied whole before anything waits. What changes meanwhile is in it or not: the watermark is older than
// all of it, so it will be read again.
function* parts(snapshot: StatusSnapshot): Generator<Uint8Array> {
  const { index, known, reached } = snapshot;
  const sum = createHash("sha256");
  const count = index.size;
  const head: Head = { known, ...reached, issuers: index.issuers, count };
  const json = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  const start = Buffer.concat([MAGIC, length, json]);
  sum.update(start);
  yield start;
  let left = count;
  for (const chunk of index.chunks()) {
    const take = Math.min(left, chunk.count);
    left -= take;
    const part = Buffer.concat([
      chunk.serials.subarray(0, take * SERIAL_OCTETS),
      octets(chunk.marks.subarray(0, take)),
      octets(chunk.revokedAt.subarray(0, take)),
    ]);
    sum.update(part);
    yield part;
  }
  yield sum.digest();
}

/** Writes what the VA knows now, in the machine's own order of octets. */
export const writeSnapshot = (file: string, snapshot: StatusSnapshot): Promise<void> =>
  replaceFile(file, parts(snapshot));

/** Reads a snapshot. Undefined for one that is absent, torn, changed, or from another kind of machine. */
export async function readSnapshot(file: string): Promise<StatusSnapshot | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const body = bytes.subarray(0, Math.max(0, bytes.length - HASH_OCTETS));
  const sum = createHash("sha256").update(body).digest();
  if (!sum.equals(bytes.subarray(body.length))) return undefined;
  if (!body.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const start = MAGIC.length + 4 + body.readUInt32BE(MAGIC.length);
  const head = JSON.parse(body.toString("utf8", MAGIC.length + 4, start)) as Head;
  const index = new StatusIndex();
  for (const id of head.issuers) index.issuerNumber(id);
  addChunks(index, body.subarray(start), head.count);
  const { horizon, known, seen, seq } = head;
  return { index, reached: { seq, horizon, seen }, known };
}

function addChunks(index: StatusIndex, body: Buffer, total: number): void {
  const most = StatusIndex.chunkSize;
  let at = 0;
  for (let left = total; left > 0; left -= most) {
    const count = Math.min(left, most);
    // Copies: the views of wider numbers need aligned octets.
    const take = (width: number): ArrayBuffer => {
      const from = at;
      at += count * width;
      return Uint8Array.from(body.subarray(from, at)).buffer;
    };
    const serials = new Uint8Array(take(SERIAL_OCTETS));
    const marks = new Uint16Array(take(2));
    const revokedAt = new Uint32Array(take(4));
    index.add({ count, serials, marks, revokedAt });
  }
}
