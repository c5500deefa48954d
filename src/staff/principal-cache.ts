import type { Clock } from "../pki/clock.ts";
import type { Principal } from "../registry/principal.ts";

/**
 * How long an answer of the database is believed. A key that another process revoked works at most this much longer,
 * which is what we promise of every other status too (within a second).
 */
const LIFE_MS = 1_000;

/** Far more keys than are in use at once; beyond it the oldest answer goes. */
const MAX_ENTRIES = 1_000;

interface Entry {
  readonly principal: Principal;
  readonly until: number;
}

/** Who stands behind a digest, remembered for a moment. Refusals are not kept, so guessing cannot push anybody out. */
export interface PrincipalCache {
  get(digest: string): Principal | undefined;
  set(digest: string, principal: Principal): void;
  /** Forgets the key with this id. */
  drop(id: string): void;
}

export function principalCache(clock: Clock): PrincipalCache {
  const entries = new Map<string, Entry>();
  return {
    get: (digest) => {
      const entry = entries.get(digest);
      if (entry === undefined) return undefined;
      if (clock().getTime() < entry.until) return entry.principal;
      entries.delete(digest);
      return undefined;
    },
    set: (digest, principal) => {
      // A Map keeps the order of insertion, so the first is the oldest.
      const [oldest] = entries.keys();
      if (entries.size >= MAX_ENTRIES && oldest !== undefined) entries.delete(oldest);
      entries.set(digest, { principal, until: clock().getTime() + LIFE_MS });
    },
    drop: (id) => {
      for (const [digest, { principal }] of entries)
        if (principal.id === id) entries.delete(digest);
    },
  };
}
