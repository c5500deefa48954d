import type { HelpReason } from "./help-en.ts";

/** What a product tells on its own page: that the device is to renew, or why it will not be let in one day. */
export type BannerKind = HelpReason | "renew";

interface BannerWords {
  /** Of whole days to the certificate's end; 0 on the last one. Most do not speak of them. */
  readonly text: (daysLeft: number) => string;
  /** Where it leads. */
  readonly link: string;
}

const plain = (text: string) => (): string => text;

const LOOK = { ja: "どうすればよいかを見る", en: "See what to do" } as const;

/** What stands on a product's own page, one sentence or two. */
export const BANNERS: Readonly<Record<BannerKind, Readonly<Record<"ja" | "en", BannerWords>>>> = {
  renew: {
    ja: {
      text: (daysLeft) =>
        daysLeft === 0
          ? "この端末の証明書は、きょうで期限が切れます。いますぐ更新してください。"
          : `この端末の証明書は、あと${daysLeft}日で期限が切れます。更新してください。`,
      link: "証明書を更新する",
    },
    en: {
      text: (daysLeft) => {
        if (daysLeft === 0)
          return "The certificate of this device ends today. Please renew it at once.";
        const days = daysLeft === 1 ? "1 day" : `${daysLeft} days`;
        return `The certificate of this device ends in ${days}. Please renew it.`;
      },
      link: "Renew the certificate",
    },
  },
  replaced: {
    ja: {
      text: plain(
        "この端末の、前の証明書が選ばれています。ブラウザーを閉じて開き直し、新しいほうを選んでください。",
      ),
      link: LOOK.ja,
    },
    en: {
      text: plain(
        "This device has shown its old certificate. Close the browser, open it again, and take the new one.",
      ),
      link: LOOK.en,
    },
  },
  none: {
    ja: {
      text: plain(
        "この端末には、証明書が入っていないか、選ばれていません。まもなく、証明書がないと使えなくなります。",
      ),
      link: LOOK.ja,
    },
    en: {
      text: plain("This device has shown no certificate. Soon it will not be let in without one."),
      link: LOOK.en,
    },
  },
  expired: {
    ja: {
      text: plain(
        "この端末の証明書は、期限が切れています。まもなく、新しい証明書がないと使えなくなります。",
      ),
      link: LOOK.ja,
    },
    en: {
      text: plain(
        "The certificate of this device has expired. Soon it will not be let in without a new one.",
      ),
      link: LOOK.en,
    },
  },
  revoked: {
    ja: {
      text: plain(
        "この端末の証明書は、止められています。まもなく、新しい証明書がないと使えなくなります。",
      ),
      link: LOOK.ja,
    },
    en: {
      text: plain(
        "The certificate of this device is stopped. Soon it will not be let in without a new one.",
      ),
      link: LOOK.en,
    },
  },
  other: {
    ja: {
      text: plain(
        "この端末の証明書を、確かめられませんでした。まもなく、確かめられないと使えなくなります。",
      ),
      link: LOOK.ja,
    },
    en: {
      text: plain(
        "The certificate of this device could not be verified. Soon it will not be let in.",
      ),
      link: LOOK.en,
    },
  },
};
