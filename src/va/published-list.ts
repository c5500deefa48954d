import { checkCrlForm } from "../pki/crl-check.ts";
import { readCrl, type CrlView } from "../pki/crl-reader.ts";
import type { Verify } from "../pki/crypto.ts";
import { PkiError } from "../pki/errors.ts";
import type { Issuer } from "./issuer.ts";
import { MEDIA_TYPE, publicationOf, type Publication } from "./publication.ts";

/** A list that passed the check and is given out. */
export interface PublishedList {
  readonly issuerId: string;
  /** `full`, or the two hex digits of a shard. */
  readonly scope: string;
  readonly number: bigint;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly entryCount: number;
  readonly publication: Publication;
}

/** The name of a list's file: `issuing-g1.crl` for the full list, `issuing-g1-0a.crl` for a shard. */
export const listName = (issuerId: string, scope: string): string =>
  scope === "full" ? `${issuerId}.crl` : `${issuerId}-${scope}.crl`;

export interface ListJudge {
  readonly verify: Verify;
  readonly now: Date;
}

/** A list as it came from the database or the disk. */
export interface ListCandidate {
  readonly issuer: Issuer;
  readonly scope: string;
  readonly der: Uint8Array;
  /** The number of the list that it would replace. */
  readonly previousNumber?: bigint;
}

/** The list if it may be given out, otherwise what is wrong with it. */
export function judgeList(
  { der, issuer, previousNumber, scope }: ListCandidate,
  { now, verify }: ListJudge,
): PublishedList | readonly string[] {
  let view: CrlView;
  try {
    view = readCrl(der);
  } catch (error) {
    if (error instanceof PkiError) return [error.message];
    throw error;
  }
  const url = `${issuer.vaUrl}/crl/${listName(issuer.id, scope)}`;
  // Who has to be on the list was checked before it was published, by those who read the database. Here its form counts.
  const findings = checkCrlForm(
    view,
    {
      issuerName: issuer.subject,
      issuerSpki: issuer.spki,
      issuerKeyIdentifier: issuer.keyIdentifier,
      ...(scope === "full" ? {} : { distributionPoint: url }),
      ...(previousNumber === undefined ? {} : { previousNumber }),
      now,
    },
    verify,
  );
  const { entryCount, nextUpdate, number, thisUpdate } = view;
  if (findings.length > 0 || number === undefined) return findings;
  const dates = { modifiedAt: thisUpdate, expiresAt: nextUpdate };
  const publication = publicationOf(der, MEDIA_TYPE.crl, dates);
  return { issuerId: issuer.id, scope, number, thisUpdate, nextUpdate, entryCount, publication };
}
