import { hash } from "node:crypto";

import type { RefusalReason } from "../pki/refusal-reason.ts";
import type { AuthorizationFeed } from "./authorization-feed.ts";
import type { AuthorizeCounts } from "./authorize-counts.ts";
import { type ClientJudge, createClientJudge, type Judgement } from "./client-judge.ts";
import type { Clock } from "../pki/clock.ts";
import type { Verify } from "../pki/crypto.ts";
import { latin1 } from "./latin1.ts";
import type { ProxyFeed } from "./proxy-feed.ts";
import type { ProxyKey, RelyingParty } from "./proxy-tables.ts";
import type { Place, Stage } from "./stage.ts";
import type { StatusFeed } from "./status-feed.ts";
import type { UseLog } from "./use-log.ts";

export interface AuthorizerDeps {
  readonly status: Pick<StatusFeed, "index" | "known" | "lookUp">;
  readonly facts: Pick<AuthorizationFeed, "index" | "known" | "lookUp">;
  readonly proxies: Pick<ProxyFeed, "issuers" | "known" | "refresh" | "tables">;
  readonly uses: Pick<UseLog, "noteRefusal" | "noteSeen" | "noteUse">;
  readonly counts: AuthorizeCounts;
  readonly verify: Verify;
  readonly clock: Clock;
  /** How old what is known may be. Beyond it nothing is answered. */
  readonly maxStaleMs: number;
  /** Stops what follows the database. */
  readonly close: () => Promise<void>;
}

/** Why nobody is identified: the certificate's fault, or that there is none. */
export type AuthorizeReason = RefusalReason | "no-certificate";

export interface AuthorizeQuestion {
  /** DER, as the proxy handed it on; absent where the client showed none. */
  readonly certificate?: Uint8Array;
  /** The pharmacy that the product names, where no certificate does. */
  readonly pharmacyId?: string;
}

/** What a proxy is told. `decision` is what it does; who is identified is told apart from that. */
export interface AuthorizeAnswer {
  readonly decision: "allow" | "refuse";
  readonly stage: Stage;
  /** Why nobody is identified. With it, and `allow`, somebody is let through whom `enforce` would refuse. */
  readonly reason?: AuthorizeReason;
  readonly judgement: Judgement;
}

/** Answers proxies at each request, from memory. */
export interface Authorizer {
  /** Whose API key this is, if it is a proxy's that is bound to a party. One that is new is looked for at once. */
  partyOfKey(presented: string): Promise<ProxyKey | undefined>;
  /** Whose client certificate this is, by its SHA-256. */
  partyOfCertificate(sha256: Uint8Array): RelyingParty | undefined;
  /** Undefined where what is known is too old to be answered from. */
  authorize(
    party: RelyingParty,
    question: AuthorizeQuestion,
  ): AuthorizeAnswer | undefined | Promise<AuthorizeAnswer | undefined>;
  /** When all that answers need was last known to be complete, in milliseconds since 1970. */
  known(): number | undefined;
  close(): Promise<void>;
}

/** Only what looks like a proxy's key is worth a look at the database. */
const PROXY_KEY = /^suido_prx_[A-Za-z0-9_-]{43}$/;

const NO_JUDGEMENT: Judgement = {};

export function createAuthorizer(deps: AuthorizerDeps): Authorizer {
  return new MemoryAuthorizer(deps);
}

class MemoryAuthorizer implements Authorizer {
  readonly #deps: AuthorizerDeps;
  readonly #judge: ClientJudge;

  constructor(deps: AuthorizerDeps) {
    const { facts, proxies, status, verify, clock } = deps;
    this.#deps = deps;
    this.#judge = createClientJudge({
      status,
      facts,
      issuers: () => proxies.issuers(),
      verify,
      clock,
    });
  }

  async partyOfKey(presented: string): Promise<ProxyKey | undefined> {
    if (!PROXY_KEY.test(presented)) return undefined;
    const { proxies } = this.#deps;
    const digest = latin1(hash("sha256", presented, "buffer"));
    const known = proxies.tables().keys.get(digest);
    if (known !== undefined) return known;
    await proxies.refresh();
    return proxies.tables().keys.get(digest);
  }

  partyOfCertificate(sha256: Uint8Array): RelyingParty | undefined {
    return this.#deps.proxies.tables().certificates.get(latin1(sha256));
  }

  known(): number | undefined {
    const { facts, proxies, status } = this.#deps;
    const all = [status.known(), facts.known(), proxies.known()];
    return all.reduce((oldest, each) =>
      oldest === undefined || each === undefined ? undefined : Math.min(oldest, each),
    );
  }

  authorize(
    party: RelyingParty,
    question: AuthorizeQuestion,
  ): AuthorizeAnswer | undefined | Promise<AuthorizeAnswer | undefined> {
    this.#deps.uses.noteSeen(party.id);
    if (this.#isTooOld()) {
      this.#deps.counts.stale++;
      return undefined;
    }
    const judgement =
      question.certificate === undefined ? NO_JUDGEMENT : this.#judge.judge(question.certificate);
    if (judgement instanceof Promise)
      return judgement.then((judged) => this.#decide(party, question, judged));
    return this.#decide(party, question, judgement);
  }

  close(): Promise<void> {
    return this.#deps.close();
  }

  #isTooOld(): boolean {
    const known = this.known();
    const { clock, maxStaleMs } = this.#deps;
    return known === undefined || clock().getTime() - known > maxStaleMs;
  }

  #decide(
    party: RelyingParty,
    { certificate, pharmacyId }: AuthorizeQuestion,
    judgement: Judgement,
  ): AuthorizeAnswer {
    const place = this.#placeOf(judgement, pharmacyId);
    const stage = this.#stageOf(party, place);
    const reason = certificate === undefined ? "no-certificate" : judgement.reason;
    const decision = reason !== undefined && stage === "enforce" ? "refuse" : "allow";
    this.#note(
      party,
      { stage, decision, judgement, ...(reason !== undefined && { reason }) },
      place,
    );
    return { stage, decision, judgement, ...(reason !== undefined && { reason }) };
  }

  /** What the certificate says of itself counts more than what the product says of the request. */
  #placeOf({ who }: Judgement, named: string | undefined): Place {
    if (who !== undefined) return { pharmacyId: who.pharmacyId, corporationId: who.corporationId };
    if (named === undefined) return {};
    const corporationId = this.#deps.facts.index.corporationOf(named);
    return corporationId === undefined ? {} : { pharmacyId: named, corporationId };
  }

  #stageOf({ product, defaultStage }: RelyingParty, place: Place): Stage {
    const { clock, proxies } = this.#deps;
    return proxies.tables().stages.find(product, place, clock().getTime()) ?? defaultStage;
  }

  #note(
    { id: partyId }: RelyingParty,
    { decision, judgement, reason, stage }: AuthorizeAnswer,
    { pharmacyId }: Place,
  ): void {
    const { counts, uses } = this.#deps;
    counts.add(decision, stage, reason);
    const { serialNumber } = judgement;
    if (reason === undefined) {
      if (serialNumber !== undefined) uses.noteUse(partyId, serialNumber);
      return;
    }
    if (decision === "refuse") return;
    uses.noteRefusal({
      partyId,
      reason,
      ...(serialNumber !== undefined && { serialNumber }),
      ...(pharmacyId !== undefined && { pharmacyId }),
    });
  }
}
