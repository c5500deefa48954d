import { createHash } from "node:crypto";

import { combine, split } from "shamir-secret-sharing";

import { canonicalJson } from "../pki/canonical-json.ts";
import { KeyStoreError } from "./errors.ts";
import { readShareLines, writeShareLines } from "./share-lines.ts";

/**
 * The shares of a sealed root key's key-encryption key. Shamir's scheme itself cannot tell a right share from a wrong one,
 * nor a right secret: so each share carries a checksum of all that it says, and a commitment to the secret. Only commands
 * load this file: the signer loads no library for splitting.
 */

/** What all shares of one sealing have in common. */
export interface Sealing {
  /** Of one call of `suido ca root seal`, a UUID: shares of another one do not fit. */
  readonly ceremonyId: string;
  /** So many shares open the key … */
  readonly threshold: number;
  /** … of so many. */
  readonly total: number;
  /** SHA-256 of the root's certificate, hex. */
  readonly rootFingerprint: string;
  /** Says of a secret whether it is the one that was split, without telling it; hex. */
  readonly commitment: string;
}

/** One share. */
export interface RootShare extends Sealing {
  /** From 1. */
  readonly index: number;
  /** What the scheme calls the share: the secret's length and one octet more. */
  readonly share: Uint8Array;
}

/** A share and where it came from, for people. */
export interface NamedShare {
  readonly name: string;
  readonly share: RootShare;
}

const FORMAT = "suido-root-share-1";
const SECRET_OCTETS = 32;
const HASH_OCTETS = 32;
const UUID_OCTETS = 16;
const SHARE_OCTETS = SECRET_OCTETS + 1;
const PAYLOAD_OCTETS = UUID_OCTETS + 3 + 2 * HASH_OCTETS + SHARE_OCTETS;
const MOST_SHARES = 16;

