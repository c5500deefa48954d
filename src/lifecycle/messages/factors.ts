import type { FactorKind } from "../factors/factor-rows.ts";

/** The words of mails about second factors, in one language. */
export interface FactorMailMessages {
  readonly kinds: Readonly<Record<FactorKind, string>>;
  readonly link: {
    readonly subject: string;
    readonly title: string;
    readonly what: string;
    readonly until: string;
    readonly todo: string;
    readonly button: string;
    readonly unexpected: string;
  };
  readonly change: Readonly<
    Record<
      "added" | "removed",
      {
        readonly subject: (kind: string) => string;
        readonly title: (kind: string) => string;
        readonly what: string;
      }
    >
  > & {
    readonly when: string;
    readonly kind: string;
    readonly todo: string;
    readonly button: string;
  };
}

export const FACTOR_MAILS: Readonly<Record<"ja" | "en", FactorMailMessages>> = {
  ja: {
    kinds: { authenticator: "認証アプリ", passkey: "パスキー" },
    link: {
      subject: "夜間や休日の備え: 2つ目の確認方法を登録してください",
      title: "2つ目の確認方法を登録します",
      what: "端末が故障した夜に、サポートを待たずに臨時の証明書を受け取れるようにするためです。スマートフォンの認証アプリか、パスキーを使います。",
      until: "期限",
      todo: "3分ほどで終わります。登録に使うスマートフォンかパソコンで、ページを開いてください。",
      button: "ページを開く",
      unexpected:
        "サポートとお話しになっていないときは、リンクを開かず、ご存じの番号からサポート窓口にお電話ください。",
    },
    change: {
      added: {
        subject: (kind) => `2つ目の確認方法が登録されました: ${kind}`,
        title: (kind) => `${kind}が登録されました`,
        what: "これからは、夜間や休日に臨時の証明書を受け取るとき、これでご本人を確かめます。",
      },
      removed: {
        subject: (kind) => `2つ目の確認方法が消されました: ${kind}`,
        title: (kind) => `${kind}の登録が消されました`,
        what: "これでは、臨時の証明書を受け取れなくなりました。",
      },
      when: "日時",
      kind: "種類",
      todo: "ご自分で行ったときは、することはありません。心当たりがないときは、すぐにサポート窓口にお電話ください。",
      button: "登録のページを開く",
    },
  },
  en: {
    kinds: { authenticator: "an authenticator app", passkey: "a passkey" },
    link: {
      subject: "For nights and holidays: enrol a second way to confirm who you are",
      title: "Enrol a second way to confirm who you are",
      what: "With it you can have an emergency certificate on the night on which a machine fails, without waiting for support. You need an authenticator app on your telephone, or a passkey.",
      until: "Please do so by",
      todo: "It takes about three minutes. Open the page on the telephone or computer that you will use.",
      button: "Open the page",
      unexpected:
        "You have not spoken with support? Do not open the link, and call support at a number that you know.",
    },
    change: {
      added: {
        subject: (kind) => `A second way to confirm who you are was enrolled: ${kind}`,
        title: (kind) => `Enrolled: ${kind}`,
        what: "From now on it confirms who you are when you get an emergency certificate at night or on a holiday.",
      },
      removed: {
        subject: (kind) => `A second way to confirm who you are was removed: ${kind}`,
        title: (kind) => `Removed: ${kind}`,
        what: "No emergency certificate can be had with it any more.",
      },
      when: "When",
      kind: "What",
      todo: "If it was you, there is nothing to do. If it was not, please call support at once.",
      button: "Open the page about it",
    },
  },
};
