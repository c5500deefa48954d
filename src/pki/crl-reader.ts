import { equal, latin1Text } from "./bytes.ts";
import {
  Cursor,
  bitStringOctets,
  booleanValue,
  contentOf,
  integerContent,
  oidText,
  readOnly,
  readTlv,
  smallInteger,
  timeValue,
  whole,
  type Tlv,
} from "./der-reader.ts";
import { TAG } from "./der.ts";
import { MalformedCrlError, PkiError } from "./errors.ts";
import { signatureAlgorithmName, STATUS_OID } from "./oids-status.ts";
import { serialFromInteger, type Serial } from "./serial.ts";

/*
 * Reads the lists that we publish, and shares no line with what wrote them: a fault of the writer must not be repeated
 * here. What cannot be read is thrown; what can be read and breaks a rule is a fault in the view.
 */

export interface CrlEntryView {
  readonly serial: Serial;
  readonly revokedAt: Date;
  /** The CRLReason value; 0 when there is none. */
  readonly reason: number;
}

/** RFC 5280 §5.2.5, as far as we know it: everything that we never write is counted in `others`. */
export interface IssuingDistributionPointView {
  readonly critical: boolean;
  readonly urls: readonly string[];
  /** The tags of all members except the distribution point's name. */
  readonly others: readonly number[];
}

export interface CrlView {
  readonly issuerName: Uint8Array;
  /** The algorithm's name, or its dotted identifier when we do not know it. */
  readonly signatureAlgorithm: string;
  /** The signed bytes. */
  readonly tbs: Uint8Array;
  readonly signature: Uint8Array;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly number: bigint | undefined;
  readonly authorityKeyIdentifier: Uint8Array | undefined;
  readonly issuingDistributionPoint: IssuingDistributionPointView | undefined;
  readonly entryCount: number;
  /** What the list should not say, rule by rule, as far as it shows without knowing what was expected. */
  readonly faults: readonly string[];
  /** The entries in the list's order, read anew each time. */
  entries(): Generator<CrlEntryView>;
}

/** As many faults of one list are told; the first ones show what is wrong. */
const MAX_FAULTS = 20;

interface Extension {
  readonly id: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

class Faults {
  readonly list: string[] = [];

  unless(holds: boolean, fault: string): void {
    if (!holds && this.list.length < MAX_FAULTS) this.list.push(fault);
  }
}

function readExtensions(list: Tlv): Extension[] {
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
function readTime(value: Tlv): Date {
  const date = timeValue(value);
  if (value.tag !== (date.getUTCFullYear() < 2050 ? TAG.utcTime : TAG.generalizedTime)) {
    throw new MalformedCrlError("a time has the wrong one of its two types");
  }
  return date;
}

/** Reasons that a full list may give and that are written out (R12); 0 is left out, 8 belongs to deltas. */
const WRITTEN_REASONS: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 6, 9, 10]);

/** RFC 5280 §5.3: reasonCode and invalidityDate, neither of them critical; certificateIssuer is for indirect lists only. */
function readEntryExtensions(list: Tlv, revokedAt: Date, faults?: Faults): number {
  let reason = 0;
  for (const { id, critical, value } of readExtensions(list)) {
    if (id === STATUS_OID.reasonCode) {
      const code = readOnly(value, TAG.enumerated);
      reason = contentOf(code)[0] ?? 0;
      const sound = contentOf(code).length === 1 && WRITTEN_REASONS.has(reason);
      faults?.unless(sound, `R12 reason ${reason} has no place in a full list`);
      faults?.unless(!critical, "R12 reasonCode is critical");
    } else if (id === STATUS_OID.invalidityDate) {
      const since = timeValue(readOnly(value, TAG.generalizedTime));
      faults?.unless(since <= revokedAt, "R14 an invalidity date is after the revocation");
      faults?.unless(!critical, "R14 invalidityDate is critical");
    } else {
      faults?.unless(false, `R11 an entry has extension ${id}`);
    }
  }
  return reason;
}

function readEntry(value: Tlv, faults?: Faults): CrlEntryView {
  const parts = new Cursor(value);
  const serial = serialFromInteger(integerContent(parts.next(TAG.integer)));
  const revokedAt = readTime(parts.next());
  const extensions = parts.optional(TAG.sequence);
  parts.finish();
  const reason = extensions === undefined ? 0 : readEntryExtensions(extensions, revokedAt, faults);
  return { serial, revokedAt, reason };
}

function* readEntries(list: Tlv | undefined): Generator<CrlEntryView> {
  if (list === undefined) return;
  const members = new Cursor(list);
  while (!members.done) yield readEntry(members.next(TAG.sequence));
}

/** Reads every entry once, so that a view never throws later; returns how many there are. */
function checkEntries(list: Tlv | undefined, thisUpdate: Date, faults: Faults): number {
  if (list === undefined) return 0;
  const members = new Cursor(list);
  faults.unless(!members.done, "R06 revokedCertificates is there and empty");
  let count = 0;
  while (!members.done) {
    const { revokedAt, serial } = readEntry(members.next(TAG.sequence), faults);
    if (revokedAt > thisUpdate) faults.unless(false, `R15 ${serial} is revoked after thisUpdate`);
    count++;
  }
  return count;
}

function readKeyIdentifier(value: Uint8Array): Uint8Array {
  const parts = new Cursor(readOnly(value, TAG.sequence));
  const keyIdentifier = contentOf(parts.next(0x80));
  parts.finish();
  return keyIdentifier;
}

