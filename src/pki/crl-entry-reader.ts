import {
  booleanValue,
  contentOf,
  Cursor,
  integerContent,
  oidText,
  readOnly,
  readTlv,
  timeValue,
  type Tlv,
} from "./der-reader.ts";
import { CrlEntryTable, type ReadEntry } from "./crl-entry-table.ts";
import { readPlainEntry, WRITTEN_REASONS } from "./crl-plain-entry.ts";
import { TAG } from "./der.ts";
import { MalformedCrlError, MalformedDerError } from "./errors.ts";
import { STATUS_OID } from "./oids-status.ts";
import { serialFromInteger } from "./serial.ts";

/** As many faults of one list are told; the first ones show what is wrong. */
const MAX_FAULTS = 20;

/** An extension of a list or of an entry. */
export interface Extension {
  readonly id: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** What a list should not say, as far as it is told. */
export class Faults {
  readonly list: string[] = [];

  unless(holds: boolean, fault: string): void {
    if (!holds && this.list.length < MAX_FAULTS) this.list.push(fault);
  }
}

/** Every extension once, none with its default written out (RFC 5280 §4.1). Throws MalformedCrlError. */
export function readExtensions(list: Tlv): Extension[] {
  const members = new Cursor(list);
  const found: Extension[] = [];
  while (!members.done) {
    const parts = new Cursor(members.next(TAG.sequence));
    const id = oidText(parts.next(TAG.oid));
    const flag = parts.optional(TAG.boolean);
    const critical = flag !== undefined && booleanValue(flag);
    if (flag !== undefined && !critical) throw new MalformedCrlError("a default value is written");
    const value = contentOf(parts.next(TAG.octetString));
    parts.finish();
    if (found.some((other) => other.id === id)) {
      throw new MalformedCrlError(`extension ${id} comes twice`);
    }
    found.push({ id, critical, value });
  }
  if (found.length === 0) throw new MalformedCrlError("an empty list of extensions");
  return found;
}

/** RFC 5280 §5.1.2.4: UTCTime through 2049, GeneralizedTime from 2050. */
export function readTime(value: Tlv): Date {
  const date = timeValue(value);
  if (value.tag !== (date.getUTCFullYear() < 2050 ? TAG.utcTime : TAG.generalizedTime)) {
    throw new MalformedCrlError("a time has the wrong one of its two types");
  }
  return date;
}

/** RFC 5280 §5.3: reasonCode and invalidityDate, neither of them critical; certificateIssuer is for indirect lists only. */
function readEntryExtensions(list: Tlv, revokedAt: Date, faults: Faults): number {
  let reason = 0;
  for (const { id, critical, value } of readExtensions(list)) {
    if (id === STATUS_OID.reasonCode) {
      const code = readOnly(value, TAG.enumerated);
      reason = contentOf(code)[0] ?? 0;
      const sound = contentOf(code).length === 1 && WRITTEN_REASONS.has(reason);
      faults.unless(sound, `R12 reason ${reason} has no place in a full list`);
      faults.unless(!critical, "R12 reasonCode is critical");
    } else if (id === STATUS_OID.invalidityDate) {
      const since = timeValue(readOnly(value, TAG.generalizedTime));
      faults.unless(since <= revokedAt, "R14 an invalidity date is after the revocation");
      faults.unless(!critical, "R14 invalidityDate is critical");
    } else {
      faults.unless(false, `R11 an entry has extension ${id}`);
    }
  }
  return reason;
}

function readEntry(value: Tlv, faults: Faults): ReadEntry {
  const parts = new Cursor(value);
  const integer = parts.next(TAG.integer);
  const serial = serialFromInteger(integerContent(integer));
  const revokedAt = readTime(parts.next());
  const extensions = parts.optional(TAG.sequence);
  parts.finish();
  const reason = extensions === undefined ? 0 : readEntryExtensions(extensions, revokedAt, faults);
  const octets = serial.length / 2;
  return { at: integer.end - octets, octets, revokedAt: revokedAt.getTime(), reason };
}

/** An entry of ours has so many octets: what a table begins with room for. */
const USUAL_OCTETS = 35;

/** Reads every entry once, so that a view never throws later. Throws MalformedCrlError and what DER's reader throws. */
export function readEntries(
  list: Tlv | undefined,
  thisUpdate: Date,
  faults: Faults,
): CrlEntryTable {
  if (list === undefined) return new CrlEntryTable(new Uint8Array(), 0);
  const { content, end: limit, source } = list;
  faults.unless(content < limit, "R06 revokedCertificates is there and empty");
  const table = new CrlEntryTable(source, Math.ceil((limit - content) / USUAL_OCTETS));
  const latest = thisUpdate.getTime();
  const plain = { at: 0, octets: 0, revokedAt: 0, reason: 0, end: 0 };
  const place = { at: content, limit };
  while (place.at < limit) {
    if (readPlainEntry(source, place, plain)) {
      table.push(plain);
      place.at = plain.end;
    } else {
      const value = readTlv(source, place.at, limit);
      if (value.tag !== TAG.sequence) throw new MalformedDerError("an entry is no SEQUENCE");
      table.push(readEntry(value, faults));
      place.at = value.end;
    }
    const last = table.length - 1;
    if (table.revokedAt(last) > latest)
      faults.unless(false, `R15 ${table.serial(last)} is revoked after thisUpdate`);
  }
  return table;
}
