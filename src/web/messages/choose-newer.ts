/** Where certificates are deleted. */
export type Keeper = "windows" | "macos" | "apple" | "android" | "firefox" | "other";

/** How a device that has two certificates comes to show the newer one. */
export interface ChooseNewerWords {
  readonly close: string;
  /** On phones and tablets, where there is no menu to draw. */
  readonly closeApp: string;
  readonly choose: string;
  /** The same, where nothing has to be closed before. */
  readonly whenAsked: string;
  /** Where both have the same name in the browser's question. */
  readonly sameName: string;
  readonly remove: {
    readonly title: string;
    readonly needless: string;
    /** `{older}` is the old one's name. */
    readonly of: Readonly<Record<Keeper, readonly string[]>>;
  };
}

export const CHOOSE_NEWER: Readonly<Record<"ja" | "en", ChooseNewerWords>> = {
  ja: {
    close: "まず、ブラウザーの画面をすべて閉じます",
    closeApp:
      "ブラウザーを、アプリを切り替える画面で上にはらって閉じます。Macでは、「Safari」の「Safariを終了」を選びます。",
    choose: "次に、システムをもう一度開き、新しいほうを選びます",
    whenAsked: "証明書を選ぶ画面が出たら、新しいほうを選びます",
    sameName:
      "2つとも同じ名前のときは、番号が上と同じほうを選びます。番号は、選ぶ画面の「シリアル番号」の列か、「証明書を表示」で見られます。",
    remove: {
      title: "前の証明書を消すには",
      needless: "消さなくても困りません。期限が来れば、使えなくなるだけです。",
      of: {
        windows: [
          "Windowsのキーを押し、「ユーザー証明書の管理」と入力して開きます。",
          "左の「個人」の中の「証明書」を開きます。",
          "「{older}」を右クリックして、「削除」を選びます。",
        ],
        macos: [
          "「キーチェーンアクセス」を開きます。",
          "左の「ログイン」を選び、「自分の証明書」を開きます。",
          "「{older}」を選び、「編集」の「削除」を選びます。",
        ],
        apple: [
          "「設定」の「一般」、「VPNとデバイス管理」を開きます。",
          "1つだけのときは、もう入れ替わっています。2つあるときは、「{older}」のほうを開きます。",
          "「プロファイルを削除」をタップします。",
        ],
        android: [
          "「設定」を開き、「ユーザー認証情報」を探して開きます。",
          "「{older}」をタップして、「削除」を選びます。",
        ],
        firefox: [
          "「設定」の「プライバシーとセキュリティ」を開きます。",
          "下のほうの「証明書を表示」を押し、「あなたの証明書」を開きます。",
          "「{older}」を選び、「削除」を押します。",
        ],
        other: ["ブラウザーの設定で証明書の一覧を開き、「{older}」を消します。"],
      },
    },
  },
  en: {
    close: "First, close every window of the browser",
    closeApp:
      "Swipe the browser away where you change between apps. On a Mac choose “Quit Safari” from its menu.",
    choose: "Then open your system again, and take the newer one",
    whenAsked: "When you are asked for a certificate, take the newer one",
    sameName:
      "Where both have the same name, take the one with the number above. The question shows it in the column “Serial”, or under “Show certificate”.",
    remove: {
      title: "How to delete the old one",
      needless: "There is no need to: it stops working by itself.",
      of: {
        windows: [
          "Press the Windows key, type “Manage user certificates”, and open it.",
          "Open “Personal” on the left, and “Certificates” in it.",
          "Click “{older}” with the right button, and choose “Delete”.",
        ],
        macos: [
          "Open “Keychain Access”.",
          "Choose “login” on the left, and open “My Certificates”.",
          "Select “{older}”, and choose “Delete” from the menu “Edit”.",
        ],
        apple: [
          "Open “Settings”, “General”, “VPN & Device Management”.",
          "Where there is one only, it has taken the old one’s place. Where there are two, open “{older}”.",
          "Tap “Remove Profile”.",
        ],
        android: [
          "Open “Settings”, look for “User credentials”, and open them.",
          "Tap “{older}”, and choose “Remove”.",
        ],
        firefox: [
          "Open “Settings”, “Privacy & Security”.",
          "Further down press “View Certificates”, and open “Your Certificates”.",
          "Select “{older}”, and press “Delete”.",
        ],
        other: ["Open the list of certificates in the browser’s settings, and delete “{older}”."],
      },
    },
  },
};
