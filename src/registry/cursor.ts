import { InvalidValueError } from "./errors.ts";

/** What is given out in pages. The first octet of a cursor says which: one of another collection means nothing. */
const MARKS = {
  corporations: 1,
  pharmacies: 2,
  accounts: 3,
  memberships: 4,
  devices: 5,
  certificates: 6,
  apiKeys: 7,
  relyingParties: 8,
  stages: 9,
  bulkIssues: 10,
  enrolments: 11,
  enrolmentBatches: 12,
  tasks: 14,
} as const;
export type Collection = keyof typeof MARKS;

/** The cursor that stands behind the item with this key. Opaque: callers must not take it apart. */
export function writeCursor(collection: Collection, key: Uint8Array): string {
  return Buffer.from([MARKS[collection], ...key]).toString("base64url");
}

/** The key of a cursor of this collection (base64url without padding, RFC 4648 §5). Throws InvalidValueError. */
export function readCursor(collection: Collection, cursor: string): Uint8Array {
  const octets = Buffer.from(cursor, "base64url");
  const key = octets.subarray(1);
  if (octets[0] !== MARKS[collection] || writeCursor(collection, key) !== cursor)
    throw new InvalidValueError("after", "is no nextCursor of this collection");
  return key;
}
