import { randomFillSync, verify as verifySignature } from "node:crypto";
import type { Clock } from "../pki/clock.ts";
import type { Digest, Random, Verify } from "../pki/crypto.ts";
import { pemEncode } from "../pki/pem.ts";
import { type NewId, uuidV7 } from "../pki/uuid.ts";
import { nodeDigest } from "../va/digest.ts";

/** What a process takes from the machine that it runs on: time, randomness and cryptography. */
export interface System {
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: NewId;
  readonly digest: Digest;
  readonly verify: Verify;
}

const HASH_OF: Readonly<Record<string, string>> = {
  "ecdsa-with-SHA256": "sha256",
  "ecdsa-with-SHA384": "sha384",
  "ecdsa-with-SHA512": "sha512",
  sha256WithRSAEncryption: "sha256",
  sha384WithRSAEncryption: "sha384",
  sha512WithRSAEncryption: "sha512",
};

const clock: Clock = () => new Date();

/** What is drawn from the kernel's generator at once: identifiers and serials want sixteen octets, many times a request. */
const DRAWN = new Uint8Array(4096);
let used = DRAWN.length;

const random: Random = (octets) => {
  if (octets > DRAWN.length) return randomFillSync(new Uint8Array(octets));
  if (used + octets > DRAWN.length) {
    randomFillSync(DRAWN);
    used = 0;
  }
  const drawn = DRAWN.slice(used, used + octets);
  // What was given away is nobody's to read any more.
  DRAWN.fill(0, used, used + octets);
  used += octets;
  return drawn;
};

// oxlint-disable-next-line max-params -- the four things that verifying takes, everywhere
const verify: Verify = (spki, algorithm, data, signature) => {
  const name = HASH_OF[algorithm];
  if (name === undefined) return false;
  try {
    // Node takes a key as a text much sooner than as octets with their format beside them.
    return verifySignature(name, data, pemEncode("PUBLIC KEY", spki), signature);
  } catch {
    // A key that OpenSSL cannot read verifies nothing.
    return false;
  }
};

/** The machine's own clock, randomness and OpenSSL. */
export function createSystem(): System {
  return {
    clock,
    random,
    newId: uuidV7(clock, random),
    digest: nodeDigest,
    verify,
  };
}
