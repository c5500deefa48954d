import {
  chmodSync,
  closeSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import path from "node:path";

import { pemEncode } from "../pki/pem.ts";
import { syncFolder, writeFully } from "../storage/durable-file.ts";
import { isErrno } from "../storage/errno.ts";
import { RefusedError } from "./errors.ts";
import { certificatesIn, type Generation, listsIn, type Pair } from "./generation.ts";
import { type Manifest, readManifest, writeManifest } from "./manifest.ts";

/** The names that proxies' configurations have, below `current/`. */
export const CERTIFICATES_FILE = "ca.pem";
export const LISTS_FILE = "lists.pem";

const MANIFEST_FILE = "generation.json";

/** Everything here is public: proxies and monitors read it, whoever they run as. */
const READABLE = 0o644;
const ENTERABLE = 0o755;

/** Writes a file and waits for the disk. */
function writeDurably(file: string, parts: Iterable<Uint8Array>): void {
  const descriptor = openSync(file, "w", READABLE);
  try {
    // Also where whoever started us lets others read nothing.
    fchmodSync(descriptor, READABLE);
    for (const part of parts) writeFully(descriptor, part);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Puts a file in place as a whole: readers see the old one or the new one. */
export function placeFile(file: string, text: string): void {
  const fresh = `${file}.new`;
  writeDurably(fresh, [Buffer.from(text)]);
  renameSync(fresh, file);
  syncFolder(path.dirname(file));
}

/** The text of a file, or undefined where there is none. */
export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (isErrno(error, "ENOENT") || isErrno(error, "ENOTDIR")) return undefined;
    throw error;
  }
}

function makeFolder(folder: string): void {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, ENTERABLE);
}

function* inPem(label: string, ders: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const der of ders) yield Buffer.from(pemEncode(label, der), "latin1");
}

/** A generation that is in place. */
export interface Placed {
  readonly generation: number;
  readonly manifest: Manifest;
}

/**
 * The folder that proxies read: `generations/<n>/` with both files and what is known of them, and the link `current` to one
 * of these. A generation is written beside, synced and renamed to its number, and then the link is replaced: at any moment,
 * also after a power cut, `current` is one whole generation. One writer at a time.
 */
export class GateFolder {
  readonly path: string;
  readonly #generations: string;

  constructor(folder: string) {
    this.path = path.resolve(folder);
    this.#generations = path.join(this.path, "generations");
  }

  file(name: string): string {
    return path.join(this.path, name);
  }

  /** Makes what is not there yet. */
  prepare(): void {
    mkdirSync(this.path, { recursive: true, mode: ENTERABLE });
    makeFolder(this.#generations);
  }

  /** Removes what a process that was killed left unfinished. Only who holds the lock may do that. */
  clean(): void {
    rmSync(this.file("current.new"), { force: true });
    for (const name of readdirSync(this.#generations)) {
      if (name.endsWith(".new")) rmSync(path.join(this.#generations, name), { recursive: true });
    }
  }

  /** What `current` is, or undefined where it is nothing that this class has written. */
  current(): Placed | undefined {
    let target: string;
    try {
      target = readlinkSync(this.file("current"));
    } catch (error) {
      if (isErrno(error, "ENOENT")) return undefined;
      if (!isErrno(error, "EINVAL")) throw error;
      throw new Error(`${this.file("current")} is no symbolic link: move it away`, {
        cause: error,
      });
    }
    return this.placed(Number(path.basename(target)));
  }

  /** A generation by its number, as long as it is kept. */
  placed(generation: number): Placed | undefined {
    const text = readText(path.join(this.#folderOf(generation), MANIFEST_FILE));
    const manifest = text === undefined ? undefined : readManifest(text);
    return manifest === undefined ? undefined : { generation, manifest };
  }

  /** A file of a generation, as proxies read it. */
  read(generation: number, name: string): Buffer {
    return readFileSync(path.join(this.#folderOf(generation), name));
  }

  /** CAs and lists of a generation, in their order; none where somebody has changed its files. */
  pairs(generation: number): Pair[] {
    try {
      const lists = listsIn(this.read(generation, LISTS_FILE));
      return certificatesIn(this.read(generation, CERTIFICATES_FILE)).flatMap((certificate, i) => {
        const list = lists[i];
        return list === undefined ? [] : [{ certificate, list }];
      });
    } catch (error) {
      if (error instanceof RefusedError || isErrno(error, "ENOENT")) return [];
      throw error;
    }
  }

  /**
   * Puts a generation in place and returns its number. What proxies read is written anew from the octets that were checked:
   * nothing of the text that came reaches them. The two last generations stay, and `inForce`.
   */
  place({ lists }: Generation, manifest: Manifest, inForce: number | undefined): number {
    const generation = Math.max(0, ...this.#numbers()) + 1;
    const fresh = `${this.#folderOf(generation)}.new`;
    makeFolder(fresh);
    const certificates = lists.map(({ issuer }) => issuer.der);
    writeDurably(path.join(fresh, CERTIFICATES_FILE), inPem("CERTIFICATE", certificates));
    const ders = lists.map(({ der }) => der);
    writeDurably(path.join(fresh, LISTS_FILE), inPem("X509 CRL", ders));
    writeDurably(path.join(fresh, MANIFEST_FILE), [Buffer.from(writeManifest(manifest))]);
    syncFolder(fresh);
    renameSync(fresh, this.#folderOf(generation));
    syncFolder(this.#generations);
    this.#swap(generation);
    this.#prune(generation, inForce);
    return generation;
  }

  /** rename(2) replaces the link at once: there is no moment without `current`. */
  #swap(generation: number): void {
    const fresh = this.file("current.new");
    rmSync(fresh, { force: true });
    symlinkSync(path.join("generations", String(generation)), fresh);
    renameSync(fresh, this.file("current"));
    syncFolder(this.path);
  }

  #prune(current: number, inForce: number | undefined): void {
    const before = this.#numbers().find((number) => number < current);
    const kept = new Set([current, before, inForce]);
    for (const number of this.#numbers()) {
      if (!kept.has(number)) rmSync(this.#folderOf(number), { recursive: true, force: true });
    }
  }

  /** The generations that are there, the newest first. */
  #numbers(): number[] {
    return readdirSync(this.#generations)
      .filter((name) => /^[1-9]\d*$/.test(name))
      .map(Number)
      .toSorted((a, b) => b - a);
  }

  #folderOf(generation: number): string {
    return path.join(this.#generations, String(generation));
  }
}
