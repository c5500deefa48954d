import type { CertificateLint } from "../lint.ts";

/** The dates stand in the reserved row, and reminders, seats and lists go by it. */
export const validityPromised: CertificateLint = {
  name: "validity_promised",
  cites: "Suido: the dates are the reserved ones",
  check: (view, { notBefore, notAfter }) =>
    view.notBefore.date.getTime() === notBefore.getTime() &&
    view.notAfter.date.getTime() === notAfter.getTime()
      ? undefined
      : "the dates are not the promised ones",
};
