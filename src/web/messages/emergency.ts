import type { EmergencyPage } from "../emergency/states.ts";

/** The words of the pages for the night on which a machine fails, in one language. */
export interface EmergencyMessages {
  /** The link to them at the foot of all other pages. */
  readonly link: string;
  readonly pages: Readonly<
    Record<
      EmergencyPage,
      { readonly title: string; readonly lead: string; readonly primary: string }
    >
  >;
  readonly need: { readonly title: string; readonly items: readonly string[] };
  readonly address: string;
  readonly signedIn: (name: string) => string;
  readonly code: { readonly label: string; readonly wrong: string };
  readonly app: { readonly label: string; readonly hint: string; readonly wrong: string };
  readonly passkey: { readonly what: string; readonly use: string; readonly refused: string };
  readonly lockedUntil: string;
  readonly pharmacyUsedUp: string;
  readonly left: (count: number) => string;
  readonly noDevices: string;
  readonly unchosen: string;
  readonly again: string;
  /** On the way itself: that the certificate is one of 24 hours. */
  readonly notice: { readonly title: string; readonly before: string; readonly until: string };
}

export const EMERGENCY_WORDS: Readonly<Record<"ja" | "en", EmergencyMessages>> = {
  ja: {
    link: "いつもの端末が使えないとき(夜間・休日)",
    pages: {
      start: {
        title: "いつもの端末が使えないとき",
        lead: "いまお使いの端末で、24時間だけ使える臨時の証明書を受け取れます。5分ほどで終わります。",
        primary: "確認番号をメールで受け取る",
      },
      code: {
        title: "メールの確認番号を入力してください",
        lead: "登録してあるアドレスなら、確認番号をお送りしました。届くまで1分ほどかかることがあります。",
        primary: "次へ",
      },
      factor: {
        title: "もう一つの方法で、ご本人を確かめます",
        lead: "前もって登録した方法を使います。",
        primary: "次へ",
      },
      locked: {
        title: "しばらくお待ちください",
        lead: "違う番号が続いたため、認証アプリを使えない時間です。お急ぎのときは、お電話ください。",
        primary: "もう一度試す",
      },
      unprepared: {
        title: "認証アプリもパスキーも、登録されていません",
        lead: "臨時の証明書を受け取るには、どちらかを前もって登録しておく必要があります。お電話ください。別の方法をご案内します。",
        primary: "別のアドレスで始める",
      },
      "not-allowed": {
        title: "この方は、臨時の証明書を受け取れません",
        lead: "受け取れるのは、薬局の管理者か、代理に決められた方です。その方にご連絡いただくか、お電話ください。",
        primary: "別のアドレスで始める",
      },
      choose: {
        title: "どの端末の代わりですか",
        lead: "いまお使いの端末を、24時間だけ代わりに使えるようにします。本部と運用担当に、すぐにお知らせします。",
        primary: "この端末の代わりにする",
      },
      "used-up": {
        title: "今月は、もう受け取れません",
        lead: "臨時の証明書を受け取れる回数を、今月は使い切りました。お電話ください。別の方法をご案内します。",
        primary: "もう一度見る",
      },
    },
    need: {
      title: "ご用意いただくもの",
      items: [
        "薬局の管理者か、代理に決められた方のメールアドレス",
        "前もって登録した認証アプリ（スマートフォン）か、パスキー",
      ],
    },
    address: "メールアドレス",
    signedIn: (name) => `${name} さんとして続ける`,
    code: {
      label: "メールの確認番号",
      wrong: "番号が違うか、10分が過ぎています。何度も届かないときは、お電話ください。",
    },
    app: {
      label: "認証アプリの番号",
      hint: "スマートフォンの認証アプリに出ている6桁の番号です。",
      wrong: "この番号では確認できません。アプリに次の番号が出るのを待って、入力してください。",
    },
    passkey: {
      what: "指紋、顔、画面ロックの暗証番号で確認します。スマートフォンのパスキーも使えます。",
      use: "パスキーを使う",
      refused: "確認できませんでした。もう一度ボタンを押してください。",
    },
    lockedUntil: "次に使える時刻",
    pharmacyUsedUp: "この薬局は、今月の回数を使い切りました。お電話ください。",
    left: (count) => `今月はあと${count}回`,
    noDevices: "この薬局には、登録してある端末がありません。",
    unchosen: "代わりにする端末を選んでください。今月の回数を使い切った薬局の端末は、選べません。",
    again: "はじめからやり直す",
    notice: {
      title: "24時間だけの、臨時の証明書です",
      before: "自動的に終わり、更新はできません。いつもの端末が直ったら、そちらをお使いください。",
      until: "使える時刻",
    },
  },
  en: {
    link: "When the usual device does not work (by night, on holidays)",
    pages: {
      start: {
        title: "When the usual machine does not work",
        lead: "On the device in front of you you can have an emergency certificate for 24 hours. It takes about five minutes.",
        primary: "Mail me a code",
      },
      code: {
        title: "Type the code from your mail",
        lead: "If the address is registered, a code is on its way to it. It may take a minute.",
        primary: "Go on",
      },
      factor: {
        title: "Confirm who you are in a second way",
        lead: "Use what you have enrolled in advance.",
        primary: "Go on",
      },
      locked: {
        title: "Please wait a while",
        lead: "Wrong digits were typed too often, and the authenticator app is locked. If it is urgent, please call.",
        primary: "Try again",
      },
      unprepared: {
        title: "No app and no passkey is enrolled",
        lead: "An emergency certificate needs an authenticator app or a passkey that was enrolled in advance. Please call.",
        primary: "Begin with another address",
      },
      "not-allowed": {
        title: "This person cannot have an emergency certificate",
        lead: "It is for the manager of a pharmacy, or for whom was named as deputy. Reach that person, or please call.",
        primary: "Begin with another address",
      },
      choose: {
        title: "Which machine does this one stand in for?",
        lead: "The device in front of you may then be used for 24 hours. The head office and the operators are told at once.",
        primary: "Let this one stand in",
      },
      "used-up": {
        title: "Not again this month",
        lead: "The emergency certificates of this month are used up. Please call: we find another way.",
        primary: "Look again",
      },
    },
    need: {
      title: "What you need",
      items: [
        "the mail address of the pharmacy's manager, or of the deputy",
        "the authenticator app (telephone) or the passkey that was enrolled in advance",
      ],
    },
    address: "Mail address",
    signedIn: (name) => `Go on as ${name}`,
    code: {
      label: "Code from the mail",
      wrong: "That is not the code, or its ten minutes are over. If none arrives, please call.",
    },
    app: {
      label: "Digits of the app",
      hint: "The six digits that the authenticator app on your telephone shows.",
      wrong: "These digits do not do. Wait until the app shows the next ones, and type those.",
    },
    passkey: {
      what: "A fingerprint, your face or the code of the screen lock confirms who you are. The passkey of your telephone will do too.",
      use: "Use a passkey",
      refused: "It was not confirmed. Press the button again.",
    },
    lockedUntil: "It works again at",
    pharmacyUsedUp: "This pharmacy has used up those of this month. Please call.",
    left: (count) => `${count} left this month`,
    noDevices: "No device is registered for this pharmacy.",
    unchosen:
      "Choose the machine that this one stands in for. Those of a pharmacy that has used up its month cannot be chosen.",
    again: "Begin again",
    notice: {
      title: "An emergency certificate, for 24 hours",
      before: "It ends by itself and cannot be renewed. Use the usual machine again once it works.",
      until: "Works until",
    },
  },
};
