/** What somebody at a browser can do about a request that failed: try again later, or begin where they were. */
export type Trouble = "later" | "refused";

interface TroubleWords {
  readonly pages: Readonly<
    Record<Trouble, { readonly title: string; readonly lead: string; readonly primary: string }>
  >;
  readonly otherLanguage: { readonly name: string; readonly lang: string };
  readonly support: string;
  readonly supportUnnamed: string;
}

export const TROUBLE_WORDS: Readonly<Record<"ja" | "en", TroubleWords>> = {
  ja: {
    pages: {
      later: {
        title: "いまは先へ進めません",
        lead: "こちらの都合で、いまの操作を終えられませんでした。1分ほど待って、もう一度お試しください。お急ぎのときは、お電話ください。",
        primary: "もう一度試す",
      },
      refused: {
        title: "この操作はできませんでした",
        lead: "画面を開いてから時間がたったか、別の画面で始め直されたようです。もう一度開いて、そこから進めてください。うまくいかないときは、お電話ください。",
        primary: "もう一度開く",
      },
    },
    otherLanguage: { name: "English", lang: "en" },
    support: "お問い合わせ",
    supportUnnamed: "お使いのシステムのサポート窓口",
  },
  en: {
    pages: {
      later: {
        title: "It cannot go on right now",
        lead: "It is our fault that this could not be finished. Wait a minute, and try again. If it is urgent, please call.",
        primary: "Try again",
      },
      refused: {
        title: "That could not be done",
        lead: "Perhaps the page was open for too long, or you have begun anew on another one. Open it again, and go on from there. If it does not work, please call.",
        primary: "Open it again",
      },
    },
    otherLanguage: { name: "日本語", lang: "ja" },
    support: "Whom to call",
    supportUnnamed: "the support of your own system",
  },
};
