import { BACKDATE_MS, type Clock } from "../pki/clock.ts";
import { MalformedOcspRequestError } from "../pki/errors.ts";
import { parseOcspRequest, type CertId, type OcspRequest } from "../pki/ocsp-request.ts";
import {
  assembleOcspResponse,
  buildResponseData,
  errorResponse,
  type CertStatus,
  type OcspErrorStatus,
  type ResponseData,
} from "../pki/ocsp-response.ts";
import { REASON_CODES, type ReasonCode } from "../pki/revocation-reason.ts";
import type { Delegate } from "./delegate.ts";
import { freshnessOf, momentAt, type Moment, type OcspFreshness } from "./ocsp-moment.ts";
import { IssuerTable, type Issuer } from "./issuer.ts";
import { latin1 } from "./latin1.ts";
import { ResponseCache } from "./response-cache.ts";
import type { StatusIndex } from "./status-index.ts";

/** What an answer said; of several certificates the worst. */
export type OcspOutcome = CertStatus["kind"] | OcspErrorStatus;

export interface OcspAnswer {
  /** The DER, a character an octet: a string goes to the socket together with the headers, octets would go beside them. */
  readonly text: string;
  readonly outcome: OcspOutcome;
  /** Absent where nobody may keep the answer: errors, nonces, unknown certificates, several at once. */
  readonly freshness?: OcspFreshness;
}

/** Whether the database could be asked about serials that are not in memory: `busy` when too many are asked about. */
export type LookUp = (serials: readonly Uint8Array[]) => Promise<"done" | "busy">;

export interface ResponderDeps {
  readonly index: StatusIndex;
  /** When the status was last known to be complete, in milliseconds since 1970; undefined before it first was. */
  readonly known: () => number | undefined;
  readonly lookUp: LookUp;
  readonly delegate: (issuerId: string) => Delegate | undefined;
  readonly clock: Clock;
  /** How old `known` may be. Beyond it every answer is tryLater. */
  readonly maxStaleMs: number;
  readonly onError: (error: unknown) => void;
}

/** Answers OCSP requests (RFC 6960) from memory. */
export interface Responder {
  /**
   * The answer to these bytes, whatever they are; `path` is the one that they came in, as it was sent, if they did. It
   * never throws and never rejects; it waits only after a miss.
   */
  answer(request: Uint8Array, path?: string): OcspAnswer | Promise<OcspAnswer>;
  /** What was answered to a request in this very path, as long as it holds. */
  kept(path: string): OcspAnswer | undefined;
  /** Takes over the issuers that are answered for. */
  setIssuers(issuers: readonly Issuer[]): void;
  /** How many signed answers are kept. */
  cached(): number;
}

/** About 1.5 kB each. What is asked in a path and in a body is two answers. */
const CACHED_ANSWERS = 20_000;

/** Nobody asks about one certificate without a nonce in more bytes; longer requests do not get into the cache. */
const CACHED_REQUEST_OCTETS = 255;

/** The same in base64, with some of its characters percent-encoded. */
const CACHED_PATH = 512;

/** An issuer as the responder works with it. */
interface Authority extends Issuer {
  /** Its number in the index. */
  readonly number: number;
  /** Where its own certificate stands in the index; −1 until it is known. */
  ordinal: number;
  moment: Moment | undefined;
}

/** An answer, with what it depends on: it may be given again as long as all of that is the same. */
interface CachedAnswer {
  readonly answer: OcspAnswer;
  /** Before this moment, which a clock that was set back may come to again, it lies in the future. */
  readonly from: number;
  readonly until: number;
  readonly ordinal: number;
  readonly mark: number;
  readonly revokedAt: number;
  readonly authority: Authority;
  readonly authorityMark: number;
}

const unsigned = (status: OcspErrorStatus): OcspAnswer => ({
  text: latin1(errorResponse(status)),
  outcome: status,
});

const MALFORMED = unsigned("malformedRequest");
const INTERNAL_ERROR = unsigned("internalError");
const TRY_LATER = unsigned("tryLater");
const UNAUTHORIZED = unsigned("unauthorized");

/** The DER of an answer. */
export const octetsOf = ({ text }: OcspAnswer): Buffer => Buffer.from(text, "latin1");

/** The answer for bytes that are no request, for whoever found that out before the responder. */
export const malformedRequest = (): OcspAnswer => MALFORMED;

