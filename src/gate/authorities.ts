import { equal, toHex } from "../pki/bytes.ts";
import { type CertificateParts, parseCertificate } from "../pki/certificate-view.ts";
import type { Digest, Verify } from "../pki/crypto.ts";
import { TAG } from "../pki/der.ts";
import { Cursor, oidText, readOnly } from "../pki/der-reader.ts";
import { PkiError } from "../pki/errors.ts";
import { commonNameOf, nameText } from "../pki/name.ts";
import { EXTENSION } from "../pki/oids.ts";
import { signatureAlgorithmName } from "../pki/oids-status.ts";
import { RefusedError } from "./errors.ts";

/** A CA that the proxy may trust: its certificate was checked up to a pinned root. */
export interface Authority {
  readonly der: Uint8Array;
  /** Lower-case hex of the certificate's SHA-256: how Suido is told of it. */
  readonly sha256: string;
  /** For people: the common name. */
  readonly name: string;
  readonly subject: Uint8Array;
  readonly spki: Uint8Array;
  readonly keyIdentifier: Uint8Array;
  /** Undefined for a root. */
  readonly issuer: Authority | undefined;
  /** Its number in lower-case hex. */
  readonly serial: string;
  /** How many CAs may stand below this one (RFC 5280 §4.2.1.9, and what those above it allow). */
  readonly room: number;
}

export interface Judge {
  /** SHA-256 of the trusted roots' certificates, in lower-case hex. */
  readonly roots: ReadonlySet<string>;
  /** The proxy on this machine judges by the same clock: nothing may be valid for us that is not yet for it. */
  readonly now: Date;
  readonly verify: Verify;
  readonly digest: Digest;
  /** For a proxy that looks at no list but that of the client's own issuer: CAs on their issuer's list are left out. */
  readonly leavesOutRevoked?: boolean;
}

interface Candidate extends CertificateParts {
  readonly der: Uint8Array;
  readonly sha256: string;
  readonly name: string;
}

/** Extensions that may be critical in a CA's certificate: those that every proxy's library honours. */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  EXTENSION.basicConstraints,
  EXTENSION.keyUsage,
  EXTENSION.extKeyUsage,
  EXTENSION.certificatePolicies,
  EXTENSION.nameConstraints,
]);

function read(der: Uint8Array, digest: Digest): Candidate {
  try {
    const parts = parseCertificate(der);
    const name = commonNameOf(parts.view.subject) ?? nameText(parts.view.subject);
    return { ...parts, der, name, sha256: toHex(digest("sha256", der)) };
  } catch (error) {
    if (!(error instanceof PkiError)) throw error;
    throw new RefusedError(
      "malformed-certificate",
      `a CA certificate cannot be read: ${error.message}`,
      { cause: error },
    );
  }
}

/** RFC 5280 §6.1.4 (k), (n): only such a certificate's key may sign certificates and lists. */
function checkForm({ name, signatureAlgorithm, view }: Candidate): Uint8Array {
  const { basicConstraints, keyUsage, subjectKeyIdentifier } = view.forms;
  const refuse = (why: string): never => {
    throw new RefusedError("certificate-not-a-ca", `the certificate "${name}" ${why}`);
  };
  if (view.version !== 2 || basicConstraints?.ca !== true) return refuse("is not a CA's");
  const usages = keyUsage?.usages ?? [];
  if (!usages.includes("keyCertSign") || !usages.includes("cRLSign"))
    return refuse("may not sign certificates and lists");
  const strange = view.extensions.find(({ critical, oid }) => critical && !UNDERSTOOD.has(oid));
  if (strange !== undefined) return refuse(`has the critical extension ${strange.oid}`);
  if (new Set(view.extensions.map(({ oid }) => oid)).size !== view.extensions.length)
    return refuse("has an extension twice");
  if (!equal(signatureAlgorithm, view.signature))
    return refuse("names two different signature algorithms");
  if (subjectKeyIdentifier === undefined) return refuse("has no subject key identifier");
  return subjectKeyIdentifier;
}

