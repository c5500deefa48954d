import { hash } from "node:crypto";

import { signatureAlgorithmOf } from "../pki/certificate.ts";
import { type CertificateParts, parseCertificate } from "../pki/certificate-view.ts";
import type { Clock } from "../pki/clock.ts";
import type { Verify } from "../pki/crypto.ts";
import { MalformedDerError } from "../pki/errors.ts";
import { lifeFault, type RefusalReason, standingFault } from "../pki/refusal-reason.ts";
import { REASON_CODES } from "../pki/revocation-reason.ts";
import { isForADay } from "../pki/validity.ts";
import { SERIAL_OCTETS, type Serial, serialFromInteger } from "../pki/serial.ts";
import type { AuthorizationFeed } from "./authorization-feed.ts";
import type { Authorization } from "./authorization-index.ts";
import type { Issuer } from "./issuer.ts";
import { latin1 } from "./latin1.ts";
import { ResponseCache } from "./response-cache.ts";
import type { StatusFeed } from "./status-feed.ts";

export interface ClientJudgeDeps {
  readonly status: Pick<StatusFeed, "index" | "lookUp">;
  readonly facts: Pick<AuthorizationFeed, "index" | "lookUp">;
  readonly issuers: () => readonly Issuer[];
  readonly verify: Verify;
  readonly clock: Clock;
}

/** What a certificate is worth now. */
export interface Judgement {
  /** Why it identifies nobody; absent of one that does. */
  readonly reason?: RefusalReason;
  /** Of a revoked one: because another has taken its place, which the device should have. */
  readonly isSuperseded?: true;
  /** Of one that a CA of ours has signed. */
  readonly serialNumber?: Serial;
  readonly notAfter?: Date;
  /** Of a machine that stands in for a night. */
  readonly isEmergency?: true;
  /** Who stands behind it, also behind one that is refused. */
  readonly who?: Authorization;
}

/** Judges client certificates from memory. It waits only for one that memory does not know. */
export interface ClientJudge {
  judge(certificate: Uint8Array): Judgement | Promise<Judgement>;
  /** How many signatures are remembered. */
  verified(): number;
}

/** A certificate that one of our CAs has signed, which stays so whatever becomes of it: some 400 octets. */
interface Signed {
  readonly serial: Uint8Array;
  readonly serialNumber: Serial;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly issuerId: string;
}

/** Beyond it those that nobody showed for the longest time are verified again. */
const REMEMBERED = 20_000;

function parse(certificate: Uint8Array): CertificateParts | undefined {
  try {
    return parseCertificate(certificate);
  } catch (error) {
    if (error instanceof MalformedDerError) return undefined;
    throw error;
  }
}

export function createClientJudge(deps: ClientJudgeDeps): ClientJudge {
  return new MemoryJudge(deps);
}

class MemoryJudge implements ClientJudge {
  readonly #deps: ClientJudgeDeps;
  /** By the octets of the certificate's SHA-256 as Latin-1. */
  readonly #signed = new ResponseCache<Signed>(REMEMBERED);

  constructor(deps: ClientJudgeDeps) {
    this.#deps = deps;
  }

  verified(): number {
    return this.#signed.size;
  }

  judge(certificate: Uint8Array): Judgement | Promise<Judgement> {
    const key = latin1(hash("sha256", certificate, "buffer"));
    const signed = this.#signed.get(key) ?? this.#verify(certificate, key);
    if (typeof signed === "string") return { reason: signed };
    if (!this.#isUncertain(signed)) return this.#judgeSigned(signed);
    return this.#afterLookUp(signed);
  }

  /** 1. Strict DER. 2. The issuer, by its whole name. 3. Its signature. */
  #verify(certificate: Uint8Array, key: string): Signed | RefusalReason {
    const parts = parse(certificate);
    if (parts === undefined) return "malformed";
    const { signature, signatureAlgorithm, tbs, view } = parts;
    const name = latin1(view.issuer);
    const issuer = this.#deps
      .issuers()
      .find(({ kind, subject }) => kind === "issuing" && latin1(subject) === name);
    const algorithm = signatureAlgorithmOf(signatureAlgorithm);
    if (issuer === undefined || algorithm === undefined) return "foreign-issuer";
    if (!this.#deps.verify(issuer.spki, algorithm, tbs, signature)) return "foreign-issuer";
    // From here on all of it is what a CA of ours has written.
    const { date: notBefore } = view.notBefore;
    const { date: notAfter } = view.notAfter;
    const serial = view.serialNumber.slice();
    if (serial.length !== SERIAL_OCTETS || notBefore === undefined || notAfter === undefined)
      return "unknown";
    const serialNumber = serialFromInteger(serial);
    const signed = { serial, serialNumber, notBefore, notAfter, issuerId: issuer.id };
    this.#signed.set(key, signed);
    return signed;
  }

  /** Whether the database may know more than memory: of what was issued a moment ago, or of work that begins anew. */
  #isUncertain({ serial }: Signed): boolean {
    const { clock, facts, status } = this.#deps;
    if (status.index.find(serial) < 0 || !facts.index.has(serial)) return true;
    return facts.index.get(serial, clock().getTime())?.isOutdated === true;
  }

  async #afterLookUp(signed: Signed): Promise<Judgement> {
    const { facts, status } = this.#deps;
    // One that has too many before it is judged by what is known.
    await Promise.all([status.lookUp([signed.serial]), facts.lookUp([signed.serial])]);
    return this.#judgeSigned(signed);
  }

  #judgeSigned(signed: Signed): Judgement {
    const now = this.#deps.clock();
    const who = this.#deps.facts.index.get(signed.serial, now.getTime());
    const reason = this.#faultOf(signed, who, now);
    const { serialNumber, notAfter } = signed;
    return {
      ...(reason !== undefined && { reason }),
      ...(reason === "revoked" && this.#isSuperseded(signed) && { isSuperseded: true }),
      serialNumber,
      notAfter,
      ...(isForADay(signed) && { isEmergency: true }),
      ...(who !== undefined && { who }),
    };
  }

  #isSuperseded({ serial }: Signed): boolean {
    return this.#deps.status.index.get(serial)?.reason === REASON_CODES.superseded;
  }

  /** 4. In the books. 5. Alive, as its CA is. 6. It stands for somebody. */
  #faultOf(
    { serial, notBefore, notAfter, issuerId }: Signed,
    who: Authorization | undefined,
    now: Date,
  ): RefusalReason | undefined {
    const { index } = this.#deps.status;
    const status = index.get(serial);
    if (status === undefined || index.issuers[status.issuer] !== issuerId) return "unknown";
    const dead = lifeFault({ state: status.state, notBefore, notAfter }, now);
    if (dead !== undefined) return dead;
    return this.#issuerFault(issuerId) ?? whoFault(who);
  }

  /** Nothing of a CA that was revoked is alive (as RFC 6960 §2.7 has it), and an ended one has nothing that lives. */
  #issuerFault(issuerId: string): RefusalReason | undefined {
    const issuer = this.#deps.issuers().find(({ id }) => id === issuerId);
    if (issuer === undefined || issuer.state === "ended") return "foreign-issuer";
    const own = this.#deps.status.index.get(issuer.serial);
    return own === undefined || own.state === "good" ? undefined : "revoked";
  }
}

function whoFault(who: Authorization | undefined): RefusalReason | undefined {
  if (who === undefined) return "unbound";
  return who.isBehind ? "tenant-behind" : standingFault(who.standing);
}
