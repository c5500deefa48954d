import type { Language } from "../language.ts";

/** What the script says on the machine. */
export interface ScriptWords {
  readonly begin: string;
  readonly tooOld: string;
  readonly elevated: string;
  readonly noKey: string;
  readonly inTpm: string;
  readonly inSoftware: string;
  readonly notInstalled: string;
  readonly proven: string;
  readonly notProven: string;
  readonly renewalSet: string;
  readonly renewalNotSet: string;
  readonly undo: string;
  readonly unreachable: string;
  readonly notHere: string;
  readonly notDue: string;
  readonly renewed: string;
  readonly notRenewed: string;
  readonly replaced: string;
  readonly ended: string;
  readonly removed: string;
  /** Before the file where it says more. */
  readonly log: string;
}

/** The page for whoever sets up machines, and the script that it offers. */
export interface ScriptPageWords {
  /** On the page for pharmacists. */
  readonly link: string;
  readonly title: string;
  readonly lead: string;
  readonly back: string;
  readonly what: readonly string[];
  readonly download: string;
  readonly run: string;
  readonly runMore: string;
  readonly waiting: string;
  readonly undo: string;
  /** In the file's first lines. */
  readonly header: (site: string) => readonly string[];
  /** By which the task is known in Windows. */
  readonly task: (device: string) => string;
  readonly script: ScriptWords;
}

const JA: ScriptPageWords = {
  link: "IT・機器設定の担当の方へ",
  title: "PowerShellのスクリプトで入れる",
  lead: "端末の設定を担当する方のためのページです。薬局の方は、前の画面に戻って進めてください。",
  back: "前の画面に戻る",
  what: [
    "Windows 10か11の、証明書を使うユーザーで実行します。管理者の権限はいりません。",
    "かぎは端末のTPMの中に作ります。TPMが使えないときは、Windowsのかぎの保管場所に作ります。どちらも、取り出せない設定です。",
    "証明書を「現在のユーザー」の「個人」に入れ、使えることを確かめます。",
    "毎日一度、更新の時期かを見るタスクを登録します。時期が来たら、自分で更新します。",
  ],
  download: "スクリプトをダウンロードする",
  run: "ダウンロードしたら、Windowsキー＋Rを押し、次の行を貼り付けて実行します。",
  runMore:
    "スクリプトは、この案内の端末のためのものです。1時間のうちに一度だけ使えます。同じ名前のファイルが前からあるときは、先に消してください。",
  waiting: "証明書が使えると確かめられたら、この画面は自動で次へ進みます。",
  undo: "元に戻すときは、次の行を実行します。タスク、証明書とかぎ、スクリプトが消えます。",
  header: (site) => [
    `${site}: この端末にクライアント証明書を入れ、期限の前に自分で更新します。`,
    "実行する前に、中身をお読みください。1時間のうちに一度だけ使えます。",
  ],
  task: (device) => `「${device}」のクライアント証明書を、期限の前に更新します。`,
  script: {
    begin: "この端末のかぎを作り、証明書を受け取ります。1分ほどかかります。",
    tooOld: "Windows 10か11で実行してください。",
    elevated:
      "管理者として実行しないでください。証明書を使うユーザーで、ふつうに開いて実行してください。",
    noKey: "かぎを作れませんでした。詳しい記録を見て、サポートにお電話ください。",
    inTpm: "かぎは、この端末のTPMの中に作りました。取り出せません。",
    inSoftware: "かぎは、Windowsのかぎの保管場所に作りました。取り出せない設定です。",
    notInstalled:
      "証明書を入れられませんでした。ページからもう一度ダウンロードして、実行してください。",
    proven: "終わりました。証明書が使えることを確かめました。ブラウザーの画面に戻ってください。",
    notProven:
      "証明書は入りましたが、使えることを確かめられませんでした。ブラウザーの画面の最後の手順で「確認する」を押してください。",
    renewalSet: "毎日一度、更新の時期かを見るタスクを登録しました。",
    renewalNotSet:
      "タスクを登録できませんでした。更新は、時期が来たときのお知らせから行ってください。",
    undo: "元に戻すとき:",
    unreachable: "サーバーにつながりません。",
    notHere: "この場所には、スクリプトが入れた証明書がありません。",
    notDue: "まだ更新の時期ではありません。更新を始める日時:",
    renewed: "更新しました。新しい証明書が使えることを確かめました。",
    notRenewed: "新しい証明書が使えることを確かめられませんでした。あす、もう一度行います。",
    replaced: "別の方法で更新されていたので、その証明書に切り替えました。",
    ended: "証明書がないか、期限が過ぎたか、別の場所で更新されました。自動更新のタスクを外します。",
    removed:
      "タスク、証明書とかぎ、スクリプトを消しました。証明書を止めるには、サポートにお電話ください。",
    log: "詳しい記録:",
  },
};

