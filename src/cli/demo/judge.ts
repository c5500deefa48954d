/** What relying parties fetch, and the certificate in question; all PEM but for the address. */
export interface Evidence {
  readonly vaUrl: string;
  readonly leaf: string;
  readonly issuing: string;
  readonly root: string;
  /** The full lists of all CAs. */
  readonly lists: string;
}

/** Somebody else's word on a certificate: OpenSSL's, or where the machine has none, Node's own. */
export interface Judge {
  readonly name: string;
  /** Whether the chain verifies and no list has the certificate; and the judge's words. */
  chain(evidence: Evidence): Promise<Verdict>;
  /** What OCSP says: `good`, `revoked`, `unknown`; and the judge's words. */
  ocsp(evidence: Evidence): Promise<Verdict & { readonly status: string }>;
}

export interface Verdict {
  readonly accepted: boolean;
  readonly words: string;
}
