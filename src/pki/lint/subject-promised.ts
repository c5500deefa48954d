import { equal } from "../bytes.ts";
import type { CertificateLint } from "../lint.ts";

/** The subject is what was asked for, and nothing that a request smuggled in. */
export const subjectPromised: CertificateLint = {
  name: "subject_promised",
  cites: "Suido: the subject is the promised one",
  check: ({ subject }, promised) =>
    equal(subject, promised.subject) ? undefined : "the subject is not the promised one",
};
