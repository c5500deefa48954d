import type { CertificateLint } from "../lint.ts";
import { SERIAL_OCTETS } from "../serial.ts";

/**
 * At least 64 bits from a strong generator. Ours have 126 in 16 octets whose top bits are 01, a shape that can be
 * checked: what does not have it did not come from `newSerial`.
 */
export const serialNumberEntropy: CertificateLint = {
  name: "serial_number_entropy",
  cites: "CABF BR §7.1",
  check: ({ serialNumber: [first = 0, ...rest] }) =>
    rest.length + 1 === SERIAL_OCTETS && first >> 6 === 1
      ? undefined
      : "the serial number has not the shape of our random ones",
};
