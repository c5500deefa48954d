import { equal } from "./bytes.ts";
import type { CrlEntryView } from "./crl-entry-table.ts";
import type { CrlView } from "./crl-reader.ts";
import type { Verify } from "./crypto.ts";
import type { Serial } from "./serial.ts";

/** A certificate that must or may stand on the list. */
export interface ExpectedEntry {
  readonly serial: Serial;
  /** False where the list may or may not have caught up: revoked after the snapshot, or past its notAfter. */
  readonly required: boolean;
  /** The reason that it must have; undefined where it may have changed since. */
  readonly reason?: number;
  /** The published date that it must have, to the second. */
  readonly revokedAt?: Date;
}

/** What the list has to be but for who is on it, known from elsewhere than from who made it. */
export interface ExpectedForm {
  readonly issuerName: Uint8Array;
  readonly issuerSpki: Uint8Array;
  readonly issuerKeyIdentifier: Uint8Array;
  /** The URL of the shard; absent for the full list. */
  readonly distributionPoint?: string;
  /** The highest number published so far for this issuer and scope. */
  readonly previousNumber?: bigint;
  readonly now: Date;
}

/** What the list has to be, known from elsewhere than from who made it. */
export interface ExpectedCrl extends ExpectedForm {
  /** Everything that must or may be listed, in ascending order of the serial as a number. */
  readonly entries: Iterable<ExpectedEntry>;
}

/** So many findings of the entries are told; the first ones show what is wrong. */
export const MAX_ENTRY_FINDINGS = 20;

function compareSerials(a: Serial, b: Serial): number {
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

const seconds = (date: Date): number => Math.floor(date.getTime() / 1000);

function* entryFindings(view: CrlView, entries: Iterable<ExpectedEntry>): Generator<string> {
  const expected = entries[Symbol.iterator]();
  let next = expected.next();
  for (const entry of view.entries()) {
    while (next.done !== true && compareSerials(next.value.serial, entry.serial) < 0) {
      if (next.value.required) yield `R16 ${next.value.serial} must be on the list and is not`;
      next = expected.next();
    }
    if (next.done === true || next.value.serial !== entry.serial) {
      yield `R17 ${entry.serial} is on the list and must not be`;
    } else {
      yield* differences(entry, next.value);
      next = expected.next();
    }
  }
  for (; next.done !== true; next = expected.next()) {
    if (next.value.required) yield `R16 ${next.value.serial} must be on the list and is not`;
  }
}

/** The first entry that does not come after the one before it. */
function orderFindings({ table }: CrlView): readonly string[] {
  for (let i = 1; i < table.length; i++) {
    if (table.compare(i - 1, table, i) >= 0)
      return [`R17 ${table.serial(i)} is out of order or listed twice`];
  }
  return [];
}

function* differences(entry: CrlEntryView, expected: ExpectedEntry): Generator<string> {
  const { reason, revokedAt, serial } = expected;
  if (reason !== undefined && reason !== entry.reason) {
    yield `R12 ${serial} has reason ${entry.reason} instead of ${reason}`;
  }
  if (revokedAt !== undefined && seconds(revokedAt) !== seconds(entry.revokedAt)) {
    yield `R15 ${serial} has the wrong revocation date`;
  }
}

// R10, R11, R22: a critical IDP with the shard's URL and nothing else, or none at all.
function* scopeFindings(view: CrlView, url: string | undefined): Generator<string> {
  const idp = view.issuingDistributionPoint;
  if (url === undefined) {
    if (idp !== undefined) yield "R22 a full list has no issuingDistributionPoint";
    return;
  }
  if (idp === undefined) {
    yield "R10 the shard has no issuingDistributionPoint";
    return;
  }
  if (!idp.critical) yield "R10 issuingDistributionPoint is not critical";
  if (idp.urls.length !== 1 || idp.urls[0] !== url)
    yield `R10 the distribution point is not ${url}`;
  if (idp.others.length > 0) yield "R11 issuingDistributionPoint limits the list further";
}

function* issuerFindings(view: CrlView, expected: ExpectedForm): Generator<string> {
  if (!equal(view.issuerName, expected.issuerName)) yield "R23 the issuer's name is another";
  const keyIdentifier = view.authorityKeyIdentifier;
  if (keyIdentifier === undefined) yield "R03 authorityKeyIdentifier is missing";
  else if (!equal(keyIdentifier, expected.issuerKeyIdentifier)) {
    yield "R23 authorityKeyIdentifier names another key";
  }
}

function* timeFindings(view: CrlView, expected: ExpectedForm): Generator<string> {
  const { number } = view;
  if (number === undefined) yield "R04 cRLNumber is missing";
  else if (expected.previousNumber !== undefined && number <= expected.previousNumber) {
    yield `R04 number ${number} does not rise above ${expected.previousNumber}`;
  }
  if (view.nextUpdate <= view.thisUpdate) yield "R02 nextUpdate is not after thisUpdate";
  if (view.nextUpdate <= expected.now) yield "R02 the list has expired already";
  if (view.thisUpdate > expected.now) yield "R18 thisUpdate lies in the future";
}

/** What is wrong with a list by itself, whoever should be on it: the rest is a matter of those who know that. */
export function checkCrlForm(view: CrlView, expected: ExpectedForm, verify: Verify): string[] {
  const findings = [
    ...view.faults,
    ...issuerFindings(view, expected),
    ...timeFindings(view, expected),
    ...scopeFindings(view, expected.distributionPoint),
  ];
  const { signature, signatureAlgorithm, tbs } = view;
  if (!verify(expected.issuerSpki, signatureAlgorithm, tbs, signature)) {
    findings.push("R17 the signature does not verify with the issuer's key");
  }
  return [...findings, ...orderFindings(view)];
}

/**
 * What keeps this list from being published; nothing means that it may. Everybody who must be on it is, nobody else is,
 * and it says of itself what RFC 5280 §5 asks, and what proxies that read it from a file need. Each finding begins with the
 * rule's number, which the tests in test/conformance carry too.
 */
export function checkCrl(view: CrlView, expected: ExpectedCrl, verify: Verify): string[] {
  const findings = checkCrlForm(view, expected, verify);
  if (orderFindings(view).length > 0) return findings;
  let told = 0;
  for (const finding of entryFindings(view, expected.entries)) {
    findings.push(finding);
    if (++told === MAX_ENTRY_FINDINGS) break;
  }
  return findings;
}
