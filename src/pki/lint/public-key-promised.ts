import { equal } from "../bytes.ts";
import type { CertificateLint } from "../lint.ts";

/** The key is the one whose possession was proven, byte for byte. */
export const publicKeyPromised: CertificateLint = {
  name: "public_key_promised",
  cites: "Suido: the key is the request's",
  check: ({ spki }, promised) =>
    equal(spki, promised.spki) ? undefined : "the key is not the promised one",
};
