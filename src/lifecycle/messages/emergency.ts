import type { FirstHow } from "../emergency/emergency-row.ts";
import type { FactorKind } from "../factors/factor-rows.ts";

/** The words of mails about emergencies, in one language. */
export interface EmergencyMailMessages {
  readonly code: {
    readonly subject: (code: string) => string;
    readonly title: (code: string) => string;
    readonly what: string;
    readonly code: string;
    readonly todo: string;
    readonly button: string;
    readonly unexpected: string;
  };
  readonly begun: {
    readonly subject: (pharmacy: string) => string;
    readonly title: (facts: { readonly pharmacy: string; readonly device: string }) => string;
    readonly what: (device: string) => string;
    readonly ends: string;
    readonly corporation: string;
    readonly pharmacy: string;
    readonly person: string;
    readonly device: string;
    readonly standsInFor: string;
    readonly how: string;
    readonly first: Readonly<Record<FirstHow, string>>;
    readonly second: Readonly<Record<FactorKind, string>>;
    readonly when: string;
    readonly supportNumber: string;
    readonly todo: string;
  };
}

export const EMERGENCY_MAILS: Readonly<Record<"ja" | "en", EmergencyMailMessages>> = {
  ja: {
    code: {
      subject: (code) => `臨時の証明書の確認番号: ${code}`,
      title: (code) => `臨時の証明書の確認番号は ${code} です`,
      what: "故障した端末の代わりに、24時間だけ使える証明書を受け取ろうとしている人がいます。使えるのは10分間です。このあと、登録してある認証アプリかパスキーでも確認します。",
      code: "確認番号",
      todo: "開いている画面に、この番号を入力してください。電話で番号をお聞きすることはありません。",
      button: "画面を開く",
      unexpected:
        "心当たりがないときは、番号を使わず、ご存じの番号からサポート窓口にお電話ください。番号だけでは、証明書は渡りません。",
    },
    begun: {
      subject: (pharmacy) => `【お知らせ】${pharmacy}で臨時の証明書が使われます`,
      title: ({ pharmacy, device }) => `${pharmacy}で、「${device}」が代わりに使われます`,
      what: (device) =>
        `故障などで「${device}」が使えないため、別の端末で24時間だけ使える証明書を受け取る手続きが始まりました。`,
      ends: "証明書は24時間で自動的に終わり、更新はできません。",
      corporation: "法人",
      pharmacy: "薬局",
      person: "手続きをした人",
      device: "代わりの端末",
      standsInFor: "使えない端末",
      how: "本人の確認",
      first: { "mailed-code": "メールの確認番号", "sign-in": "サインイン" },
      second: { authenticator: "認証アプリ", passkey: "パスキー" },
      when: "日時",
      supportNumber: "お問い合わせ番号",
      todo: "心当たりがあるときは、することはありません。心当たりがないときは、すぐにサポート窓口にお電話ください。証明書を止めます。",
    },
  },
  en: {
    code: {
      subject: (code) => `Your code for an emergency certificate: ${code}`,
      title: (code) => `Your code for an emergency certificate is ${code}`,
      what: "Somebody is about to get a certificate of 24 hours for a machine that stands in for another one. The code works for ten minutes. After it you are asked for your authenticator app or your passkey.",
      code: "Code",
      todo: "Type the code on the page that asks for it. We never ask for it by telephone.",
      button: "Open the page",
      unexpected:
        "If it was not you, do not use the code, and call support at a number that you know. The code alone gets nobody a certificate.",
    },
    begun: {
      subject: (pharmacy) => `For your information: emergency certificate at ${pharmacy}`,
      title: ({ pharmacy, device }) => `“${device}” stands in at ${pharmacy}`,
      what: (device) =>
        `“${device}” cannot be used, and somebody has begun to get a certificate of 24 hours for another machine.`,
      ends: "The certificate ends by itself after 24 hours, and cannot be renewed.",
      corporation: "Corporation",
      pharmacy: "Pharmacy",
      person: "Who did it",
      device: "Stands in",
      standsInFor: "Cannot be used",
      how: "Identified by",
      first: { "mailed-code": "a code to the mailbox", "sign-in": "the sign-in" },
      second: { authenticator: "an authenticator app", passkey: "a passkey" },
      when: "When",
      supportNumber: "Support number",
      todo: "If you know of it, there is nothing to do. If you do not, please call support at once: the certificate can be stopped.",
    },
  },
};
