import fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  inclusionPath,
  leafHash,
  merkleTree,
  nodeHash,
  verifyInclusion,
} from "../../../src/audit/merkle.ts";

/** The leaves that the Certificate Transparency projects test with, and the root after each. */
const VECTORS = [
  ["", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"],
  ["00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
  ["10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"],
  ["2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"],
  ["3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"],
  ["40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"],
  ["5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"],
  [
    "606162636465666768696a6b6c6d6e6f",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
  ],
] as const;

function leavesOf(count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => leafHash(Buffer.from(`leaf ${i}`)));
}

function rootOf(leaves: readonly Uint8Array[]): Buffer {
  const tree = merkleTree();
  for (const leaf of leaves) tree.append(leaf);
  return tree.root();
}

/** RFC 9162 §2.1.1 word for word. */
function mth(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length < 2) return leaves[0] ?? rootOf([]);
  let k = 1;
  while (2 * k < leaves.length) k *= 2;
  return nodeHash(mth(leaves.slice(0, k)), mth(leaves.slice(k)));
}

describe("merkleTree", () => {
  it("RFC 9162 §2.1.1: the root without leaves is the hash of nothing", () => {
    expect(merkleTree().root().toString("hex")).toBe(
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    );
  });

  it("RFC 9162 §2.1.1: has the roots of Certificate Transparency's test vectors", () => {
    const tree = merkleTree();
    const roots = VECTORS.map(([leaf]) => {
      tree.append(leafHash(Buffer.from(leaf, "hex")));
      return tree.root().toString("hex");
    });
    expect(roots).toEqual(VECTORS.map(([, root]) => root));
    expect(tree.size).toBe(VECTORS.length);
  });

  it("RFC 9162 §2.1.1: equals the recursive definition for every size up to 70", () => {
    const leaves = leavesOf(70);
    for (let size = 1; size <= leaves.length; size++) {
      const some = leaves.slice(0, size);
      expect(rootOf(some).equals(mth(some))).toBe(true);
    }
  });
});

describe("inclusion proofs", () => {
  const size = fc.integer({ min: 1, max: 64 });

  it("RFC 9162 §2.1.3: a proof holds for every leaf of every size up to 33", () => {
    for (let count = 1; count <= 33; count++) {
      const leaves = leavesOf(count);
      const root = rootOf(leaves);
      for (const [index, leaf] of leaves.entries()) {
        const path = inclusionPath(leaves, index);
        expect(verifyInclusion({ leaf, index, size: count, path, root })).toBe(true);
      }
    }
  });

  it("RFC 9162 §2.1.3.2: no proof holds for another leaf, index, path or root", () => {
    fc.assert(
      fc.property(size, fc.nat(), fc.nat({ max: 255 }), (count, anyIndex, anyByte) => {
        const leaves = leavesOf(count);
        const index = anyIndex % count;
        const proof = {
          leaf: leaves[index] ?? Buffer.alloc(32),
          index,
          size: count,
          path: inclusionPath(leaves, index),
          root: rootOf(leaves),
        };
        const bent = (bytes: Uint8Array): Uint8Array =>
          bytes.map((octet, i) => (i === anyByte % 32 ? octet ^ 1 : octet));
        const wrong = [
          { ...proof, leaf: bent(proof.leaf) },
          { ...proof, root: bent(proof.root) },
          { ...proof, index: index + count },
          { ...proof, path: [...proof.path, proof.root] },
          ...proof.path.map((_, at) => ({
            ...proof,
            path: proof.path.map((node, i) => (i === at ? bent(node) : node)),
          })),
          ...proof.path.map((_, at) => ({ ...proof, path: proof.path.toSpliced(at, 1) })),
          ...leaves.flatMap((_, other) => (other === index ? [] : [{ ...proof, index: other }])),
        ];
        expect(wrong.filter(verifyInclusion)).toEqual([]);
      }),
    );
  });

  it.for([-1, 3, 0.5, Number.NaN])("has no path for the leaf %d of three", (index) => {
    expect(() => inclusionPath(leavesOf(3), index)).toThrow(RangeError);
  });
});
