import { generateKeyPairSync } from "node:crypto";
import { stat } from "node:fs/promises";

import type { Clock } from "../pki/clock.ts";
import type { Random } from "../pki/crypto.ts";
import { delegateOf, type Delegate } from "./delegate.ts";
import {
  delegateFile,
  openFolderSeal,
  readDelegate,
  rootDelegateFile,
  writeDelegate,
} from "./delegate-file.ts";
import type { Issuer } from "./issuer.ts";
import type { Log } from "./log.ts";
import type { Seal } from "./seal.ts";

/** Asks the signer for an OCSP delegate's certificate over this SubjectPublicKeyInfo. */
export type RequestDelegate = (issuerId: string, spki: Uint8Array) => Promise<Uint8Array>;

export interface DelegatesDeps {
  /** The VA's folder: the seal and the root's delegate, which all of its processes share. */
  readonly folder: string;
  /** Where this process keeps its own delegates. */
  readonly ownFolder: string;
  readonly request: RequestDelegate;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** The delegates of all issuers that this VA answers for. */
export interface Delegates {
  /** Undefined while there is none that is valid. */
  current(issuerId: string): Delegate | undefined;
  /** Takes over the issuers, reads what is kept on disk for them, and begins to ask for what is missing. */
  setIssuers(issuers: readonly Issuer[]): Promise<void>;
  /** Reads, asks and rotates what is due. Done every few seconds anyway. */
  check(): Promise<void>;
  close(): Promise<void>;
}

const CHECK_MS = 2_000;

/** Between attempts to get a certificate, growing from the first to the last. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 5 * 60 * 1000;

interface Attempts {
  failed: number;
  notBefore: number;
}

/** A delegate is replaced when two thirds of its life are over: for the last third the signer may be away. */
function isDue(delegate: Delegate | undefined, now: number): boolean {
  if (delegate === undefined) return true;
  const from = delegate.notBefore.getTime();
  return now >= from + ((delegate.notAfter.getTime() - from) * 2) / 3;
}

export async function openDelegates(deps: DelegatesDeps): Promise<Delegates> {
  return new FolderDelegates(deps, await openFolderSeal(deps.folder, deps.random));
}

class FolderDelegates implements Delegates {
  readonly #deps: DelegatesDeps;
  readonly #seal: Seal;
  readonly #timer: NodeJS.Timeout;
  readonly #current = new Map<string, Delegate>();
  readonly #attempts = new Map<string, Attempts>();
  #issuers: readonly Issuer[] = [];
  #rootFileTime = 0;
  #checking: Promise<void> | undefined;

  constructor(deps: DelegatesDeps, seal: Seal) {
    this.#deps = deps;
    this.#seal = seal;
    this.#timer = setInterval(() => void this.check(), CHECK_MS).unref();
  }

  current(issuerId: string): Delegate | undefined {
    return this.#current.get(issuerId);
  }

  async setIssuers(issuers: readonly Issuer[]): Promise<void> {
    this.#issuers = issuers;
    this.#rootFileTime = 0;
    await this.#readRoot();
    for (const issuer of issuers) {
      if (issuer.kind === "issuing" && !this.#current.has(issuer.id)) {
        await this.#read(issuer, delegateFile(this.#deps.ownFolder, issuer.id));
      }
    }
    void this.check();
  }

  check(): Promise<void> {
    this.#checking ??= this.#checkAll().finally(() => (this.#checking = undefined));
    return this.#checking;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#checking;
  }

  async #checkAll(): Promise<void> {
    await this.#readRoot();
    const now = this.#deps.clock();
    for (const issuer of this.#issuers) {
      const ended = issuer.notAfter <= now;
      if (issuer.kind === "issuing" && !ended && isDue(this.current(issuer.id), now.getTime())) {
        await this.#renew(issuer, now.getTime());
      }
    }
  }

  /** The root's delegate is made at ceremonies only; what they leave here is taken over when it changes. */
  async #readRoot(): Promise<void> {
    const file = rootDelegateFile(this.#deps.folder);
    const changed = await stat(file).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    );
    if (changed === this.#rootFileTime) return;
    this.#rootFileTime = changed;
    for (const issuer of this.#issuers) {
      if (issuer.kind === "root") await this.#read(issuer, file);
    }
  }

  async #read(issuer: Issuer, file: string): Promise<void> {
    try {
      const material = await readDelegate(file, this.#seal);
      if (material?.issuerId !== issuer.id) return;
      const delegate = delegateOf(material, issuer.certificate, this.#deps.clock());
      this.#current.set(issuer.id, delegate);
    } catch (error) {
      this.#deps.log.warn({ err: error, issuer: issuer.id }, "a kept OCSP delegate is not usable");
    }
  }

  async #renew(issuer: Issuer, now: number): Promise<void> {
    const attempts = this.#attempts.get(issuer.id) ?? { failed: 0, notBefore: 0 };
    if (now < attempts.notBefore) return;
    try {
      const delegate = await this.#make(issuer);
      this.#current.set(issuer.id, delegate);
      this.#attempts.delete(issuer.id);
      this.#deps.log.info(
        { issuer: issuer.id, notAfter: delegate.notAfter },
        "a new OCSP delegate is in use",
      );
    } catch (error) {
      const wait = Math.min(FIRST_WAIT_MS * 2 ** attempts.failed, LONGEST_WAIT_MS);
      this.#attempts.set(issuer.id, { failed: attempts.failed + 1, notBefore: now + wait });
      if (attempts.failed === 0) {
        this.#deps.log.warn({ err: error, issuer: issuer.id }, "no new OCSP delegate yet");
      }
    }
  }

  /** A fresh key each time; it is on disk before the first answer is signed with it. */
  async #make(issuer: Issuer): Promise<Delegate> {
    const { clock, ownFolder, request } = this.#deps;
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const spki = publicKey.export({ type: "spki", format: "der" });
    const pkcs8 = privateKey.export({ type: "pkcs8", format: "der" });
    const certificate = await request(issuer.id, spki);
    const material = { issuerId: issuer.id, certificate, pkcs8 };
    const delegate = delegateOf(material, issuer.certificate, clock());
    await writeDelegate(delegateFile(ownFolder, issuer.id), material, this.#seal);
    return delegate;
  }
}
