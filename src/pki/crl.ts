import type { CrlEntries } from "./crl-entries.ts";
import { DerWriter } from "./der-writer.ts";
import {
  TAG,
  boolean,
  context,
  contextPrimitive,
  integer,
  octetString,
  oid,
  sequence,
} from "./der.ts";
import { STATUS_OID } from "./oids-status.ts";

/** All that a full CRL says (RFC 5280 §5.1). */
export interface CrlTemplate {
  /** The issuer's Name, byte for byte as in its certificate. */
  readonly issuerName: Uint8Array;
  readonly issuerKeyIdentifier: Uint8Array;
  /** The AlgorithmIdentifier of the signature that follows. */
  readonly signatureAlgorithm: Uint8Array;
  readonly number: bigint;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  /** The URL of a shard. A list for proxies has none: an IDP with a name is refused for certificates that do not name it. */
  readonly distributionPoint?: string;
  readonly entries: CrlEntries;
}

const VERSION_2 = integer(1);

/** RFC 5280 §5.2.3: at most 20 octets, which the sign takes part of. */
const NUMBER_LIMIT = 1n << 159n;

const extension = (id: string, value: Uint8Array): Uint8Array =>
  sequence(oid(id), octetString(value));

/** RFC 5280 §5.2.5: critical; for a shard exactly the URL that its certificates carry. */
function issuingDistributionPoint(url: string): Uint8Array {
  if (!/^[\x21-\x7e]+$/.test(url)) throw new RangeError("a distribution point is a URL in ASCII");
  const fullName = context(0, contextPrimitive(6, new TextEncoder().encode(url)));
  return sequence(
    oid(STATUS_OID.issuingDistributionPoint),
    boolean(true),
    octetString(sequence(context(0, fullName))),
  );
}

function crlExtensions(list: CrlTemplate): Uint8Array {
  if (list.number < 0n || list.number >= NUMBER_LIMIT) {
    throw new RangeError("a CRL number has at most 20 octets");
  }
  const keyIdentifier = sequence(contextPrimitive(0, list.issuerKeyIdentifier));
  const extensions = [
    extension(STATUS_OID.authorityKeyIdentifier, keyIdentifier),
    extension(STATUS_OID.cRLNumber, integer(list.number)),
  ];
  if (list.distributionPoint !== undefined) {
    extensions.push(issuingDistributionPoint(list.distributionPoint));
  }
  return context(0, sequence(...extensions));
}

/** Entries, with how many octets they have in DER. */
interface Encoded {
  readonly entries: CrlEntries;
  readonly octets: number;
}

/** RFC 5280 §5.1.2.6: the member is absent when nothing is revoked, never an empty SEQUENCE. */
function writeRevokedCertificates(into: DerWriter, { entries, octets }: Encoded): void {
  if (entries.length === 0) return;
  const list = into.mark;
  entries.encode(into.room(octets));
  into.wrap(TAG.sequence, list);
}

/**
 * The TBSCertList of a full CRL: version 2 with AKI, CRL number and, for a shard, its distribution point (RFC 5280
 * §5.1.2, §5.2). There are no deltas: a proxy that reads one lets revoked certificates in.
 */
export function buildCrlTbs(list: CrlTemplate): Uint8Array {
  if (!(list.nextUpdate > list.thisUpdate)) {
    throw new RangeError("nextUpdate comes after thisUpdate");
  }
  const { entries, issuerName, signatureAlgorithm } = list;
  const extensions = crlExtensions(list);
  const fixed = extensions.length + issuerName.length + signatureAlgorithm.length + 64;
  const octets = entries.encodedLength;
  const into = new DerWriter(fixed + octets);
  const all = into.mark;
  into.bytes(extensions);
  writeRevokedCertificates(into, { entries, octets });
  into.time(list.nextUpdate.getTime());
  into.time(list.thisUpdate.getTime());
  into.bytes(issuerName);
  into.bytes(signatureAlgorithm);
  into.bytes(VERSION_2);
  into.wrap(TAG.sequence, all);
  return into.finish();
}
