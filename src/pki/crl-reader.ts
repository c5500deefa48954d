import { equal, latin1Text } from "./bytes.ts";
import {
  Cursor,
  bitStringOctets,
  contentOf,
  integerContent,
  oidText,
  readOnly,
  readTlv,
  smallInteger,
  whole,
  type Tlv,
} from "./der-reader.ts";
import {
  type Extension,
  Faults,
  readEntries,
  readExtensions,
  readTime,
} from "./crl-entry-reader.ts";
import type { CrlEntryTable, CrlEntryView } from "./crl-entry-table.ts";
import { TAG } from "./der.ts";
import { MalformedCrlError, PkiError } from "./errors.ts";
import { signatureAlgorithmName, STATUS_OID } from "./oids-status.ts";

/*
 * Reads the lists that we publish, and shares no line with what wrote them: a fault of the writer must not be repeated
 * here. What cannot be read is thrown; what can be read and breaks a rule is a fault in the view.
 */

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
  /** The entries in columns, for who compares a million of them. */
  readonly table: CrlEntryTable;
  /** What the list should not say, rule by rule, as far as it shows without knowing what was expected. */
  readonly faults: readonly string[];
  /** The entries in the list's order, one after the other. */
  entries(): Generator<CrlEntryView>;
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
  const table = readEntries(list.revoked, list.thisUpdate, faults);
  return {
    issuerName: list.issuerName,
    signatureAlgorithm: algorithmName(list.algorithm),
    tbs: whole(tbs),
    signature,
    thisUpdate: list.thisUpdate,
    nextUpdate: list.nextUpdate,
    ...extensions,
    entryCount: table.length,
    table,
    faults: faults.list,
    entries: () => table.entries(),
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
