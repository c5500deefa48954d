import type { Sign } from "../pki/approved.ts";
import type { Sql } from "../storage/sql.ts";
import { isKeyOf } from "./certificate-builder.ts";
import { KeyStoreError } from "./errors.ts";
import { type Issuer, readIssuers } from "./issuer.ts";
import type { KeyStore, SigningKey } from "./key-store.ts";

/** The issuers of this CA, with the keys that this key store holds. */
export class IssuerKeys {
  readonly #sql: Sql;
  readonly #keyStore: KeyStore;
  #issuers: ReadonlyMap<string, Issuer> = new Map();
  #keys: ReadonlyMap<string, SigningKey> = new Map();

  private constructor(sql: Sql, keyStore: KeyStore) {
    this.#sql = sql;
    this.#keyStore = keyStore;
  }

  /** Opens the keys of all issuers. Throws KeyStoreError when one is missing or another's. */
  static async open(sql: Sql, keyStore: KeyStore): Promise<IssuerKeys> {
    const keys = new IssuerKeys(sql, keyStore);
    await keys.reload();
    return keys;
  }

  /** Takes up new issuers and new states. Where it throws, all stays as it was. */
  async reload(): Promise<void> {
    const issuers = await readIssuers(this.#sql);
    const keys = new Map<string, SigningKey>();
    for (const issuer of issuers) {
      const key = await this.#open(issuer);
      if (key !== undefined) keys.set(issuer.id, key);
    }
    this.#issuers = new Map(issuers.map((issuer) => [issuer.id, issuer]));
    this.#keys = keys;
  }

  /** A root's may be elsewhere, and one that is only announced harms nobody without its own; of what has ended no key is opened. */
  async #open(issuer: Issuer): Promise<SigningKey | undefined> {
    const { id, kind, state } = issuer;
    if (state === "ended") return undefined;
    const mayBeAway = kind === "root" || state === "announced";
    if (mayBeAway && !(await this.#keyStore.has(id))) return undefined;
    const key = this.#keys.get(id) ?? (await this.#keyStore.open(id, kind));
    if (!isKeyOf(issuer, key.spki))
      throw new KeyStoreError(`the key "${id}" is not the one of the certificate of ${id}`);
    return key;
  }

  get all(): readonly Issuer[] {
    return [...this.#issuers.values()];
  }

  get(id: string): Issuer | undefined {
    return this.#issuers.get(id);
  }

  /** An issuing CA, or undefined. */
  issuing(id: string): Issuer | undefined {
    const issuer = this.#issuers.get(id);
    return issuer?.kind === "issuing" ? issuer : undefined;
  }

  /** The issuing CA that new certificates come from. */
  get active(): Issuer | undefined {
    return this.all.find(
      ({ kind, state, isRevoked }) => kind === "issuing" && state === "active" && !isRevoked,
    );
  }

  /** Whether its key is in this key store. */
  hasKey(id: string): boolean {
    return this.#keys.has(id);
  }

  /** Signs with an issuer's key. Throws KeyStoreError when it is not here. */
  signWith(id: string): Sign {
    const key = this.#keys.get(id);
    if (key === undefined) throw new KeyStoreError(`the key of ${id} is not in this key store`);
    return (data) => key.sign(data);
  }
}
