import { findExtension } from "../extension-view.ts";
import type { CertificateLint } from "../lint.ts";
import { EXTENSION } from "../oids.ts";

/** "A certificate policy OID MUST NOT appear more than once"; stricter: the profile's, in order, non-critical, without qualifiers. */
export const certificatePolicies: CertificateLint = {
  name: "certificate_policies",
  cites: "RFC 5280 §4.2.1.4",
  check({ extensions, forms }, { profile }) {
    const policies = forms.certificatePolicies ?? [];
    if (findExtension(extensions, EXTENSION.certificatePolicies)?.critical === true)
      return "the policies are critical";
    if (policies.some(({ hasQualifiers }) => hasQualifiers)) return "a policy has qualifiers";
    if (new Set(policies.map(({ oid }) => oid)).size !== policies.length)
      return "a policy stands twice";
    const asPromised =
      policies.length === profile.policies.length &&
      profile.policies.every((oid, i) => policies[i]?.oid === oid);
    return asPromised ? undefined : "the policies are not the profile's";
  },
};
