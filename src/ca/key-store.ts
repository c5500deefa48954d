import type { SignatureAlgorithm } from "../pki/certificate.ts";
import type { KeyKind } from "../pki/key.ts";

/** What a key is for. A key opened for another purpose is refused. */
export type KeyPurposeName = "root" | "issuing";

export interface KeySpec {
  readonly id: string;
  readonly purpose: KeyPurposeName;
  readonly kind: KeyKind;
}

/** A key that is ready to sign. */
export interface SigningKey {
  readonly id: string;
  /** Its SubjectPublicKeyInfo. */
  readonly spki: Uint8Array;
  readonly algorithm: SignatureAlgorithm;
  /** The signature's octets as certificates and CRLs carry them. */
  sign(data: Uint8Array): Uint8Array;
}

/** Where the keys of CAs live. Every implementation passes the suite in test/support/key-store-contract.ts. */
export interface KeyStore {
  /** Makes a key. Throws KeyStoreError when the id is taken. */
  generate(spec: KeySpec): Promise<SigningKey>;
  /** Throws KeyStoreError when there is no such key, or not for this purpose. */
  open(id: string, purpose: KeyPurposeName): Promise<SigningKey>;
  has(id: string): Promise<boolean>;
  /** All ids, in order. */
  list(): Promise<readonly string[]>;
  /** Takes a key out of the store for ever. */
  remove(id: string): Promise<void>;
}
