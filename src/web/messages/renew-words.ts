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
  /** Where the certificate is one of 24 hours. */
  readonly emergency: { readonly title: string; readonly lead: string; readonly until: string };
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
    emergency: {
      title: "これは臨時の証明書です",
      lead: "24時間で自動的に終わり、更新はできません。いつもの端末を直すか、新しい端末に証明書を入れてください。",
      until: "使える時刻",
    },
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
    emergency: {
      title: "This certificate is an emergency's",
      lead: "It ends by itself after 24 hours and cannot be renewed. Mend the usual machine, or put a certificate on a new one.",
      until: "Works until",
    },
    otherLanguage: { name: "日本語", lang: "ja" },
  },
};
