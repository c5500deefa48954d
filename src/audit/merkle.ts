import { createHash } from "node:crypto";

/** RFC 9162 §2.1.1: the prefixes keep a leaf from passing for a node (second-preimage resistance). */
const LEAF_PREFIX = Buffer.from([0x00]);
const NODE_PREFIX = Buffer.from([0x01]);

/** The hash of a leaf: SHA-256 over 0x00 and the data (RFC 9162 §2.1.1). */
export function leafHash(data: Uint8Array): Buffer {
  return createHash("sha256").update(LEAF_PREFIX).update(data).digest();
}

/** The hash of two subtrees: SHA-256 over 0x01, left and right (RFC 9162 §2.1.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash("sha256").update(NODE_PREFIX).update(left).update(right).digest();
}

/** The root of the tree without leaves: the hash of nothing (RFC 9162 §2.1.1). */
function emptyRoot(): Buffer {
  return createHash("sha256").digest();
}

/** Grows leaf by leaf, keeping one hash for each bit of its size that is set (RFC 9162 §2.1.2), never the leaves. */
export interface MerkleTree {
  readonly size: number;
  append(leaf: Uint8Array): void;
  /** The Merkle Tree Hash over all leaves so far. */
  root(): Buffer;
}

/** A tree without leaves. */
export function merkleTree(): MerkleTree {
  /** Roots of perfect subtrees from left to right, each smaller than the one before. */
  const stack: Uint8Array[] = [];
  let size = 0;
  return {
    get size() {
      return size;
    },
    append: (leaf) => {
      let merged = leaf;
      // Every trailing 1 of the size is a subtree that this leaf completes. Division: a log outgrows 32 bits.
      for (let rest = size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
        merged = nodeHash(stack.pop() ?? merged, merged);
      }
      stack.push(merged);
      size += 1;
    },
    root: () => {
      const right = stack.at(-1);
      if (right === undefined) return emptyRoot();
      return Buffer.from(
        stack.slice(0, -1).reduceRight((hash, left) => nodeHash(left, hash), right),
      );
    },
  };
}

/** What shows that a leaf stands at an index of the tree of this size and root. */
export interface InclusionProof {
  readonly leaf: Uint8Array;
  readonly index: number;
  readonly size: number;
  /** The siblings on the way from the leaf up. */
  readonly path: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/** The siblings on the way from the leaf at `index` up to the root of all `leaves` (RFC 9162 §2.1.3.1). */
export function inclusionPath(leaves: readonly Uint8Array[], index: number): Buffer[] {
  if (!Number.isInteger(index) || index < 0 || index >= leaves.length) {
    throw new RangeError(`no leaf ${index} in a tree of ${leaves.length}`);
  }
  if (leaves.length === 1) return [];
  const split = largestPowerOfTwoBelow(leaves.length);
  const left = leaves.slice(0, split);
  const right = leaves.slice(split);
  return index < split
    ? [...inclusionPath(left, index), rootOf(right)]
    : [...inclusionPath(right, index - split), rootOf(left)];
}

/** Whether the proof holds (RFC 9162 §2.1.3.2). */
export function verifyInclusion({ leaf, index, size, path, root }: InclusionProof): boolean {
  if (!Number.isInteger(index) || index < 0 || index >= size) return false;
  let node = index;
  let last = size - 1;
  let hash: Uint8Array = leaf;
  for (const sibling of path) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      // A node without a right sibling rises as it is until it becomes one.
      while (node % 2 === 0 && node !== 0) {
        node /= 2;
        last = Math.floor(last / 2);
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && Buffer.from(hash).equals(root);
}

function rootOf(leaves: readonly Uint8Array[]): Buffer {
  const tree = merkleTree();
  for (const leaf of leaves) tree.append(leaf);
  return tree.root();
}

/** RFC 9162 §2.1.1: k, with k < n ≤ 2k. */
function largestPowerOfTwoBelow(size: number): number {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}
