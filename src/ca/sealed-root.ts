import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";

import { canonicalJson } from "../pki/canonical-json.ts";
import { KeyStoreError } from "./errors.ts";
import { openKeyFile } from "./file-key-store.ts";
import { createKek } from "./kek.ts";
import type { SigningKey } from "./key-store.ts";
import { combineShares, type NamedShare, readShare, type Sealing } from "./root-shares.ts";
import { natural, octets, record, text, word, type Wire, WireFormatError } from "./wire.ts";

const SEAL_FILE = "seal.json";
const FORMAT = "suido-sealed-root-1";

/** The folder of a sealed root, all but its key: what its shares have in common, and the root's certificate. */
export interface SealedRoot extends Sealing {
  readonly rootId: string;
  readonly certificate: Uint8Array;
  /** The address that everything it signs carries. */
  readonly vaUrl: string;
  readonly sealedAt: string;
}

const sealedRoot: Wire<SealedRoot & { readonly format: typeof FORMAT }> = record({
  format: word([FORMAT]),
  ceremonyId: text(36),
  threshold: natural,
  total: natural,
  rootFingerprint: text(64),
  commitment: text(64),
  rootId: text(100),
  certificate: octets(16_384),
  vaUrl: text(500),
  sealedAt: text(32),
});

/** SHA-256 of a certificate, hex. */
export const fingerprintOf = (certificate: Uint8Array): string =>
  createHash("sha256").update(certificate).digest("hex");

export const sealFileOf = (folder: string): string => path.join(folder, SEAL_FILE);

export function writeSealedRoot(sealed: SealedRoot): string {
  return `${canonicalJson(sealedRoot.write({ format: FORMAT, ...sealed }))}\n`;
}

/** Reads the folder that `suido ca root seal` made. Throws KeyStoreError. */
export function readSealedRoot(folder: string): SealedRoot {
  let read: SealedRoot;
  try {
    read = sealedRoot.read(JSON.parse(readFileSync(sealFileOf(folder), "utf8")));
  } catch (cause) {
    const why = cause instanceof WireFormatError ? "was changed" : "cannot be read";
    throw new KeyStoreError(
      `${folder} is not the folder of a sealed root: ${SEAL_FILE} in it ${why}`,
      { cause },
    );
  }
  if (fingerprintOf(read.certificate) !== read.rootFingerprint)
    throw new KeyStoreError(`${sealFileOf(folder)} was changed: the certificate is not its root's`);
  return read;
}

/** Reads shares from their files. Throws KeyStoreError, which names the one that cannot be used. */
export function readShareFiles(files: readonly string[]): readonly NamedShare[] {
  return files.map((file) => {
    let content: string;
    try {
      content = readFileSync(file, "utf8");
    } catch (cause) {
      throw new KeyStoreError(`the share ${file} cannot be read`, { cause });
    }
    return readShare(file, content);
  });
}

/**
 * Opens the root's key with enough shares. Of the key-encryption key nothing is left in our own memory after this; the key
 * itself lives in OpenSSL's for as long as the process. Throws KeyStoreError.
 */
export async function openSealedRoot(
  folder: string,
  shares: readonly NamedShare[],
): Promise<SigningKey> {
  const sealed = readSealedRoot(folder);
  const secret = await combineShares(shares, sealed);
  try {
    return openKeyFile({ folder, keks: [createKek(secret)] }, sealed.rootId, "root");
  } finally {
    secret.fill(0);
    for (const { share } of shares) share.share.fill(0);
  }
}
