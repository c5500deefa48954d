import type { HelpReason } from "./help-en.ts";

/** One sentence on a product's own page, for somebody whom it still lets in without a certificate that counts. */
export const BANNERS: Readonly<Record<HelpReason, { readonly ja: string; readonly en: string }>> = {
  none: {
    ja: "この端末には、証明書が入っていないか、選ばれていません。まもなく、証明書がないと使えなくなります。",
    en: "This device has shown no certificate. Soon it will not be let in without one.",
  },
  expired: {
    ja: "この端末の証明書は、期限が切れています。まもなく、新しい証明書がないと使えなくなります。",
    en: "The certificate of this device has expired. Soon it will not be let in without a new one.",
  },
  revoked: {
    ja: "この端末の証明書は、止められています。まもなく、新しい証明書がないと使えなくなります。",
    en: "The certificate of this device is stopped. Soon it will not be let in without a new one.",
  },
  other: {
    ja: "この端末の証明書を、確かめられませんでした。まもなく、確かめられないと使えなくなります。",
    en: "The certificate of this device could not be verified. Soon it will not be let in.",
  },
};
