import type { TimeView } from "../certificate-view.ts";
import { TAG } from "../der.ts";
import type { CertificateLint } from "../lint.ts";

const isRight = ({ tag, date }: TimeView): boolean =>
  tag === (date.getUTCFullYear() < 2050 ? TAG.utcTime : TAG.generalizedTime);

/** "… MUST always encode certificate validity dates through the year 2049 as UTCTime; … in 2050 or later … as GeneralizedTime." */
export const validityEncoding: CertificateLint = {
  name: "validity_encoding",
  cites: "RFC 5280 §4.1.2.5",
  check: ({ notBefore, notAfter }) =>
    isRight(notBefore) && isRight(notAfter)
      ? undefined
      : "through 2049 a date is a UTCTime, from 2050 a GeneralizedTime",
};
