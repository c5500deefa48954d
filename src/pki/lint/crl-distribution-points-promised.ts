import type { CertificateLint, LintContext } from "../lint.ts";

function promisedUrl({ profile, crlUrl, issuer }: LintContext): string | undefined {
  switch (profile.crlDistributionPoint) {
    case "shard":
      return crlUrl;
    case "issuer":
      return issuer.urls?.crl;
    case "none":
      return undefined;
  }
}

/** The address is the IDP's of the list that the certificate would stand on, byte for byte; otherwise OpenSSL says "different CRL scope". */
export const crlDistributionPointsPromised: CertificateLint = {
  name: "crl_distribution_points_promised",
  cites: "RFC 5280 §5.2.5",
  check({ forms }, context) {
    const urls = (forms.cRLDistributionPoints ?? []).map(({ fullName }) => fullName?.[0]?.text);
    const promised = promisedUrl(context);
    return urls.length === (promised === undefined ? 0 : 1) && urls[0] === promised
      ? undefined
      : "the distribution point is not the promised one";
  },
};
