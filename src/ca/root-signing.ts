import type { CaConfig } from "../config/ca-config.ts";
import { ApprovedTbs } from "../pki/approved.ts";
import { toHex } from "../pki/bytes.ts";
import { buildTbs, type TbsRequest } from "../pki/certificate.ts";
import type { Clock } from "../pki/clock.ts";
import { readCrl } from "../pki/crl-reader.ts";
import { buildCrlTbs } from "../pki/crl.ts";
import type { Digest, Verify } from "../pki/crypto.ts";
import { LintError, PkiError } from "../pki/errors.ts";
import { checkPublicKey, parsePublicKey } from "../pki/key.ts";
import { assembleSigned } from "../pki/signed.ts";
import { certificateLines, listLines } from "../pki/signing-text.ts";
import { CeremonyError } from "./errors.ts";
import { signatureAlgorithmFor } from "./issuer.ts";
import type { SigningKey } from "./key-store.ts";
import {
  promisedAuthority,
  promisedDelegate,
  promisedList,
  type PromiseContext,
  rootFacts,
  type SigningRoot,
} from "./root-promise.ts";
import {
  issuersHash,
  proofText,
  type RequestedAuthority,
  readRequest,
  textHash,
} from "./root-request.ts";
import { REQUEST_LIFE_MS, responseFindings } from "./root-response-check.ts";
import { signedText, type RootResponse } from "./root-response.ts";
import type { Transcript } from "./root-transcript.ts";

/** Needs no database, no network and no data folder: files, a clock, and arithmetic. */
export interface RootSigningDeps {
  readonly caConfig: CaConfig;
  readonly clock: Clock;
  readonly digest: Digest;
  readonly verify: Verify;
}

/** One thing that is to be signed, as two people read it. */
export interface ToBeSigned {
  readonly what: "list" | "delegate" | "issuing";
  readonly title: string;
  readonly lines: readonly string[];
  /** SHA-256 of the bytes that are signed, hex. */
  readonly sha256: string;
}

interface Approved extends ToBeSigned {
  /** Signs, and returns the whole. Once. */
  readonly sign: (key: SigningKey) => Uint8Array;
}

/** A root session before anything is signed. */
export interface RootSession {
  readonly context: PromiseContext;
  readonly requestHash: string;
  /** What the request says of itself. */
  readonly lines: readonly string[];
  readonly items: readonly Approved[];
}

function approveList(context: PromiseContext): Approved {
  const promised = promisedList(context);
  const tbs = buildCrlTbs(promised);
  const { signatureAlgorithm } = promised;
  // Read by the independent reader, which wants a signature to be there.
  const view = readCrl(assembleSigned(tbs, signatureAlgorithm, new Uint8Array(8)));
  if (view.faults.length > 0) throw new CeremonyError(`the list: ${view.faults.join("; ")}`);
  return {
    what: "list",
    title: `the list of ${context.root.id}`,
    lines: listLines(view),
    sha256: toHex(context.digest("sha256", tbs)),
    sign: (key) => assembleSigned(tbs, signatureAlgorithm, key.sign(tbs)),
  };
}

function approveCertificate(
  what: "delegate" | "issuing",
  promised: TbsRequest,
  { digest }: PromiseContext,
): Approved {
  checkPublicKey(parsePublicKey(promised.spki), promised.profile.keys);
  const tbs = buildTbs(promised, digest);
  const approved = ApprovedTbs.approve(tbs, promised, digest);
  return {
    what,
    title: what === "delegate" ? "the certificate of the root's OCSP delegate" : "a new issuing CA",
    lines: certificateLines(tbs, digest),
    sha256: toHex(digest("sha256", tbs)),
    sign: (key) => approved.signWith((bytes) => key.sign(bytes)),
  };
}

/** A new CA is one of our hierarchy, of the next generation, and whoever asks has its key. */
function checkAuthority(
  authority: RequestedAuthority,
  { request, root }: PromiseContext,
  { caConfig, verify }: RootSigningDeps,
): void {
  const { organization, issuing } = caConfig.hierarchy;
  const { id, generation, spki, proof } = authority;
  const isOurs =
    id === `${issuing.name}-g${generation}` &&
    authority.organization === organization &&
    authority.commonName === `${issuing.commonName} G${generation}` &&
    authority.profile === issuing.profile &&
    id !== root.id &&
    request.issuers.every((known) => known.id !== id);
  if (!isOurs)
    throw new CeremonyError(
      `the new issuing CA "${id}" is not the next one of hierarchy.yaml on this machine`,
    );
  if (!verify(spki, signatureAlgorithmFor(spki), proofText(request.id, id, spki), proof))
    throw new CeremonyError(`whoever asks for "${id}" has not shown that they have its key`);
}

