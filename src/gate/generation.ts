import { latin1Text } from "../pki/bytes.ts";
import { MalformedPemError } from "../pki/errors.ts";
import { pemFile } from "../pki/pem.ts";
import { type Authority, judgeAuthorities, type Judge } from "./authorities.ts";
import { RefusedError } from "./errors.ts";
import { type JudgedList, judgeLists, type Marks } from "./lists.ts";

/** The two bundles in PEM, as they came. */
export interface Bundles {
  readonly certificates: Uint8Array;
  readonly lists: Uint8Array;
}

/** A CA's certificate with its list, in DER. */
export interface Pair {
  readonly certificate: Uint8Array;
  readonly list: Uint8Array;
}

/** One generation of a proxy's files: each CA with its list, in the order of the files. */
export interface Generation {
  readonly lists: readonly JudgedList[];
  /** SHA-256 of those CAs' certificates that the fetched bundle does not name. */
  readonly kept: ReadonlySet<string>;
  /** CAs that are not among them, because their issuer's list names them, or one above them. */
  readonly leftOut: readonly Authority[];
}

/** What is known from before. */
export interface Before {
  readonly marks: Marks;
  /** SHA-256 of the CA certificates that are in place, the root first. */
  readonly certificates: readonly string[];
  /** What is in place, in the same order. Asked for only where a bundle lacks one of them. */
  readonly pairs: () => readonly Pair[];
}

function blocks(bytes: Uint8Array, label: string, what: string): Uint8Array[] {
  try {
    return pemFile(latin1Text(bytes), label);
  } catch (error) {
    if (!(error instanceof MalformedPemError)) throw error;
    const text = `the bundle of ${what} is not whole: ${error.message}`;
    throw new RefusedError("malformed-pem", text, { cause: error });
  }
}

/** The CA certificates of a bundle that holds nothing else. Throws RefusedError. */
export const certificatesIn = (bytes: Uint8Array): Uint8Array[] =>
  blocks(bytes, "CERTIFICATE", "CA certificates");

/** The lists of a bundle that holds nothing else. Throws RefusedError. */
export const listsIn = (bytes: Uint8Array): Uint8Array[] => blocks(bytes, "X509 CRL", "lists");

interface Parsed {
  readonly certificates: readonly Uint8Array[];
  readonly lists: readonly Uint8Array[];
}

function judgeParsed({ certificates, lists }: Parsed, marks: Marks, judge: Judge): JudgedList[] {
  return judgeLists(lists, { authorities: judgeAuthorities(certificates, judge), marks }, judge);
}

/** Undefined where the CA may no longer stand: it or its list has ended, or its issuer is gone or not trusted any more. */
function withKept(
  fetched: Parsed,
  { certificate, list }: Pair,
  judged: (parsed: Parsed) => JudgedList[],
): { parsed: Parsed; lists: JudgedList[] } | undefined {
  const parsed = {
    certificates: [...fetched.certificates, certificate],
    lists: [...fetched.lists, list],
  };
  try {
    return { parsed, lists: judged(parsed) };
  } catch (error) {
    if (error instanceof RefusedError) return undefined;
    throw error;
  }
}

/** Without its list, nobody who looks for it lets in what a CA has issued, whoever shows its certificate. */
function leaveOutRevoked(lists: readonly JudgedList[]): Pick<Generation, "lists" | "leftOut"> {
  const revoked = new Set(lists.flatMap(({ revokes }) => revokes));
  const isOut = (authority: Authority | undefined): boolean =>
    authority !== undefined && (revoked.has(authority) || isOut(authority.issuer));
  const leftOut = lists.map(({ issuer }) => issuer).filter(isOut);
  return { lists: lists.filter(({ issuer }) => !isOut(issuer)), leftOut };
}

/**
 * A CA that was in place and that the bundle no longer names is kept until its last list ends: what bundles hold is signed
 * piece by piece, what they leave out is not, and who stands between Suido and this machine could shut everybody out by
 * sending the root alone.
 */
function withKeptOnes(
  bundles: Bundles,
  before: Before,
  judge: Judge,
): Pick<Generation, "kept" | "lists"> {
  let parsed: Parsed = {
    certificates: certificatesIn(bundles.certificates),
    lists: listsIn(bundles.lists),
  };
  const judged = (from: Parsed): JudgedList[] => judgeParsed(from, before.marks, judge);
  let lists = judged(parsed);
  const named = new Set(lists.map(({ issuer }) => issuer.sha256));
  if (before.certificates.every((sha256) => named.has(sha256))) return { lists, kept: new Set() };
  before.pairs().forEach((pair, i) => {
    if (named.has(before.certificates[i] ?? "")) return;
    const more = withKept(parsed, pair, judged);
    if (more !== undefined) ({ parsed, lists } = more);
  });
  const kept = lists.map(({ issuer }) => issuer.sha256).filter((sha256) => !named.has(sha256));
  return { lists, kept: new Set(kept) };
}

/** The generation that these bundles make. Throws RefusedError. */
export function judgeGeneration(bundles: Bundles, before: Before, judge: Judge): Generation {
  const { kept, lists } = withKeptOnes(bundles, before, judge);
  if (judge.leavesOutRevoked !== true) return { kept, lists, leftOut: [] };
  return { kept, ...leaveOutRevoked(lists) };
}

/** The marks that hold once this generation is in place. They outlive CAs that are gone: nothing may come back older. */
export function marksAfter(marks: Marks, { lists }: Generation): Marks {
  const after = new Map(marks);
  for (const { issuer, number, sha256 } of lists) after.set(issuer.sha256, { number, sha256 });
  return after;
}
