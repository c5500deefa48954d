import { parseSerial, type Serial } from "../pki/serial.ts";

/** What JSON can hold. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/**
 * How one kind of value stands in JSON. `read` takes nothing on trust: it throws WireFormatError for everything that `write`
 * could not have made, and for what is longer than its kind may be.
 */
export interface Wire<T> {
  readonly write: (value: T) => Json;
  readonly read: (json: unknown) => T;
}

/** The other side does not speak as agreed. */
export class WireFormatError extends Error {
  override readonly name = "WireFormatError";
}

function check(isRight: boolean, what: string): asserts isRight {
  if (!isRight) throw new WireFormatError(`this is not ${what}`);
}

/** Text of so many UTF-16 units at most. */
export function text(most: number): Wire<string> {
  return {
    write: (value) => value,
    read: (json) => {
      check(typeof json === "string" && json.length <= most, `a text of ${most} at most`);
      return json;
    },
  };
}

/** One of these words. */
export function word<const T extends string>(words: readonly T[]): Wire<T> {
  return {
    write: (value) => value,
    read: (json) => {
      const found = words.find((known) => known === json);
      check(found !== undefined, "one of the words");
      return found;
    },
  };
}

/** A whole number from 0. */
export const natural: Wire<number> = {
  write: (value) => value,
  read: (json) => {
    check(typeof json === "number" && Number.isSafeInteger(json) && json >= 0, "a whole number");
    return json;
  },
};

/** A whole number from 0 of any size, in decimal digits: CRL numbers have up to 20 octets. */
export const bigNatural: Wire<bigint> = {
  write: String,
  read: (json) => {
    check(typeof json === "string" && /^(?:0|[1-9]\d{0,48})$/.test(json), "a number in digits");
    return BigInt(json);
  },
};

/** A point in time, as `Date.prototype.toISOString` writes it. */
export const instant: Wire<Date> = {
  write: (value) => value.toISOString(),
  read: (json) => {
    check(typeof json === "string" && json.length <= 32, "a time");
    const time = new Date(json);
    check(!Number.isNaN(time.getTime()) && time.toISOString() === json, "a time");
    return time;
  },
};

/** So many octets at most, in base64 (RFC 4648 §4) with its padding and nothing else. */
export function octets(most: number): Wire<Uint8Array> {
  return {
    write: (value) => Buffer.from(value).toString("base64"),
    read: (json) => {
      check(typeof json === "string" && json.length <= Math.ceil(most / 3) * 4, "octets");
      const bytes = Buffer.from(json, "base64");
      check(bytes.length <= most && bytes.toString("base64") === json, "octets in base64");
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    },
  };
}

/** A certificate's serial number. */
export const serialNumber: Wire<Serial> = { write: (value) => value, read: readSerial };

function readSerial(json: unknown): Serial {
  check(typeof json === "string" && json.length <= 40, "a serial number");
  try {
    return parseSerial(json);
  } catch (cause) {
    throw new WireFormatError("this is not a serial number", { cause });
  }
}

/** So many of one kind at most. */
export function listOf<T>(item: Wire<T>, most: number): Wire<readonly T[]> {
  return {
    write: (values) => values.map((value) => item.write(value)),
    read: (json) => {
      check(Array.isArray(json) && json.length <= most, `a list of ${most} at most`);
      return json.map((each) => item.read(each));
    },
  };
}

/** Values in their places. */
export function tuple<T extends unknown[]>(
  ...items: { readonly [I in keyof T]: Wire<T[I]> }
): Wire<T> {
  return {
    write: (values) => items.map((item, i) => item.write(values[i])),
    read: (json) => {
      check(Array.isArray(json) && json.length === items.length, `${items.length} values`);
      return items.map((item, i) => item.read(json[i])) as unknown as T;
    },
  };
}

/** No value. */
export const nothing: Wire<void> = {
  write: () => null,
  read: (json) => check(json === null, "nothing"),
};

/** A member of a record; one that is optional may be left out, and is never null. */
interface Member<T> extends Wire<T> {
  readonly isOptional?: true;
}

export const optional = <T>(wire: Wire<T>): Member<T> => ({ ...wire, isOptional: true });

/** An object with these members and no others. */
export function record<T extends object>(members: {
  readonly [K in keyof T]-?: Member<Exclude<T[K], undefined>>;
}): Wire<T> {
  const known = Object.entries(members) as readonly (readonly [string, Member<unknown>])[];
  return {
    write: (value) =>
      Object.fromEntries(
        known
          .map(
            ([name, member]) => [name, member, (value as Record<string, unknown>)[name]] as const,
          )
          .filter(([, member, each]) => each !== undefined || member.isOptional !== true)
          .map(([name, member, each]) => [name, member.write(each)]),
      ),
    read: (json) => {
      check(typeof json === "object" && json !== null && !Array.isArray(json), "an object");
      const given = new Map<string, unknown>(Object.entries(json));
      const read = known
        .filter(([name, { isOptional }]) => given.has(name) || isOptional !== true)
        .map(([name, member]) => [name, member.read(given.get(name))] as const);
      check(given.size === read.length, "an object with these members alone");
      return Object.fromEntries(read) as T;
    },
  };
}

/** Records that one of their members tells apart. */
export function oneOf<K extends string, T extends Readonly<Record<K, string>>>(
  tag: K,
  kinds: { readonly [V in T[K]]: Wire<Extract<T, Readonly<Record<K, V>>>> },
): Wire<T> {
  const known = new Map<unknown, Wire<T>>(Object.entries<Wire<T>>(kinds as never));
  const kindOf = (value: unknown): Wire<T> => {
    check(typeof value === "object" && value !== null && tag in value, `an object with "${tag}"`);
    const kind = known.get((value as Readonly<Record<K, unknown>>)[tag]);
    check(kind !== undefined, `a kind of "${tag}"`);
    return kind;
  };
  return {
    write: (value) => kindOf(value).write(value),
    read: (json) => kindOf(json).read(json),
  };
}
