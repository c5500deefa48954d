import type { Database } from "../storage/database.ts";

/** A certificate for the outside probe to ask about, and the one that issued it. */
export interface ProbedCertificate {
  readonly certificate: Uint8Array;
  readonly issuer: Uint8Array;
}

/**
 * The good certificate of an issuing CA that lives longest, so that it is nearly always the newest; undefined while there
 * is none. Delegates name neither list nor responder (RFC 6960 §4.2.2.2.1), and a root names nothing at all.
 */
export async function probedCertificate(
  database: Database,
  now: Date,
): Promise<ProbedCertificate | undefined> {
  const [row] = await database.query<{ certificate: Buffer; issuer: Buffer }>(
    `select i.der as certificate, s.certificate as issuer
     from ca.issued i join ca.issuer s on s.id = i.issuer_id
     where i.state = 'good' and i.not_after > $1 and s.kind = 'issuing' and i.profile <> 'ocsp'
     order by i.not_after desc limit 1`,
    [now],
  );
  return row;
}
