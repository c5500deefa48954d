import { toHex } from "../bytes.ts";
import type { CertificateLint } from "../lint.ts";

/** The serial was reserved, with its binding, before anything was signed; another one would be a certificate that nobody can revoke. */
export const serialNumberPromised: CertificateLint = {
  name: "serial_number_promised",
  cites: "Suido: a serial is reserved before it is signed",
  check: ({ serialNumber }, { serial }) =>
    toHex(serialNumber) === serial ? undefined : "the serial number is not the reserved one",
};
