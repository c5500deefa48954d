import type { CertificateLint, LintContext } from "../lint.ts";
import { EXTENSION } from "../oids.ts";

/** What the profile asks for, beside the key identifiers; the authority's may be missing from a root, which has a rule of its own. */
function promisedExtensions({ profile }: LintContext): Record<string, boolean> {
  return {
    [EXTENSION.subjectKeyIdentifier]: true,
    [EXTENSION.keyUsage]: true,
    [EXTENSION.basicConstraints]: profile.basicConstraints.ca,
    [EXTENSION.extKeyUsage]: profile.extendedKeyUsage.length > 0,
    [EXTENSION.certificatePolicies]: profile.policies.length > 0,
    [EXTENSION.subjectAltName]: profile.subjectAlternativeName !== "none",
    [EXTENSION.cRLDistributionPoints]: profile.crlDistributionPoint !== "none",
    [EXTENSION.authorityInfoAccess]: profile.authorityInformationAccess.length > 0,
    [EXTENSION.ocspNoCheck]: profile.ocspNoCheck,
  };
}

/** Exactly the extensions that the profile asks for: none more, none less. */
export const extensionsOfProfile: CertificateLint = {
  name: "extensions_of_profile",
  cites: "Suido: a certificate is what its profile says",
  check({ extensions }, context) {
    const promised = promisedExtensions(context);
    const stray = extensions.find(
      ({ oid }) => promised[oid] !== true && oid !== EXTENSION.authorityKeyIdentifier,
    );
    if (stray !== undefined) return `the profile asks for no extension ${stray.oid}`;
    for (const oid in promised) {
      if (promised[oid] === true && !extensions.some((extension) => extension.oid === oid)) {
        return `the extension ${oid} is missing`;
      }
    }
    return undefined;
  },
};