function readNumber(value: Uint8Array, faults: Faults): bigint {
  const content = integerContent(readOnly(value, TAG.integer));
  if ((content[0] ?? 0) >= 0x80) throw new MalformedCrlError("a CRL number is not negative");
  faults.unless(content.length <= 20, "R04 the CRL number has more than 20 octets");
  let number = 0n;
  for (const octet of content) number = (number << 8n) | BigInt(octet);
  return number;
}

/** GeneralNames inside DistributionPointName's fullName (RFC 5280 §4.2.1.13). */
function readUrls(distributionPoint: Tlv): string[] {
  const name = new Cursor(distributionPoint);
  const names = new Cursor(name.next(0xa0));
  name.finish();
  const urls: string[] = [];
  while (!names.done) urls.push(latin1Text(contentOf(names.next(0x86))));
  return urls;
}

function readIdp({ critical, value }: Extension): IssuingDistributionPointView {
  const parts = new Cursor(readOnly(value, TAG.sequence));
  const name = parts.optional(0xa0);
  const others: number[] = [];
  while (!parts.done) others.push(parts.next().tag);
  return { critical, urls: name === undefined ? [] : readUrls(name), others };
}

interface CrlExtensions {
  number: bigint | undefined;
  authorityKeyIdentifier: Uint8Array | undefined;
  issuingDistributionPoint: IssuingDistributionPointView | undefined;
}

const NEVER: Readonly<Record<string, string>> = {
  [STATUS_OID.deltaCRLIndicator]: "R07 the list is a delta: a proxy would let revoked clients in",
  [STATUS_OID.freshestCRL]: "R09 the list names a delta (freshestCRL)",
};

/** RFC 5280 §5.2: what we know; what we do not know has no business on a list of ours. */
function readCrlExtensions(explicit: Tlv | undefined, faults: Faults): CrlExtensions {
  const known: CrlExtensions = {
    number: undefined,
    authorityKeyIdentifier: undefined,
    issuingDistributionPoint: undefined,
  };
  if (explicit === undefined) return known;
  const outer = new Cursor(explicit);
  const extensions = readExtensions(outer.next(TAG.sequence));
  outer.finish();
  for (const extension of extensions) {
    const { id, critical, value } = extension;
    switch (id) {
      case STATUS_OID.authorityKeyIdentifier:
        known.authorityKeyIdentifier = readKeyIdentifier(value);
        faults.unless(!critical, "R03 authorityKeyIdentifier is critical");
        break;
      case STATUS_OID.cRLNumber:
        known.number = readNumber(value, faults);
        faults.unless(!critical, "R04 cRLNumber is critical");
        break;
      case STATUS_OID.issuingDistributionPoint:
        known.issuingDistributionPoint = readIdp(extension);
        break;
      default:
        faults.unless(false, NEVER[id] ?? `R10 the list has extension ${id}`);
    }
  }
  return known;
}

interface TbsCertList {
  readonly algorithm: Uint8Array;
  readonly issuerName: Uint8Array;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly revoked: Tlv | undefined;
  readonly extensions: Tlv | undefined;
}

/** RFC 5280 §5.1.2, with the version and nextUpdate that §5.1.2.1 and §5.1.2.5 demand. */
function readTbs(value: Tlv): TbsCertList {
  const parts = new Cursor(value);
  if (smallInteger(parts.next(TAG.integer)) !== 1) throw new MalformedCrlError("not version 2");
  const algorithm = whole(parts.next(TAG.sequence));
  const issuerName = whole(parts.next(TAG.sequence));
  const thisUpdate = readTime(parts.next());
  const nextUpdate = readTime(parts.next());
  const revoked = parts.optional(TAG.sequence);
  const extensions = parts.optional(0xa0);
  parts.finish();
  return { algorithm, issuerName, thisUpdate, nextUpdate, revoked, extensions };
}

function algorithmName(algorithm: Uint8Array): string {
  return signatureAlgorithmName(
    oidText(readTlv(algorithm, readOnly(algorithm, TAG.sequence).content)),
  );
}

function read(der: Uint8Array): CrlView {
  const outer = new Cursor(readOnly(der, TAG.sequence));
  const tbs = outer.next(TAG.sequence);
  const algorithm = outer.next(TAG.sequence);
  const signature = bitStringOctets(outer.next(TAG.bitString));
  outer.finish();

  const list = readTbs(tbs);
  const faults = new Faults();
  const same = equal(whole(algorithm), list.algorithm);
  faults.unless(same, "RFC 5280 §5.1.1.2 the two signature algorithms differ");
  // The list's own faults first, so that many of its entries' cannot crowd them out.
  const extensions = readCrlExtensions(list.extensions, faults);
  const entryCount = checkEntries(list.revoked, list.thisUpdate, faults);
  return {
    issuerName: list.issuerName,
    signatureAlgorithm: algorithmName(list.algorithm),
    tbs: whole(tbs),
    signature,
    thisUpdate: list.thisUpdate,
    nextUpdate: list.nextUpdate,
    ...extensions,
    entryCount,
    faults: faults.list,
    entries: () => readEntries(list.revoked),
  };
}

/** Reads a CertificateList (RFC 5280 §5.1); the view shares the bytes. Throws MalformedCrlError, nothing else. */
export function readCrl(der: Uint8Array): CrlView {
  try {
    return read(der);
  } catch (error) {
    if (!(error instanceof PkiError) || error instanceof MalformedCrlError) throw error;
    throw new MalformedCrlError(error.message, { cause: error });
  }
}
