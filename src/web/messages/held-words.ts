/** What is said of a device that somebody of its pharmacy has stopped. */
interface HeldWords {
  readonly page: { readonly title: string; readonly lead: string; readonly primary: string };
  readonly waiting: string;
}

export const HELD_WORDS: Readonly<Record<"ja" | "en", HeldWords>> = {
  ja: {
    page: {
      title: "この端末は、いま止められています",
      lead: "薬局の人が、この端末を止めました。管理者が元に戻すまで、証明書は入れられません。管理者に頼むか、お電話ください。",
      primary: "もう一度見る",
    },
    waiting: "元に戻ると、この画面は自動で次へ進みます。",
  },
  en: {
    page: {
      title: "This device is stopped at the moment",
      lead: "Somebody of the pharmacy has stopped this device. It gets no certificate until the manager lets it go on. Please ask the manager, or call.",
      primary: "Look again",
    },
    waiting: "Once it may go on, so does this page, by itself.",
  },
};
