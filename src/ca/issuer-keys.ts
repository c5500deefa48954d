import type { Sign } from "../pki/approved.ts";
import type { Sql } from "../storage/sql.ts";
import { isKeyOf } from "./certificate-builder.ts";
import { KeyStoreError } from "./errors.ts";
import { type Issuer, readIssuers } from "./issuer.ts";
import type { KeyStore, SigningKey } from "./key-store.ts";

/** The issuers of this CA, with the keys that this key store holds. */
export class IssuerKeys {
  readonly #issuers: ReadonlyMap<string, Issuer>;
  readonly #keys: ReadonlyMap<string, SigningKey>;

  private constructor(issuers: ReadonlyMap<string, Issuer>, keys: ReadonlyMap<string, SigningKey>) {
    this.#issuers = issuers;
    this.#keys = keys;
  }

  /** Opens the keys of all issuers. A root's may be elsewhere; an issuing CA's must be here, and be its own. */
  static async open(sql: Sql, keyStore: KeyStore): Promise<IssuerKeys> {
    const issuers = await readIssuers(sql);
    const keys = new Map<string, SigningKey>();
    for (const issuer of issuers) {
      const { id, kind, state } = issuer;
      if (state === "ended" || (kind === "root" && !(await keyStore.has(id)))) continue;
      const key = await keyStore.open(id, kind);
      if (!isKeyOf(issuer, key.spki))
        throw new KeyStoreError(`the key "${id}" is not the one of the certificate of ${id}`);
      keys.set(id, key);
    }
    return new IssuerKeys(new Map(issuers.map((issuer) => [issuer.id, issuer])), keys);
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
    return this.all.find(({ kind, state }) => kind === "issuing" && state === "active");
  }

  /** Signs with an issuer's key. Throws KeyStoreError when it is not here. */
  signWith(id: string): Sign {
    const key = this.#keys.get(id);
    if (key === undefined) throw new KeyStoreError(`the key of ${id} is not in this key store`);
    return (data) => key.sign(data);
  }
}
