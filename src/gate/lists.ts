import { equal, toHex } from "../pki/bytes.ts";
import { type CrlView, readCrl } from "../pki/crl-reader.ts";
import { PkiError } from "../pki/errors.ts";
import { commonNameOf, nameText } from "../pki/name.ts";
import type { Authority, Judge } from "./authorities.ts";
import { RefusedError } from "./errors.ts";

/** A list that may be put before a proxy: full, in date, signed by a CA that it trusts. */
export interface JudgedList {
  readonly der: Uint8Array;
  /** Lower-case hex of the bytes' SHA-256. */
  readonly sha256: string;
  readonly issuer: Authority;
  readonly number: bigint;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly entryCount: number;
  /** The CAs of this one that the list names. */
  readonly revokes: readonly Authority[];
}

/** The highest list of a CA that was ever in place here. */
export interface Mark {
  readonly number: bigint;
  readonly sha256: string;
}

/** By the SHA-256 of the CA's certificate. */
export type Marks = ReadonlyMap<string, Mark>;

function read(der: Uint8Array): CrlView {
  try {
    return readCrl(der);
  } catch (error) {
    if (!(error instanceof PkiError)) throw error;
    throw new RefusedError("list-malformed", `a list cannot be read: ${error.message}`, {
      cause: error,
    });
  }
}

/** Whose the list says it is, by name and key. Throws RefusedError where it is none of the CAs. */
function issuerOf(view: CrlView, authorities: readonly Authority[]): Authority {
  const { authorityKeyIdentifier, issuerName } = view;
  const namesakes = authorities.filter(({ subject }) => equal(subject, issuerName));
  const issuer = namesakes.find(
    ({ keyIdentifier }) =>
      authorityKeyIdentifier !== undefined && equal(keyIdentifier, authorityKeyIdentifier),
  );
  if (issuer !== undefined) return issuer;
  const name = commonNameOf(issuerName) ?? nameText(issuerName);
  const why = namesakes.length > 0 ? "names another key than the CA's" : "is no trusted CA's";
  throw new RefusedError("list-foreign", `the list of "${name}" ${why}`);
}

// A delta in a proxy's file lets revoked certificates in (R07); a part of a list does so too (R10, R11).
function checkKind(view: CrlView, name: string): void {
  const delta = view.faults.find((fault) => fault.startsWith("R07 "));
  if (delta !== undefined)
    throw new RefusedError("list-delta", `the list of "${name}" is a delta, not a full list`);
  if (view.issuingDistributionPoint !== undefined)
    throw new RefusedError("list-partial", `the list of "${name}" is only a part of the full one`);
  const [fault] = view.faults;
  if (fault !== undefined)
    throw new RefusedError("list-against-rules", `the list of "${name}" breaks a rule: ${fault}`);
}

function checkDates({ nextUpdate, thisUpdate }: CrlView, name: string, now: Date): void {
  if (thisUpdate > now) {
    throw new RefusedError(
      "list-not-yet-valid",
      `the list of "${name}" begins at ${thisUpdate.toISOString()}, and this machine's clock says ${now.toISOString()}`,
    );
  }
  if (nextUpdate <= now || nextUpdate <= thisUpdate) {
    const text = `the list of "${name}" has ended at ${nextUpdate.toISOString()}`;
    throw new RefusedError("list-expired", text);
  }
}

function checkProgress(list: JudgedList, mark: Mark | undefined): void {
  if (mark === undefined) return;
  const { issuer, number, sha256 } = list;
  if (number < mark.number) {
    throw new RefusedError(
      "list-older",
      `the list of "${issuer.name}" has number ${number}, and ${mark.number} is known already`,
    );
  }
  if (number === mark.number && sha256 !== mark.sha256) {
    throw new RefusedError(
      "list-changed",
      `the list of "${issuer.name}" has the known number ${number} and other bytes`,
    );
  }
}

/** Which of these CAs stand on their issuer's list. */
function revokedBy(
  { table }: CrlView,
  issuer: Authority,
  authorities: readonly Authority[],
): Authority[] {
  const below = new Map(
    authorities.filter((each) => each.issuer === issuer).map((each) => [each.serial, each]),
  );
  // A device's CA has none, and a million entries.
  if (below.size === 0) return [];
  return Array.from({ length: table.length }, (_, i) => below.get(table.serial(i))).filter(
    (found) => found !== undefined,
  );
}

/** The list, if it may be put before a proxy that has these CAs. Throws RefusedError. */
function judgeList(
  der: Uint8Array,
  { authorities, marks }: { authorities: readonly Authority[]; marks: Marks },
  { digest, now, verify }: Judge,
): JudgedList {
  const view = read(der);
  const issuer = issuerOf(view, authorities);
  const { name } = issuer;
  if (!verify(issuer.spki, view.signatureAlgorithm, view.tbs, view.signature))
    throw new RefusedError(
      "list-signature",
      `the signature under the list of "${name}" is not its CA's`,
    );
  checkKind(view, name);
  checkDates(view, name, now);
  const { entryCount, nextUpdate, number, thisUpdate } = view;
  if (number === undefined)
    throw new RefusedError("list-without-number", `the list of "${name}" has no number`);
  const sha256 = toHex(digest("sha256", der));
  const revokes = revokedBy(view, issuer, authorities);
  const list = { der, sha256, issuer, number, thisUpdate, nextUpdate, entryCount, revokes };
  checkProgress(list, marks.get(issuer.sha256));
  return list;
}

/**
 * Exactly one full list for each of the CAs, in their order: with one missing, a proxy refuses everybody; with two, it is
 * the proxy that chooses. Throws RefusedError.
 */
export function judgeLists(
  ders: readonly Uint8Array[],
  known: { readonly authorities: readonly Authority[]; readonly marks: Marks },
  judge: Judge,
): JudgedList[] {
  const lists = ders.map((der) => judgeList(der, known, judge));
  return known.authorities.map((authority) => {
    const [list, other] = lists.filter(({ issuer }) => issuer === authority);
    if (other !== undefined)
      throw new RefusedError("list-twice", `there are two lists of "${authority.name}"`);
    if (list !== undefined) return list;
    throw new RefusedError(
      "list-missing",
      `there is no list of "${authority.name}": a proxy would refuse everybody`,
    );
  });
}
