import { BACKDATE_MS } from "../pki/clock.ts";
import { parseCertificate } from "../pki/certificate-view.ts";
import { algorithmIdentifier, type IssuerFacts, type TbsRequest } from "../pki/certificate.ts";
import { CrlEntries } from "../pki/crl-entries.ts";
import type { CrlTemplate } from "../pki/crl.ts";
import type { Digest } from "../pki/crypto.ts";
import { keyIdentifier } from "../pki/key.ts";
import { encodeName } from "../pki/name.ts";
import { type Profile, profileHash } from "../pki/profile.ts";
import type { ReasonCode } from "../pki/revocation-reason.ts";
import { validityOf } from "../pki/validity.ts";
import { CeremonyError } from "./errors.ts";
import { issuerUrls, signatureAlgorithmFor } from "./issuer.ts";
import { ROOT_LIFE_MS } from "./lists.ts";
import type { RequestedAuthority, RequestedCertificate, RootRequest } from "./root-request.ts";

/**
 * What a request becomes at a given moment, to the byte. Whoever signs and whoever checks compute it each for themselves:
 * the request and the moment leave nothing open.
 */

/** The root that signs, known from elsewhere than from the request. */
export interface SigningRoot {
  readonly id: string;
  readonly certificate: Uint8Array;
  readonly vaUrl: string;
}

export interface PromiseContext {
  readonly request: RootRequest;
  readonly root: SigningRoot;
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly digest: Digest;
  /** The moment. */
  readonly at: Date;
}

/** What the root's certificates and lists say of it. */
export function rootFacts({
  root,
  digest,
}: Pick<PromiseContext, "root" | "digest">): IssuerFacts & { readonly spki: Uint8Array } {
  const { view } = parseCertificate(root.certificate);
  return {
    subject: view.subject,
    keyIdentifier: keyIdentifier(view.spki, digest),
    signatureAlgorithm: signatureAlgorithmFor(view.spki),
    notAfter: view.notAfter.date,
    urls: issuerUrls(root.vaUrl, root.id),
    spki: view.spki,
  };
}

function promise(
  wanted: RequestedCertificate,
  subject: Uint8Array,
  context: PromiseContext,
): TbsRequest {
  const { profiles, digest, at, request } = context;
  const profile = profiles.get(wanted.profile);
  if (profile === undefined || profileHash(profile, digest) !== wanted.profileHash) {
    throw new CeremonyError(
      `the profile "${wanted.profile}" of this machine is not the one of the request: both want the same version of the program and of ca-config`,
    );
  }
  const { spki: _, ...issuer } = rootFacts(context);
  return {
    profile,
    serial: wanted.serial,
    issuer,
    subject,
    spki: wanted.spki,
    ...validityOf(profile, {
      now: at,
      timeZone: request.timeZone,
      ...(issuer.notAfter !== undefined && { issuerNotAfter: issuer.notAfter }),
    }),
  };
}

/** The root's OCSP delegate. */
export function promisedDelegate(context: PromiseContext): TbsRequest {
  const { delegate } = context.request;
  return promise(delegate, encodeName([{ type: "CN", value: delegate.commonName }]), context);
}

/** A new issuing CA. */
export function promisedAuthority(
  authority: RequestedAuthority,
  context: PromiseContext,
): TbsRequest {
  const subject = encodeName([
    { type: "O", value: authority.organization },
    { type: "CN", value: authority.commonName },
  ]);
  return promise(authority, subject, context);
}

/** The root's list: dated as all lists are, and numbered above everything before it, even where the request lay for long. */
export function promisedList(context: PromiseContext): CrlTemplate {
  const { request, at } = context;
  const facts = rootFacts(context);
  const backdated = Math.floor((at.getTime() - BACKDATE_MS) / 1000) * 1000;
  const thisUpdate = new Date(Math.max(backdated, request.list.lastThisUpdate.getTime()));
  const micros = BigInt(at.getTime()) * 1000n;
  const entries = CrlEntries.of(
    request.list.entries.map(({ serial, revokedAt, reason }) => ({
      serial,
      revokedAt: new Date(revokedAt.getTime() - BACKDATE_MS),
      reason: reason as ReasonCode,
    })),
  );
  return {
    issuerName: facts.subject,
    issuerKeyIdentifier: facts.keyIdentifier,
    signatureAlgorithm: algorithmIdentifier(facts.signatureAlgorithm),
    number: request.list.number > micros ? request.list.number : micros,
    thisUpdate,
    nextUpdate: new Date(thisUpdate.getTime() + ROOT_LIFE_MS),
    entries,
  };
}
