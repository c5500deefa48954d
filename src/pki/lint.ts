import type { CertificateView } from "./certificate-view.ts";
import type { TbsRequest } from "./certificate.ts";
import type { Digest } from "./crypto.ts";
import type { Finding } from "./errors.ts";

/** What a certificate was promised to be, and the hash function that its key identifier needs. */
export interface LintContext extends TbsRequest {
  readonly digest: Digest;
}

/** One rule: where it comes from, and a pure function that says what breaks it. */
export interface Lint<View> {
  readonly name: string;
  readonly cites: string;
  readonly check: (view: View, context: LintContext) => string | undefined;
}

/** A rule for certificates. */
export type CertificateLint = Lint<CertificateView>;

/** Everything that breaks one of the rules. */
export function runLints<View>(
  lints: readonly Lint<View>[],
  view: View,
  context: LintContext,
): Finding[] {
  const findings: Finding[] = [];
  for (const { name, cites, check } of lints) {
    const detail = check(view, context);
    if (detail !== undefined) findings.push({ lint: name, cites, detail });
  }
  return findings;
}
