import type { CertificateLint } from "../lint.ts";
import { ACCESS_METHOD } from "../oids.ts";

/** The profile's methods in its order, with the issuer's addresses. */
export const authorityInformationAccessPromised: CertificateLint = {
  name: "authority_information_access_promised",
  cites: "Suido: the addresses are the issuer's, frozen at its ceremony",
  check({ forms }, { profile, issuer }) {
    const found = (forms.authorityInfoAccess ?? []).map(
      ({ method, location }) => `${method} ${location.text}`,
    );
    const promised = profile.authorityInformationAccess.map(
      (method) => `${ACCESS_METHOD[method]} ${issuer.urls?.[method]}`,
    );
    const asPromised =
      found.length === promised.length && promised.every((one, i) => found[i] === one);
    return asPromised ? undefined : "the access descriptions are not the promised ones";
  },
};
