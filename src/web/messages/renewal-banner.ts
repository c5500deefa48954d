interface BannerWords {
  /** Whole days to go; 0 on the last one. */
  readonly text: (daysLeft: number) => string;
  readonly link: string;
}

/** What a product shows on its own page while the certificate of the device is to be renewed. */
export const RENEWAL_BANNER: Readonly<Record<"ja" | "en", BannerWords>> = {
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
};
