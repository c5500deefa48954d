import type { CertificateLint, LintContext } from "../lint.ts";

function promisedNames({ profile, deviceUri, dnsNames = [] }: LintContext): readonly string[] {
  switch (profile.subjectAlternativeName) {
    case "device":
      return [`6:${deviceUri}`];
    case "dns":
      return dnsNames.map((name) => `2:${name}`);
    case "none":
      return [];
  }
}

/** The device's URI is what the certificate is bound to for ever; host names are the promised ones, in their order. */
export const subjectAlternativeNamePromised: CertificateLint = {
  name: "subject_alternative_name_promised",
  cites: "Suido: a certificate names the device that it is bound to, and nobody else",
  check({ forms }, context) {
    const names = (forms.subjectAltName ?? []).map(({ tag, text }) => `${tag}:${text}`);
    const promised = promisedNames(context);
    const asPromised =
      names.length === promised.length && promised.every((name, i) => names[i] === name);
    return asPromised ? undefined : "the alternative names are not the promised ones";
  },
};
