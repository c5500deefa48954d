import type { FactorPage } from "../factors/states.ts";

/** The words of the pages on which a person prepares for a night, in one language. */
export interface FactorMessages {
  readonly pages: Readonly<
    Record<FactorPage, { readonly title: string; readonly lead: string; readonly primary: string }>
  >;
  readonly kinds: Readonly<Record<"authenticator" | "passkey", string>>;
  readonly enrolled: string;
  readonly none: string;
  readonly since: string;
  readonly lastUsed: string;
  readonly remove: string;
  readonly add: string;
  readonly authenticator: { readonly what: string; readonly again: string };
  readonly passkey: { readonly what: string; readonly add: string; readonly refused: string };
  readonly ready: { readonly title: string; readonly text: (address: string) => string };
  readonly confirm: {
    readonly install: string;
    readonly scan: string;
    readonly open: string;
    readonly key: string;
    readonly type: string;
    readonly label: string;
    readonly wrong: string;
    readonly cancel: string;
  };
}

export const FACTOR_WORDS: Readonly<Record<"ja" | "en", FactorMessages>> = {
  ja: {
    pages: {
      link: {
        title: "夜間や休日に備えます",
        lead: "いつもの端末が故障した夜に、ご自分で臨時の証明書を受け取るための準備です。3分ほどで終わります。",
        primary: "はじめる",
      },
      unknown: {
        title: "このリンクからは進めません",
        lead: "リンクは、届いてから1時間、一度だけ使えます。お電話いただければ、もう一度お送りします。",
        primary: "準備のページへ",
      },
      closed: {
        title: "はじめる前に、ご本人の確認が必要です",
        lead: "お電話ください。確認のあと、登録してあるメールアドレスにリンクをお送りします。お電話で確認して証明書を入れ終えたばかりのブラウザーでは、そのまま始められます。",
        primary: "このブラウザーで始める",
      },
      list: {
        title: "夜間や休日の備え",
        lead: "臨時の証明書を受け取るとき、ご本人を確かめる方法です。故障するかもしれない端末ではなく、お持ちのスマートフォンに登録してください。",
        primary: "認証アプリを登録する",
      },
      confirm: {
        title: "認証アプリを登録します",
        lead: "スマートフォンのアプリに、この薬局のための6桁の番号が出るようにします。",
        primary: "登録する",
      },
    },
    kinds: { authenticator: "認証アプリ", passkey: "パスキー" },
    enrolled: "登録してある方法",
    none: "まだ登録がありません。",
    since: "登録",
    lastUsed: "最後に使った日時",
    remove: "消す",
    add: "登録する",
    authenticator: {
      what: "アプリに出る6桁の番号で確認します。電波がなくても使えます。",
      again: "認証アプリを登録し直す",
    },
    passkey: {
      what: "指紋、顔、画面ロックの暗証番号で確認します。",
      add: "パスキーを登録する",
      refused: "登録できませんでした。もう一度ボタンを押すか、認証アプリを登録してください。",
    },
    ready: {
      title: "準備ができました",
      text: (address) =>
        `いつもの端末が使えない夜は、別の端末のブラウザーで ${address} を開いてください。このページを印刷して、薬局に置いておくと安心です。`,
    },
    confirm: {
      install:
        "スマートフォンに認証アプリを入れます。Google Authenticator や Microsoft Authenticator などが使えます。",
      scan: "アプリで「＋」を押し、下のQRコードを読み取るか、セットアップキーを入力します。",
      open: "このスマートフォンのアプリで開く",
      key: "セットアップキー",
      type: "アプリに出た6桁の番号を、ここに入力します。",
      label: "アプリの番号",
      wrong:
        "この番号は合いません。アプリに今出ている番号を入力してください。スマートフォンの時計が合っているかも見てください。",
      cancel: "別のQRコードで始め直す",
    },
  },
  en: {
    pages: {
      link: {
        title: "Prepare for nights and holidays",
        lead: "So that you can have an emergency certificate by yourself on the night on which a machine fails. It takes about three minutes.",
        primary: "Begin",
      },
      unknown: {
        title: "This link leads nowhere",
        lead: "A link works once, within an hour. Please call, and we send you another.",
        primary: "To the page about it",
      },
      closed: {
        title: "First we have to know who you are",
        lead: "Please call. We then send a link to the address that you are registered with. In a browser that has just put a certificate onto its device, after a call with us, you can begin right away.",
        primary: "Begin in this browser",
      },
      list: {
        title: "Prepared for nights and holidays",
        lead: "How we confirm who you are when you get an emergency certificate. Enrol the telephone that you carry, not the machine that may fail.",
        primary: "Enrol an authenticator app",
      },
      confirm: {
        title: "Enrol an authenticator app",
        lead: "An app on your telephone will show six digits for this pharmacy.",
        primary: "Enrol it",
      },
    },
    kinds: { authenticator: "Authenticator app", passkey: "Passkey" },
    enrolled: "What is enrolled",
    none: "Nothing is enrolled yet.",
    since: "Enrolled",
    lastUsed: "Last used",
    remove: "Remove",
    add: "Enrol",
    authenticator: {
      what: "Six digits that the app shows confirm who you are. It needs no network.",
      again: "Enrol the app anew",
    },
    passkey: {
      what: "A fingerprint, your face or the code of the screen lock confirms who you are.",
      add: "Enrol a passkey",
      refused: "It was not enrolled. Press the button again, or enrol an authenticator app.",
    },
    ready: {
      title: "You are prepared",
      text: (address) =>
        `On a night on which the usual machine does not work, open ${address} in the browser of another device. Print this page and keep it in the pharmacy.`,
    },
    confirm: {
      install:
        "Put an authenticator app on your telephone, such as Google Authenticator or Microsoft Authenticator.",
      scan: "Press “+” in the app, and scan the QR code below or type the setup key.",
      open: "Open it in the app of this telephone",
      key: "Setup key",
      type: "Type the six digits that the app shows.",
      label: "Digits of the app",
      wrong:
        "These are not the digits. Type those that the app shows now, and look whether the telephone's clock is right.",
      cancel: "Begin again with another QR code",
    },
  },
};