const sha256 = (...parts: readonly (string | Uint8Array)[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const commitmentTo = (ceremonyId: string, secret: Uint8Array): string =>
  sha256("suido root share commitment\n", ceremonyId, secret).toString("hex");

/** Everything that a share says, in octets. */
function payloadOf(share: RootShare): Buffer {
  return Buffer.concat([
    Buffer.from(share.ceremonyId.replaceAll("-", ""), "hex"),
    Buffer.from([share.index, share.threshold, share.total]),
    Buffer.from(share.rootFingerprint, "hex"),
    Buffer.from(share.commitment, "hex"),
    share.share,
  ]);
}

const checksumOf = (payload: Uint8Array): Buffer => sha256(FORMAT, "\n", payload);

/** Throws KeyStoreError unless so many of so many can be had: one lost share must not be the end, nor one found one. */
export function checkThreshold(threshold: number, total: number): void {
  const isSound =
    Number.isInteger(threshold) &&
    Number.isInteger(total) &&
    threshold >= 2 &&
    total > threshold &&
    total <= MOST_SHARES;
  if (isSound) return;
  throw new KeyStoreError(
    `${threshold} of ${total} shares cannot be: at least 2 open the key, at least one more than these is made, and ${MOST_SHARES} at most`,
  );
}

/** Splits a secret of 32 octets. */
export async function splitSecret(
  secret: Uint8Array,
  facts: Omit<Sealing, "commitment">,
): Promise<readonly RootShare[]> {
  const { ceremonyId, threshold, total } = facts;
  checkThreshold(threshold, total);
  const commitment = commitmentTo(ceremonyId, secret);
  // A plain copy: the library takes no Buffer.
  const parts = await split(Uint8Array.from(secret), total, threshold);
  const { rootFingerprint } = facts;
  return parts.map((share, i) => {
    const index = i + 1;
    return { ceremonyId, threshold, total, rootFingerprint, commitment, index, share };
  });
}

/** A share as JSON: canonical, one line. */
export function writeShareJson(share: RootShare): string {
  const { share: octets, ...facts } = share;
  const checksum = checksumOf(payloadOf(share)).toString("hex");
  const fields = { format: FORMAT, ...facts, share: Buffer.from(octets).toString("base64") };
  return `${canonicalJson({ ...fields, checksum })}\n`;
}

/** A share as a page for a safe, whose numbered lines can be typed. */
export function writeSharePage(share: RootShare): string {
  const { index, threshold, total, ceremonyId, rootFingerprint } = share;
  const payload = payloadOf(share);
  return [
    `SUIDO ROOT KEY, SHARE ${index} OF ${total}. Any ${threshold} of them open the key; fewer say nothing about it.`,
    "",
    `Sealing   ${ceremonyId}`,
    `Root      SHA-256 ${rootFingerprint}`,
    "",
    "The numbered lines are the share. Whoever types them may leave out the gaps and use small letters;",
    "there is no letter O, I or L in them. The last group of each line checks the line.",
    "",
    ...writeShareLines(Buffer.concat([payload, checksumOf(payload)])),
    "",
    "Keep it apart from the other shares and from the sealed key. Check it once a year:",
    "suido ca root check <this file>",
    "",
  ].join("\n");
}

function fromPayload(payload: Buffer): RootShare {
  const hex = payload.subarray(0, UUID_OCTETS).toString("hex");
  let at = UUID_OCTETS;
  const next = (octets: number): Buffer => payload.subarray(at, (at += octets));
  const [index = 0, threshold = 0, total = 0] = next(3);
  return {
    ceremonyId: hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"),
    index,
    threshold,
    total,
    rootFingerprint: next(HASH_OCTETS).toString("hex"),
    commitment: next(HASH_OCTETS).toString("hex"),
    share: Uint8Array.from(next(SHARE_OCTETS)),
  };
}

/** The share of this payload, if the checksum is its own. */
function checked(payload: Buffer, checksum: Uint8Array): RootShare {
  if (!checksumOf(payload).equals(checksum))
    throw new KeyStoreError("its checksum does not fit: it was changed, or mixed with another");
  return fromPayload(payload);
}

function readJson(text: string): RootShare {
  let json: Readonly<Record<string, unknown>>;
  try {
    json = JSON.parse(text) as typeof json;
  } catch (cause) {
    throw new KeyStoreError("it is not whole", { cause });
  }
  const { format, index, threshold, total } = json;
  if (format !== FORMAT) throw new KeyStoreError("it is no share of this version");
  const octets = (name: string, encoding: "hex" | "base64"): Buffer =>
    Buffer.from(String(json[name]).replaceAll("-", ""), encoding);
  const payload = Buffer.concat([
    octets("ceremonyId", "hex"),
    Buffer.from([index, threshold, total].map(Number)),
    octets("rootFingerprint", "hex"),
    octets("commitment", "hex"),
    octets("share", "base64"),
  ]);
  if (payload.length !== PAYLOAD_OCTETS) throw new KeyStoreError("a member is not whole");
  return checked(payload, octets("checksum", "hex"));
}

/** Reads a share, as JSON or as typed. Throws KeyStoreError, which names the file. */
export function readShare(name: string, text: string): NamedShare {
  try {
    if (text.trimStart().startsWith("{")) return { name, share: readJson(text) };
    const octets = Buffer.from(readShareLines(text, PAYLOAD_OCTETS + HASH_OCTETS));
    const payload = octets.subarray(0, PAYLOAD_OCTETS);
    return { name, share: checked(payload, octets.subarray(PAYLOAD_OCTETS)) };
  } catch (error) {
    if (!(error instanceof KeyStoreError)) throw error;
    throw new KeyStoreError(`the share ${name} cannot be used: ${error.message}`, { cause: error });
  }
}

/** Throws KeyStoreError, which names it, when a share was not made with the others, or stands twice. */
export function checkTogether(
  shares: readonly NamedShare[],
  sealing: Pick<Sealing, "ceremonyId" | "rootFingerprint">,
): void {
  const seen = new Map<number, string>();
  for (const { name, share } of shares) {
    if (
      share.ceremonyId !== sealing.ceremonyId ||
      share.rootFingerprint !== sealing.rootFingerprint
    ) {
      throw new KeyStoreError(
        `the share ${name} is of another sealing (${share.ceremonyId}) than this one (${sealing.ceremonyId})`,
      );
    }
    const twin = seen.get(share.index);
    if (twin !== undefined)
      throw new KeyStoreError(`${twin} and ${name} are the same share, number ${share.index}`);
    seen.set(share.index, name);
  }
}

/** The secret that these shares were split from. The caller overwrites it after use. Throws KeyStoreError. */
export async function combineShares(
  shares: readonly NamedShare[],
  sealing: Sealing,
): Promise<Uint8Array> {
  checkTogether(shares, sealing);
  const { ceremonyId, commitment, threshold } = sealing;
  if (shares.length < threshold)
    throw new KeyStoreError(`${threshold} shares open this key, and here are ${shares.length}`);
  const secret = await combine(shares.map(({ share }) => Uint8Array.from(share.share)));
  if (secret.length !== SECRET_OCTETS || commitmentTo(ceremonyId, secret) !== commitment) {
    secret.fill(0);
    throw new KeyStoreError(
      `these shares do not give the key that was split (${shares.map(({ name }) => name).join(", ")}): try others`,
    );
  }
  return secret;
}
