import { type DistributionPoint, findExtension } from "../extension-view.ts";
import type { CertificateLint } from "../lint.ts";
import { EXTENSION } from "../oids.ts";

function fault({ fullName = [], hasReasons, hasCrlIssuer }: DistributionPoint): string | undefined {
  const [name, ...others] = fullName;
  if (name === undefined || hasReasons || hasCrlIssuer)
    return "a distribution point is more, or less, than a full name";
  const isHttp =
    others.length === 0 && name.tag === 6 && /^http:\/\/[\x21-\x7e]+$/.test(name.text ?? "");
  return isHttp ? undefined : "a distribution point is not one http URI";
}

/** "The extension SHOULD be non-critical"; a point "MUST NOT consist of only the reasons field"; stricter: fullName with one http URI. */
export const crlDistributionPoints: CertificateLint = {
  name: "crl_distribution_points",
  cites: "RFC 5280 §4.2.1.13",
  check({ extensions, forms }) {
    const extension = findExtension(extensions, EXTENSION.cRLDistributionPoints);
    if (extension?.critical === true) return "the distribution points are critical";
    for (const point of forms.cRLDistributionPoints ?? []) {
      const found = fault(point);
      if (found !== undefined) return found;
    }
    return undefined;
  },
};
