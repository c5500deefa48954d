/** The part of des.js that we use; the package has no types of its own. */
declare module "des.js" {
  interface Cipher {
    update(data: Uint8Array): number[];
    /** The last block, padded as PKCS#7 wants it. */
    final(): number[];
  }
  interface CipherMode {
    create(options: { type: "encrypt"; key: Uint8Array; iv: Uint8Array }): Cipher;
  }
  export const EDE: unknown;
  export const CBC: { instantiate(cipher: unknown): CipherMode };
}
