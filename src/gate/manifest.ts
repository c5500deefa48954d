import type { Generation } from "./generation.ts";
import type { JudgedList, Mark, Marks } from "./lists.ts";

/** A CA and its list, as the health file, the figures and the acknowledgement tell of them. */
export interface ListFacts {
  /** SHA-256 of the CA's certificate. */
  readonly issuer: string;
  readonly name: string;
  readonly number: bigint;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly entryCount: number;
}

/** The tags of what was fetched: the answer to the same tags is empty. */
export interface Tags {
  readonly certificates: string;
  readonly lists: string;
}

/** What is written beside a generation's two files. */
export interface Manifest {
  /** When it was put in place. */
  readonly at: Date;
  readonly lists: readonly ListFacts[];
  readonly marks: Marks;
  /** Absent where the server gave none. */
  readonly tags?: Tags;
  /** When the first list ends of a CA that was kept though the bundle did not name it: then both bundles are judged anew. */
  readonly keptUntil?: Date;
}

const factsOf = (list: JudgedList): ListFacts => ({
  issuer: list.issuer.sha256,
  name: list.issuer.name,
  number: list.number,
  thisUpdate: list.thisUpdate,
  nextUpdate: list.nextUpdate,
  entryCount: list.entryCount,
});

/** The manifest of a generation that is about to be put in place. */
export function manifestOf(
  { kept, lists }: Generation,
  { at, marks, tags }: { at: Date; marks: Marks; tags: Tags | undefined },
): Manifest {
  const ends = lists
    .filter(({ issuer }) => kept.has(issuer.sha256))
    .map(({ nextUpdate }) => nextUpdate.getTime());
  return {
    at,
    lists: lists.map(factsOf),
    marks,
    ...(tags !== undefined && { tags }),
    ...(ends.length > 0 && { keptUntil: new Date(Math.min(...ends)) }),
  };
}

/** The manifest as the text of its file. */
export function writeManifest(manifest: Manifest): string {
  const fields = { ...manifest, marks: Object.fromEntries(manifest.marks) };
  return `${JSON.stringify(fields, withoutBigints, 2)}\n`;
}

/** Numbers of lists are decimal texts in JSON. */
export const withoutBigints = (_: string, value: unknown): unknown =>
  typeof value === "bigint" ? value.toString() : value;

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null ? (value as Fields) : {};

class Broken extends Error {}

function text(value: unknown): string {
  if (typeof value !== "string") throw new Broken("a text was expected");
  return value;
}

function date(value: unknown): Date {
  const found = new Date(text(value));
  if (Number.isNaN(found.getTime())) throw new Broken("a date was expected");
  return found;
}

function number(value: unknown): bigint {
  const digits = text(value);
  if (!/^\d+$/.test(digits)) throw new Broken("a number was expected");
  return BigInt(digits);
}

function readFacts(value: unknown): ListFacts {
  const fields = fieldsOf(value);
  return {
    issuer: text(fields["issuer"]),
    name: text(fields["name"]),
    number: number(fields["number"]),
    thisUpdate: date(fields["thisUpdate"]),
    nextUpdate: date(fields["nextUpdate"]),
    entryCount: Number(fields["entryCount"]),
  };
}

function readMark(value: unknown): Mark {
  const fields = fieldsOf(value);
  return { number: number(fields["number"]), sha256: text(fields["sha256"]) };
}

/** What `writeManifest` wrote, or undefined where it is not that: a file that somebody edited. */
export function readManifest(file: string): Manifest | undefined {
  try {
    const fields = fieldsOf(JSON.parse(file));
    const lists = fields["lists"];
    if (!Array.isArray(lists)) return undefined;
    const marks = Object.entries(fieldsOf(fields["marks"]));
    const tags = fieldsOf(fields["tags"]);
    return {
      at: date(fields["at"]),
      lists: lists.map(readFacts),
      marks: new Map(marks.map(([issuer, mark]) => [issuer, readMark(mark)])),
      ...(fields["tags"] !== undefined && {
        tags: { certificates: text(tags["certificates"]), lists: text(tags["lists"]) },
      }),
      ...(fields["keptUntil"] !== undefined && { keptUntil: date(fields["keptUntil"]) }),
    };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof Broken) return undefined;
    throw error;
  }
}
