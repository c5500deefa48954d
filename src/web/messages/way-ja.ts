import type { WayMessages } from "./way-en.ts";

/** The words in Japanese. */
export const WAY_JA: WayMessages = {
  otherLanguage: { name: "English", lang: "en" },
  skip: "本文へ移動",
  pages: {
    code: {
      title: "メールにあるコードを入力してください",
      lead: "コードは、英字と数字の8文字です。リンクがあるときは、この端末でそのリンクを開いてください。",
      primary: "次へ",
    },
    limited: {
      title: "10分ほどお待ちください",
      lead: "間違ったコードが続けて入力されました。メールのリンクは、いつでも開けます。",
      primary: "コードをもう一度入力する",
    },
    invited: {
      title: "この端末に証明書を入れます",
      lead: "証明書は、この端末が薬局のものであることを示します。3分ほどで終わります。",
      primary: "はじめる",
    },
    unknown: {
      title: "このリンクからは進めません",
      lead: "メールソフトがリンクを途中で切ったか、新しいメールが届いているようです。",
      primary: "コードを入力する",
    },
    elsewhere: {
      title: "このブラウザーでは続けられません",
      lead: "別のブラウザーで始め直されたか、時間がたちました。リンクかコードから、もう一度始めてください。",
      primary: "コードを入力する",
    },
    identify: {
      title: "お電話で、この番号をお伝えください",
      lead: "ご本人の確認のためです。1分ほどで終わります。",
      primary: "進めるか見てみる",
    },
    name: {
      title: "この端末の名前を選んでください",
      lead: "あとで、ほかの端末と見分けるためです。証明書にもこの名前が入ります。",
      primary: "この名前にする",
    },
    replace: {
      title: "この端末に入れ替えますか",
      lead: "同じ名前の端末が、もうあります。入れ替えると、前の端末の証明書は、数日のうちに使えなくなります。",
      primary: "入れ替える",
    },
    make: {
      title: "ファイルを保存します",
      lead: "この端末が、自分のかぎを作ります。数秒で終わります。",
      primary: "ファイルを作る",
    },
    proven: {
      title: "この端末で証明書が使えます",
      lead: "証明書が入り、この端末のものと確かめられました。いつものシステムに入ってください。",
      primary: "もう一度確かめる",
    },
    used: {
      title: "終わりました。システムに入れています",
      lead: "次の更新まで、することはありません。時期が来たらお知らせします。",
      primary: "この画面を印刷する",
    },
    another: {
      title: "もう1台の端末で開いてください",
      lead: "カメラで読み取るか、アドレスを開いてコードを入力してください。その端末でも、ご本人の確認があります。",
      primary: "この端末の画面に戻る",
    },
    stopped: {
      title: "この証明書は止められています",
      lead: "ここで作った証明書は、あとから止められました。お電話ください。",
      primary: "もう一度見る",
    },
    expired: {
      title: "このご案内は期限が過ぎました",
      lead: "お電話か、このご案内を送った人に、新しいご案内をお求めください。",
      primary: "新しいコードを入力する",
    },
    lapsed: {
      title: "このご案内は期限が過ぎました",
      lead: "同じメールアドレスに、新しいご案内をお送りできます。",
      primary: "新しいご案内を送る",
    },
    resent: {
      title: "新しいご案内を送りました",
      lead: "数分で届きます。いちばん新しいメールのリンクを開くか、そのコードを入力してください。",
      primary: "コードを入力する",
    },
    enough: {
      title: "今日は、もうお送りしてあります",
      lead: "迷惑メールの中もご覧ください。見つからないときは、お電話ください。",
      primary: "コードを入力する",
    },
    replaced: {
      title: "新しいご案内が届いています",
      lead: "いちばん新しいメールのリンクを開くか、そのコードを入力してください。",
      primary: "新しいコードを入力する",
    },
    withdrawn: {
      title: "このご案内は取り消されました",
      lead: "心当たりがないときは、お電話ください。",
      primary: "別のコードを入力する",
    },
    done: {
      title: "このご案内は終わっています",
      lead: "証明書は端末に入り、使えることも確かめてあります。",
      primary: "別のコードを入力する",
    },
  },
  reassurance: {
    title: "患者さんがいらしたら、いつでも中断できます。",
    text: "続けるときは、この端末でこのページをもう一度開いてください。薬歴や患者さんの情報が変わることはありません。",
  },
  code: {
    label: "コード",
    hint: "小文字でも、「-」がなくても大丈夫です。",
    wrong: "このコードは見つかりません。メールと見比べて、もう一度入力してください。",
  },
  facts: { pharmacy: "薬局", device: "端末", until: "使える日" },
  until: { before: "", after: "まで" },
  otherDevice: (device) => ({
    title: `いまお使いなのは「${device}」ですか`,
    text: "登録と違う種類の端末のようです。証明書は、入れた端末でだけ使えます。その端末で、このページを開いてください。",
  }),
  supportNumber: "お問い合わせ番号",
  supportNumberMore: "お電話のとき、この番号をお伝えください。番号だけでは何も開きません。",
  support: "サポート",
  supportUnnamed: "お使いのシステムのサポート窓口",
  mailedCode: {
    title: "メールでも確認できます",
    ask: (address) => `${address} に確認番号を送る`,
    sent: (address) => `${address} に確認番号を送りました。届くまで1分ほどかかることがあります。`,
    label: "メールの確認番号",
    wrong: "いちばん新しいメールの番号と違うか、10分が過ぎています。",
    enter: "次へ",
    again: "もう一度送る",
  },
  naming: {
    offered: "名前",
    offers: {
      counter: (number) => `受付${number}号機`,
      counterPad: (number) => `受付iPad${number === 1 ? "" : ` ${number}`}`,
      dispensingPad: (number) => `投薬台iPad${number === 1 ? "" : ` ${number}`}`,
      dispensingPhone: (number) => `投薬台iPhone${number === 1 ? "" : ` ${number}`}`,
      dispensingTablet: (number) => `投薬台タブレット${number === 1 ? "" : ` ${number}`}`,
      checking: (number) => `監査台${number === 1 ? "" : ` ${number}`}`,
      office: (number) => `事務PC${number === 1 ? "" : ` ${number}`}`,
    },
    own: "ほかの名前",
    hint: "前の端末と入れ替えるときは、その端末と同じ名前を入力してください。50文字までです。",
    platform: "この端末の種類",
    platforms: {
      windows: "Windows",
      macos: "Mac",
      ipados: "iPad",
      ios: "iPhone",
      android: "Android",
      chromeos: "Chromebook",
      linux: "Linux",
      other: "そのほか",
    },
    problems: {
      wrong: () => "名前は、1行で、1文字から50文字までで入力してください。",
      reserved: (name) =>
        `いま、別の端末が「${name}」という名前で準備中です。ほかの名前を選んでください。`,
      owned: (name) =>
        `「${name}」は、ほかの方が自分で使っている端末です。ほかの名前を選んでください。`,
      lost: (name) =>
        `「${name}」は、その間に別の端末の名前になりました。ほかの名前を選んでください。`,
    },
    installedBy: "入れた人",
    noCertificate: "その端末に、いま使える証明書はありません。",
    otherName: "別の名前にする",
  },
  another: {
    ask: "もう1台に入れる",
    picture: "もう1台の端末でページを開くQRコード",
    address: "アドレス",
    code: "コード",
    until: "使えるのは3日間です。",
  },
  sentTo: "送り先",
  waiting: "確認を待っています。終わると、この画面は自動で次へ進みます。",
  refresh: "もう一度見る",
  step: (at, of, minutes) => `手順 ${at}/${of} ・ 残り 約${minutes}分`,
  earlier: "前に保存したファイルは使いません。もう一度保存します。",
  many: "何度か試していただきました。お電話ください。いっしょに進めます。",
  making: "作っています。数秒お待ちください。",
  refused: "作れませんでした。もう一度ボタンを押すか、お電話ください。",
  unreached: "いまはつながりません。もう一度ボタンを押してください。",
  save: "ファイルを保存する",
  saved: "保存しました",
  fileName: "この端末の証明書",
  password: "パスワード",
  copy: "コピー",
  copied: "コピーしました",
  back: "戻る",
  trouble: {
    title: "うまくいかない",
    other: "それ以外のときは、お電話で、お問い合わせ番号をお伝えください。",
    otherStyle: "別の形のファイルを作る",
  },
  check: {
    button: "確認する",
    waiting: "確認が終わると、この画面は自動で次へ進みます。",
  },
  noScript:
    "このブラウザーは、自分でかぎを作れません。こちらで作って一度だけお渡しし、控えは残しません。",
  profile: {
    title: "プロファイルを受け取ります",
    lead: "証明書とそのかぎが入っています。パスワードはいりません。かぎはこちらで作って一度だけお渡しし、控えは残しません。",
    primary: "受け取る",
    toFile: "ファイルとパスワードで入れる",
    fromFile: "パスワードのいらない方法で入れる",
  },
  serverKey: {
    title: "いま、ファイルを保存してください",
    lead: "お渡しするのはこの一度だけで、控えはどこにもありません。なくしたら、作り直してください。",
    save: "ファイルを保存する",
  },
  warnings: {
    clock: {
      title: "この端末の時計が合っていません",
      text: "2分以上ずれています。設定で日付と時刻を「自動」にして、このページを開き直してください。",
    },
    unreachable: {
      title: "確認のためのページにつながりません",
      text: "途中の機器やセキュリティソフトが止めているようです。機器の担当の方に、{host} のポート{port}を通すようお伝えください。",
    },
    inApp: {
      title: "ブラウザーで開き直してください",
      text: "ほかのアプリの中では、証明書を入れられません。アプリのメニューから「ブラウザーで開く」を選んでください。",
    },
    needsSafari: {
      title: "Safariで開き直してください",
      text: "iPhoneとiPadでは、Safariだけが証明書を使えます。",
    },
    unsupported: {
      title: "端末かブラウザーが古いようです",
      text: "このままでは使えないことがあります。更新するか、機器の担当の方にご相談ください。",
    },
  },
  sheet: {
    title: "控え",
    serial: "証明書の番号",
    delete: "保存したファイルは、もう使いません。「ダウンロード」から消してください。",
  },
  open: (product) => `${product}を開く`,
  notYetUsed: {
    title: "システムに入れないときは",
    text: "ブラウザーの画面をすべて閉じて、開き直してください。ブラウザーが、証明書のなかったときのことを覚えているためです。",
  },
};
