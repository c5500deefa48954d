import { BACKDATE_MS } from "../pki/clock.ts";
import type { Delegate } from "./delegate.ts";

/** What HTTP caches may be told of an answer (RFC 9919 §5). */
export interface OcspFreshness {
  readonly etag: string;
  /** thisUpdate as an HTTP date. */
  readonly lastModified: string;
  /** nextUpdate as an HTTP date. */
  readonly expires: string;
  /** In milliseconds since 1970, whole seconds. */
  readonly producedAt: number;
  /** When caches should ask again, in milliseconds since 1970: somewhat before nextUpdate. */
  readonly freshUntil: number;
}

/** From producing an answer to its nextUpdate, were it not backdated. */
const LIFE_MS = 10 * 60 * 1000;

/** Before nextUpdate neither we nor HTTP caches hand an answer out for so long: clients' clocks differ. */
const MARGIN_MS = 60 * 1000;

/** What an issuer's answers of one second have in common. */
export interface Moment {
  readonly second: number;
  readonly known: number;
  readonly delegate: Delegate;
  readonly producedAt: Date;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly lastModified: string;
  readonly expires: string;
  readonly freshUntil: number;
}

/**
 * thisUpdate is when the status was last known, so that an answer given while the database is away shows its age;
 * nextUpdate runs from now, or such answers would be refused from the fifth minute on, and never outlives the delegate.
 * Both are backdated. What was known when the clock ran ahead is known now.
 */
export function momentAt(now: number, known: number, delegate: Delegate): Moment {
  const second = Math.floor(now / 1000);
  const thisUpdate = new Date(Math.floor((Math.min(known, now) - BACKDATE_MS) / 1000) * 1000);
  const end = Math.min(second * 1000 - BACKDATE_MS + LIFE_MS, delegate.notAfter.getTime());
  const nextUpdate = new Date(end);
  return {
    second,
    known,
    delegate,
    producedAt: new Date(second * 1000),
    thisUpdate,
    nextUpdate,
    lastModified: thisUpdate.toUTCString(),
    expires: nextUpdate.toUTCString(),
    freshUntil: end - MARGIN_MS,
  };
}

/** Octets at the end of a signature that name it: 128 random bits, which no other answer has. */
const TAG_OCTETS = 16;

/** What caches may be told of an answer with this signature: its tag costs no hash, and no other answer has it. */
export function freshnessOf(signature: Uint8Array, moment: Moment): OcspFreshness {
  const { expires, freshUntil, lastModified, producedAt } = moment;
  const end = signature.subarray(-TAG_OCTETS);
  return {
    etag: `"${Buffer.from(end.buffer, end.byteOffset, end.length).toString("base64url")}"`,
    lastModified,
    expires,
    producedAt: producedAt.getTime(),
    freshUntil,
  };
}
