import { type Json, WireFormatError } from "./wire.ts";

/** The length of what follows, big-endian. */
const HEAD_OCTETS = 4;

/** JSON behind its length. */
export function writeFrame(json: Json): Buffer {
  const body = Buffer.from(JSON.stringify(json));
  const head = Buffer.alloc(HEAD_OCTETS);
  head.writeUInt32BE(body.length);
  return Buffer.concat([head, body]);
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(UTF8.decode(body)) as unknown;
  } catch (cause) {
    throw new WireFormatError("this is not JSON", { cause });
  }
}

/** Puts frames together again from whatever pieces a stream brings. It never holds more than one frame and one piece. */
export class FrameReader {
  readonly #most: number;
  #pieces: Buffer[] = [];
  #held = 0;

  /** @param most - Octets that a frame may have at most. */
  constructor(most: number) {
    this.#most = most;
  }

  // The frames that this piece completes. Throws WireFormatError, and is of no use after that.
  *read(piece: Buffer): Generator {
    this.#pieces.push(piece);
    this.#held += piece.length;
    for (let wanted = this.#wanted(); this.#held >= wanted; wanted = this.#wanted()) {
      const all = this.#joined();
      this.#pieces = [all.subarray(wanted)];
      this.#held = all.length - wanted;
      yield parse(all.subarray(HEAD_OCTETS, wanted));
    }
  }

  /** The length of the frame that has begun, with its head; infinite while that is not known. */
  #wanted(): number {
    if (this.#held < HEAD_OCTETS) return Number.POSITIVE_INFINITY;
    if ((this.#pieces[0]?.length ?? 0) < HEAD_OCTETS) this.#pieces = [this.#joined()];
    const length = this.#pieces[0]?.readUInt32BE(0) ?? 0;
    if (length > this.#most) throw new WireFormatError(`a frame has at most ${this.#most} octets`);
    return HEAD_OCTETS + length;
  }

  #joined(): Buffer {
    const [only] = this.#pieces;
    return this.#pieces.length === 1 && only !== undefined ? only : Buffer.concat(this.#pieces);
  }
}
