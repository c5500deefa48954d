import type { CertificateLint } from "../lint.ts";

/** "… MUST be a positive integer … CAs MUST NOT use serialNumber values longer than 20 octets." */
export const serialNumber: CertificateLint = {
  name: "serial_number",
  cites: "RFC 5280 §4.1.2.2",
  check({ serialNumber: content }) {
    if ((content[0] ?? 0) >= 0x80) return "the serial number is negative";
    if (content.length === 1 && content[0] === 0) return "the serial number is zero";
    return content.length > 20 ? "the serial number is longer than 20 octets" : undefined;
  },
};
