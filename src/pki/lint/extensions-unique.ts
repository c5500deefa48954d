import type { CertificateLint } from "../lint.ts";

/** "A certificate MUST NOT include more than one instance of a particular extension." */
export const extensionsUnique: CertificateLint = {
  name: "extensions_unique",
  cites: "RFC 5280 §4.2",
  check: ({ extensions }) =>
    extensions.some(({ oid }, i) => extensions.findIndex((other) => other.oid === oid) !== i)
      ? "an extension stands twice"
      : undefined,
};