function checkRequest({ request, root, at, digest }: PromiseContext): void {
  const fingerprint = toHex(digest("sha256", root.certificate));
  if (request.root.id !== root.id || request.root.fingerprint !== fingerprint)
    throw new CeremonyError(`the request is for another root than the sealed one (${fingerprint})`);
  if (request.vaUrl !== root.vaUrl)
    throw new CeremonyError(`the request names the address ${request.vaUrl}, not ${root.vaUrl}`);
  if (at < request.at)
    throw new CeremonyError(
      `the clock of this machine (${at.toISOString()}) stands before the request (${request.at.toISOString()}): set it`,
    );
  if (at.getTime() > request.at.getTime() + REQUEST_LIFE_MS)
    throw new CeremonyError("the request is more than 30 days old: ask for a new one");
  const listed = new Map(request.list.entries.map((entry) => [entry.serial, entry]));
  for (const { issuerId, serial, reason, revokedAt } of request.revocations) {
    const entry = listed.get(serial);
    if (entry?.reason !== reason || entry.revokedAt.getTime() !== revokedAt.getTime())
      throw new CeremonyError(`the revocation of ${issuerId} is not on the list as it was asked`);
  }
}

/** The sentence of what keeps something from being signed. */
function refusal(error: unknown): CeremonyError {
  if (error instanceof CeremonyError) return error;
  if (error instanceof LintError) {
    const findings = error.findings.map(({ lint, detail }) => `${lint}: ${detail}`);
    return new CeremonyError(`it breaks a rule: ${findings.join("; ")}`, { cause: error });
  }
  if (error instanceof PkiError || error instanceof RangeError)
    return new CeremonyError(error.message, { cause: error });
  throw error;
}

/**
 * Reads a request, computes anew all that is to be signed, lints it and puts it into words. Nothing is signed yet, and no
 * key is needed. Throws CeremonyError.
 */
export function openSession(
  content: string,
  root: SigningRoot,
  deps: RootSigningDeps,
): RootSession {
  const request = readRequest(content);
  const { caConfig, clock, digest } = deps;
  const context = { request, root, profiles: caConfig.profiles, digest, at: clock() };
  try {
    checkRequest(context);
    const items = [
      approveList(context),
      approveCertificate("delegate", promisedDelegate(context), context),
    ];
    if (request.issuing !== undefined) {
      checkAuthority(request.issuing, context, deps);
      const promised = promisedAuthority(request.issuing, context);
      items.push(approveCertificate("issuing", promised, context));
    }
    return { context, requestHash: textHash(content), lines: requestLines(context), items };
  } catch (error) {
    throw refusal(error);
  }
}

function requestLines({ request, root }: PromiseContext): readonly string[] {
  return [
    `request    ${request.id} of ${request.at.toISOString()}`,
    `root       ${root.id}, SHA-256 ${request.root.fingerprint}`,
    ...request.issuers.map(
      ({ id, kind, fingerprint }) => `knows      ${id}, ${kind}, ${fingerprint}`,
    ),
    `all known  SHA-256 ${issuersHash(request)}`,
    ...request.revocations.map(
      ({ issuerId, serial, revokedAt }) =>
        `REVOKES    the issuing CA ${issuerId} (${serial}) since ${revokedAt.toISOString()}`,
    ),
  ];
}

/**
 * Signs what was shown, checks the result as a stranger's, and signs the transcript with it. Throws CeremonyError when the
 * key is not the root's, or when anything that was signed is not what was promised: then nothing leaves.
 */
export function signSession(
  { context, requestHash, items }: RootSession,
  session: {
    readonly key: SigningKey;
    readonly by: readonly string[];
    readonly transcript: Transcript;
  },
  { clock, verify }: RootSigningDeps,
): RootResponse {
  const { key, by, transcript } = session;
  if (toHex(key.spki) !== toHex(rootFacts(context).spki))
    throw new CeremonyError("the key that was opened is not the root's");
  const signed = new Map<ToBeSigned["what"], Uint8Array>();
  for (const { what, title, sha256, sign } of items) {
    const der = sign(key);
    signed.set(what, der);
    transcript.add(
      `signed ${title}: to be signed ${sha256}, signed ${toHex(context.digest("sha256", der))}`,
    );
  }
  transcript.add("all of it was read again and checked; the transcript is signed with it");
  const issuing = signed.get("issuing");
  const unsigned = {
    format: "suido-root-response-1",
    requestId: context.request.id,
    requestHash,
    at: context.at,
    by,
    list: signed.get("list") ?? new Uint8Array(),
    delegate: signed.get("delegate") ?? new Uint8Array(),
    ...(issuing !== undefined && { issuing }),
    transcript: transcript.text,
  } as const;
  const response = { ...unsigned, signature: key.sign(signedText(unsigned)) };
  const findings = responseFindings(response, { ...context, requestHash, now: clock(), verify });
  if (findings.length > 0)
    throw new CeremonyError(`what was signed is not what was asked for: ${findings.join("; ")}`);
  return response;
}