const EN: ScriptPageWords = {
  link: "For whoever sets up IT and machines",
  title: "Install with a PowerShell script",
  lead: "This page is for people who set up machines. If you work at the pharmacy, please go back and go on there.",
  back: "Back to the page before",
  what: [
    "Run it on Windows 10 or 11 as the user who is to use the certificate. No administrator's rights are needed.",
    "It makes the key in the machine's TPM. Where there is none, in Windows' own key store. In both, the key cannot be exported.",
    "It puts the certificate into the current user's personal store, and proves that it works.",
    "It registers a task that asks once a day whether it is time to renew. When it is, it renews by itself.",
  ],
  download: "Download the script",
  run: "Then press the Windows key and R, paste this line, and run it.",
  runMore:
    "The script is for the machine of this invitation. It works once, within an hour. If there is an older file of the same name, delete it first.",
  waiting: "This page goes on by itself when the certificate was proven to work.",
  undo: "To undo it, run this line. Task, certificate, key and script are removed.",
  header: (site) => [
    `${site}: puts a client certificate onto this machine and renews it before it ends.`,
    "Read it before you run it. It works once, within an hour.",
  ],
  task: (device) => `Renews the client certificate of "${device}" before it ends.`,
  script: {
    begin: "Making this machine's key and getting its certificate. This takes about a minute.",
    tooOld: "Please run this on Windows 10 or 11.",
    elevated:
      "Please do not run this as administrator. Open it the usual way, as the user who is to use the certificate.",
    noKey: "No key could be made. Please look at the details, and call support.",
    inTpm: "The key was made in this machine's TPM. It cannot be exported.",
    inSoftware: "The key was made in Windows' own key store, and is set not to be exported.",
    notInstalled:
      "The certificate could not be installed. Please download the script again from its page, and run it.",
    proven: "Done. The certificate was proven to work. Please go back to your browser.",
    notProven:
      "The certificate is installed, but was not proven to work. Please press the button of the last step in your browser.",
    renewalSet: "A task was registered that asks once a day whether it is time to renew.",
    renewalNotSet:
      "The task could not be registered. Please renew when you are reminded that it is time.",
    undo: "To undo it:",
    unreachable: "The server cannot be reached.",
    notHere: "There is no certificate here that a script has installed.",
    notDue: "It is not time to renew yet. That begins:",
    renewed: "Renewed. The new certificate was proven to work.",
    notRenewed: "The new certificate was not proven to work. Tomorrow there is another try.",
    replaced: "It was renewed in another way. That certificate is used from now on.",
    ended: "The certificate is gone, has ended, or was renewed elsewhere. The task ends itself.",
    removed:
      "Task, certificate, key and script were removed. To stop the certificate, please call support.",
    log: "Details are in:",
  },
};

/** The words in both languages. */
export const SCRIPT_WORDS: Readonly<Record<Language, ScriptPageWords>> = { ja: JA, en: EN };