const UNKNOWN: CertStatus = { kind: "unknown" };
const GOOD: CertStatus = { kind: "good" };

/** Published dates are set back like thisUpdate, or a CRL and OCSP would contradict each other. */
const publishedDate = (seconds: number): Date => new Date(seconds * 1000 - BACKDATE_MS);

function outcomeOf(statuses: readonly CertStatus[]): OcspOutcome {
  for (const kind of ["unknown", "revoked"] as const) {
    if (statuses.some((status) => status.kind === kind)) return kind;
  }
  return "good";
}

export function createResponder(deps: ResponderDeps): Responder {
  return new MemoryResponder(deps);
}

class MemoryResponder implements Responder {
  readonly #deps: ResponderDeps;
  readonly #cache = new ResponseCache<CachedAnswer>(CACHED_ANSWERS);
  #issuers = new IssuerTable<Authority>([]);

  constructor(deps: ResponderDeps) {
    this.#deps = deps;
  }

  setIssuers(issuers: readonly Issuer[]): void {
    const { index } = this.#deps;
    this.#issuers = new IssuerTable(
      issuers.map((issuer) => ({
        ...issuer,
        number: index.issuerNumber(issuer.id),
        ordinal: index.find(issuer.serial),
        moment: undefined,
      })),
    );
    this.#cache.clear();
  }

  cached(): number {
    return this.#cache.size;
  }

  answer(request: Uint8Array, path?: string): OcspAnswer | Promise<OcspAnswer> {
    try {
      const now = this.#deps.clock().getTime();
      const isLong = request.length > CACHED_REQUEST_OCTETS || (path?.length ?? 0) > CACHED_PATH;
      if (isLong) return this.#fresh(request, undefined, now);
      const key = path ?? latin1(request);
      return this.#kept(key, now) ?? this.#fresh(request, key, now);
    } catch (error) {
      return this.#failed(error);
    }
  }

  kept(path: string): OcspAnswer | undefined {
    return this.#kept(path, this.#deps.clock().getTime());
  }

  /** Each answer is checked against memory, so a revocation ends its life in that very moment. */
  #kept(key: string, now: number): OcspAnswer | undefined {
    const kept = this.#cache.get(key);
    if (kept === undefined) return undefined;
    const { index } = this.#deps;
    if (
      now >= kept.from &&
      now < kept.until &&
      index.markAt(kept.ordinal) === kept.mark &&
      index.revokedAt(kept.ordinal) === kept.revokedAt &&
      this.#authorityMark(kept.authority) === kept.authorityMark
    ) {
      return kept.answer;
    }
    this.#cache.delete(key);
    return undefined;
  }

  #fresh(
    bytes: Uint8Array,
    key: string | undefined,
    now: number,
  ): OcspAnswer | Promise<OcspAnswer> {
    // 1. The issuer that all certificates of the request have. For those of others we must not answer (RFC 9919 §3.2.3).
    const request = parseOcspRequest(bytes);
    const authority = this.#authorityOf(request);
    if (authority === undefined) return UNAUTHORIZED;
    // 2. What is too old, or cannot be signed, is not answered.
    if (this.#momentOf(authority, now) === undefined) return TRY_LATER;
    // 3. Serials that are not in memory may have been issued a moment ago.
    const missing = request.certIds.filter(({ serial }) => this.#deps.index.find(serial) < 0);
    if (missing.length > 0) return this.#afterLookUp(request, authority, missing);
    // 4. Sign, and keep what others will ask in the same words.
    const answer = this.#sign(request, authority, now);
    if (key !== undefined) this.#keep(key, request, { answer, authority });
    return answer;
  }

  async #afterLookUp(
    request: OcspRequest,
    authority: Authority,
    missing: readonly CertId[],
  ): Promise<OcspAnswer> {
    try {
      const asked = await this.#deps.lookUp(missing.map(({ serial }) => serial));
      if (asked === "busy") return TRY_LATER;
      return this.#sign(request, authority, this.#deps.clock().getTime());
    } catch (error) {
      return this.#failed(error);
    }
  }

  #failed(error: unknown): OcspAnswer {
    if (error instanceof MalformedOcspRequestError) return MALFORMED;
    this.#deps.onError(error);
    return INTERNAL_ERROR;
  }

  #authorityOf({ certIds }: OcspRequest): Authority | undefined {
    let common: Authority | undefined;
    for (const certId of certIds) {
      const authority = this.#issuers.find(certId);
      // Answers about several issuers would need several signatures.
      if (authority === undefined || (common !== undefined && authority !== common)) {
        return undefined;
      }
      common = authority;
    }
    return common;
  }

  #authorityMark(authority: Authority): number {
    if (authority.ordinal < 0) authority.ordinal = this.#deps.index.find(authority.serial);
    return authority.ordinal < 0 ? -1 : this.#deps.index.markAt(authority.ordinal);
  }

  /** Undefined where the status is too old or nobody may sign. */
  #momentOf(authority: Authority, now: number): Moment | undefined {
    const known = this.#deps.known();
    const delegate = this.#deps.delegate(authority.id);
    if (known === undefined || now - known > this.#deps.maxStaleMs) return undefined;
    if (delegate === undefined || delegate.notAfter.getTime() <= now) return undefined;
    const second = Math.floor(now / 1000);
    const { moment } = authority;
    if (moment?.second === second && moment.known === known && moment.delegate === delegate) {
      return moment;
    }
    authority.moment = momentAt(now, known, delegate);
    return authority.moment;
  }

  #sign(request: OcspRequest, authority: Authority, now: number): OcspAnswer {
    const moment = this.#momentOf(authority, now);
    if (moment === undefined) return TRY_LATER;
    const { certIds, nonce } = request;
    const { delegate, nextUpdate, producedAt, thisUpdate } = moment;
    const statuses = certIds.map(({ serial }) => this.#statusOf(authority, serial));
    const data: ResponseData = {
      responderKeyHash: delegate.keyHash,
      producedAt,
      responses: certIds.map(({ raw }, i) => ({
        certIdRaw: raw,
        status: statuses[i] ?? UNKNOWN,
        thisUpdate,
        nextUpdate,
      })),
      ...(nonce === undefined ? {} : { nonceExtensionRaw: nonce.extensionRaw }),
    };
    const responseData = buildResponseData(data);
    const signature = delegate.sign(responseData);
    const text = textOf({ responseData, signature }, delegate);
    const outcome = outcomeOf(statuses);
    const unshared = nonce !== undefined || certIds.length > 1 || outcome === "unknown";
    if (unshared) return { text, outcome };
    return { text, outcome, freshness: freshnessOf(signature, moment) };
  }

  #statusOf(authority: Authority, serial: Uint8Array): CertStatus {
    const { index } = this.#deps;
    const ordinal = index.find(serial);
    if (ordinal < 0) return UNKNOWN;
    const status = index.statusAt(ordinal);
    if (status.issuer !== authority.number) return UNKNOWN;
    if (status.state !== "good") {
      const reason = status.reason as ReasonCode;
      return { kind: "revoked", at: publishedDate(status.revokedAt), reason };
    }
    // RFC 6960 §2.7: nothing of a CA that was revoked is good any more.
    this.#authorityMark(authority);
    const issuer = authority.ordinal < 0 ? undefined : index.statusAt(authority.ordinal);
    if (issuer === undefined || issuer.state === "good") return GOOD;
    const reason = REASON_CODES.cACompromise;
    return { kind: "revoked", at: publishedDate(issuer.revokedAt), reason };
  }

  #keep(
    key: string,
    { certIds }: OcspRequest,
    { answer, authority }: { answer: OcspAnswer; authority: Authority },
  ): void {
    const { index } = this.#deps;
    const [certId] = certIds;
    const { freshness } = answer;
    if (freshness === undefined || certId === undefined) return;
    const ordinal = index.find(certId.serial);
    this.#cache.set(key, {
      answer,
      from: freshness.producedAt,
      until: freshness.freshUntil,
      ordinal,
      mark: index.markAt(ordinal),
      revokedAt: index.revokedAt(ordinal),
      authority,
      authorityMark: this.#authorityMark(authority),
    });
  }
}

function textOf(
  { responseData, signature }: { responseData: Uint8Array; signature: Uint8Array },
  { certificate, signatureAlgorithm }: Delegate,
): string {
  const certificates = [certificate];
  return latin1(
    assembleOcspResponse({ responseData, signatureAlgorithm, signature, certificates }),
  );
}
