/** The words of the page on which a device with a certificate renews it. */
export interface RenewWords {
  readonly title: string;
  readonly lead: string;
  readonly device: string;
  readonly until: string;
  readonly untilAfter: string;
  readonly button: string;
  readonly safe: string;
  readonly call: string;
  readonly supportUnnamed: string;
  readonly otherLanguage: { readonly name: string; readonly lang: string };
}

export const RENEW_WORDS: Readonly<Record<"ja" | "en", RenewWords>> = {
  ja: {
    title: "この端末の証明書を更新します",
    lead: "2分ほどで終わります。新しい証明書が使えると確かめるまで、今の証明書も使えます。",
    device: "端末",
    until: "今の期限",
    untilAfter: "まで",
    button: "更新する",
    safe: "患者さんがいらしたら、いつでも中断できます。薬歴や患者さんの情報が変わることはありません。",
    call: "お問い合わせ",
    supportUnnamed: "お使いのシステムのサポート窓口",
    otherLanguage: { name: "English", lang: "en" },
  },
  en: {
    title: "Renew the certificate of this device",
    lead: "It takes about two minutes. Until the new certificate has been seen to work, the one of now works too.",
    device: "Device",
    until: "Works until",
    untilAfter: "",
    button: "Renew",
    safe: "You can pause at any time, also for a patient. Records and patients' data are not touched.",
    call: "Whom to call",
    supportUnnamed: "the support of your own system",
    otherLanguage: { name: "日本語", lang: "ja" },
  },
};