function checkDates({ name, view }: Candidate, now: Date): void {
  const { notAfter, notBefore } = view;
  if (notBefore.date > now) {
    throw new RefusedError(
      "certificate-not-yet-valid",
      `the CA "${name}" begins at ${notBefore.date.toISOString()}, and this machine's clock says ${now.toISOString()}`,
    );
  }
  if (notAfter.date <= now) {
    const text = `the CA "${name}" has ended at ${notAfter.date.toISOString()}`;
    throw new RefusedError("certificate-expired", text);
  }
}

const algorithmOf = (identifier: Uint8Array): string =>
  signatureAlgorithmName(oidText(new Cursor(readOnly(identifier)).next(TAG.oid)));

/** The certificate as a CA below this one, or as its own root. Throws RefusedError. */
function accept(candidate: Candidate, issuer: Authority | undefined, judge: Judge): Authority {
  const { der, name, sha256, signature, signatureAlgorithm, tbs, view } = candidate;
  const keyIdentifier = checkForm(candidate);
  checkDates(candidate, judge.now);
  const spki = issuer?.spki ?? view.spki;
  if (!judge.verify(spki, algorithmOf(signatureAlgorithm), tbs, signature)) {
    const text = `the signature under the CA "${name}" is not its issuer's`;
    throw new RefusedError("certificate-signature", text);
  }
  const above = issuer === undefined ? Number.POSITIVE_INFINITY : issuer.room - 1;
  if (above < 0) {
    const text = `the CA "${name}" stands deeper than those above it allow`;
    throw new RefusedError("certificate-not-a-ca", text);
  }
  const room = Math.min(above, view.forms.basicConstraints?.pathLength ?? above);
  // Lists are read without the octet that only says that the number is not negative.
  const serial = toHex(view.serialNumber).replace(/^00(?=.)/, "");
  const { spki: ownSpki, subject } = view;
  return { der, sha256, name, subject, spki: ownSpki, keyIdentifier, issuer, serial, room };
}

/** Whether the certificate says that this CA has signed it. */
function names({ view }: Candidate, issuer: Authority): boolean {
  const keyIdentifier = view.forms.authorityKeyIdentifier?.keyIdentifier;
  return (
    equal(view.issuer, issuer.subject) &&
    (keyIdentifier === undefined || equal(keyIdentifier, issuer.keyIdentifier))
  );
}

function checkUnique(accepted: readonly Authority[]): void {
  accepted.forEach((one, index) => {
    const isTwin = (other: Authority): boolean =>
      equal(one.subject, other.subject) && equal(one.keyIdentifier, other.keyIdentifier);
    if (accepted.slice(index + 1).some(isTwin)) {
      const text = `two CA certificates have the name and key of "${one.name}"`;
      throw new RefusedError("certificate-twice", text);
    }
  });
}

/**
 * The CAs whose certificates these are, each checked up to a pinned root (RFC 5280 §6.1): signature, dates, CA flags,
 * depth. One that does not pass refuses all of them. Throws RefusedError.
 */
export function judgeAuthorities(ders: readonly Uint8Array[], judge: Judge): Authority[] {
  const candidates = ders.map((der) => read(der, judge.digest));
  const accepted = candidates
    .filter(({ sha256 }) => judge.roots.has(sha256))
    .map((root) => accept(root, undefined, judge));
  if (accepted.length === 0)
    throw new RefusedError("root-missing", "none of the CA certificates is a trusted root");
  let waiting = candidates.filter(({ sha256 }) => !judge.roots.has(sha256));
  while (waiting.length > 0) {
    const next = waiting.flatMap((candidate) => {
      const issuer = accepted.find((authority) => names(candidate, authority));
      return issuer === undefined ? [] : [{ candidate, issuer }];
    });
    const [first] = waiting;
    if (next.length === 0 && first !== undefined) {
      throw new RefusedError(
        "certificate-foreign",
        `the CA "${first.name}" was issued by none of the trusted ones`,
      );
    }
    for (const { candidate, issuer } of next) accepted.push(accept(candidate, issuer, judge));
    const taken = new Set(next.map(({ candidate }) => candidate));
    waiting = waiting.filter((candidate) => !taken.has(candidate));
  }
  checkUnique(accepted);
  return accepted;
}
