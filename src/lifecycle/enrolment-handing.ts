import type { Digest, Random } from "../pki/crypto.ts";
import type { IdempotentRequest } from "../registry/idempotency.ts";
import type { Work } from "../registry/tenant.ts";
import { giveLink, linkUrl } from "./enrolment-links.ts";
import type { Enrolment } from "./enrolment-row.ts";

/** The answer to whoever made it. What opens it is nowhere else: a hash is kept. */
export interface MadeEnrolment extends Enrolment {
  readonly link?: string;
  readonly code?: string;
}

/** What of it the caller may be handed. */
export interface Handing {
  readonly link: boolean;
  readonly code: boolean;
  readonly idempotency?: IdempotentRequest | undefined;
}

export interface HandingDeps {
  readonly random: Random;
  readonly digest: Digest;
  /** Where links lead. */
  readonly appUrl: string;
}

/** Gives the caller what it may have. Nothing of one that is over. */
export async function handOver(
  { sql, now, record }: Work,
  deps: HandingDeps,
  { enrolment, handing }: { readonly enrolment: Enrolment; readonly handing: Handing },
): Promise<MadeEnrolment> {
  const giving = { enrolmentId: enrolment.id, at: now };
  const token = handing.link ? await giveLink(sql, { ...giving, kind: "link" }, deps) : undefined;
  const code = handing.code ? await giveLink(sql, { ...giving, kind: "code" }, deps) : undefined;
  const given = { link: token !== undefined, code: code !== undefined };
  if (given.link || given.code)
    await record("enrolment.handed-over", `enrolment/${enrolment.id}`, given);
  return {
    ...enrolment,
    ...(token !== undefined && { link: linkUrl(deps.appUrl, token) }),
    ...(code !== undefined && { code }),
  };
}
