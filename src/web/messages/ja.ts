import type { Messages } from "./en.ts";

/** The pages' words in Japanese. */
export const JA: Messages = {
  skip: "本文へ移動",
  nav: { label: "メインメニュー", home: "ホーム", console: "運用のかたへ" },
  otherLanguage: { name: "English", lang: "en" },
  foot: {
    label: "その他",
    line: "Suido — 薬局の端末のための証明書",
    problems: "エラーと対処の一覧",
    api: "API仕様",
  },
  home: {
    title: "薬局の端末に、証明書を届けます",
    lead: "証明書は、パソコンやタブレットが確かに薬局のものであることを示します。端末に入れるのも、毎年の更新も、画面のとおりに進むだけです。",
    picture:
      "3つの蛇口のある水道が、受付のパソコン、タブレット、スマートフォンに証明書を届けています。",
    pictureLabels: { pc: "受付のPC", tablet: "タブレット", phone: "スマホ" },
    pharmacist: {
      who: "薬局のかたへ",
      title: "証明書を入れるかた",
      steps: [
        {
          do: "証明書を入れる端末の前へ",
          more: "証明書は1台に1つです。受付のパソコンの証明書は、受付のパソコンに入れます。",
        },
        {
          do: "その端末で、メールのリンクを開く",
          more: "メールを開けない端末では、下のボタンを押し、メールかカードにあるコードを入力します。",
        },
        {
          do: "画面のとおりに進む",
          more: "数分で終わります。使えることを、最後に確かめます。",
        },
      ],
      button: "コードを入力する",
      help: "届かないとき、うまくいかないとき",
      helpMore:
        "お使いのシステムのサポート窓口にお電話ください。電話番号は、そのシステムの画面にあります。",
      call: "お電話ください。",
    },
    renewal: {
      who: "薬局のかたへ",
      title: "更新のお知らせが届いたかた",
      steps: [
        {
          do: "期限の日までは、今までどおり",
          more: "急に使えなくなることはありません。",
        },
        {
          do: "その端末で更新ページを開き、「更新する」を押す",
          more: "いまの証明書で端末を確かめます。パスワードもお電話もいりません。",
        },
        {
          do: "画面のとおりに進む",
          more: "新しい証明書が使えることを確かめてから、古いほうを止めます。",
        },
      ],
      button: "更新ページを開く",
    },
    product: {
      who: "製品・プロキシをつくるかたへ",
      title: "使える証明書か、誰のものか",
      text: "証明書がいま有効か、いつからその状態か、どの端末・薬局のものか、何に置き換わったかを、1回の呼び出しで答えます。プロキシはOCSPとCRLで確かめられます。",
      api: "API仕様(OpenAPI 3.1)",
      va: "プロキシ向けのアドレス",
    },
    operator: {
      who: "運用するかたへ",
      title: "サービスはいま、どんな状態か",
      text: "各役割の状態、認証局と失効リスト、最初のAPIキーと証明書を作るコマンドをまとめています。",
      button: "サービスの状態を見る",
    },
  },
  console: {
    title: "サービスの状態",
    asOf: "現在",
    good: "すべて動いています",
    bad: "動いていないものがあります",
    roles: "このプロセスの役割",
    roleNames: {
      app: "画面とAPI",
      va: "検証局(VA)",
      mtls: "クライアント証明書(mTLS)",
      worker: "定期処理",
      signer: "署名",
      database: "データベース",
    },
    ready: "稼働中",
    notReady: "停止中",
    noRoles: "このプロセスには、報告する役割がありません。",
    authorities: "認証局",
    noAuthorities: "認証局はまだありません。本番では、npx suido ca initで作ります。",
    columns: { authority: "認証局", notAfter: "有効期限", list: "失効リスト", files: "ファイル" },
    kinds: { root: "ルート", issuing: "発行" },
    fingerprint: "SHA-256",
    daysLeft: (days) => `あと${days.toLocaleString("ja")}日`,
    hasEnded: "期限切れ",
    listAge: { fresh: "最新", old: "期限の半分を過ぎています", late: "期限切れ" },
    listMade: "作成",
    listNext: "期限",
    listEntries: (entries) => `失効 ${entries.toLocaleString("ja")}件`,
    noList: "まだありません",
    certificateFile: "証明書",
    listFile: "失効リスト",
    first: "最初の証明書を作る",
    firstLead: "Suidoが動いているマシンのターミナルで、Suidoのフォルダーから実行します。",
    key: "APIキーを作る",
    keyMore:
      "キーは一度だけ表示され、ハッシュだけが保存されます。日々の作業には、権限の小さい役割のキーを使ってください。",
    registry: "法人・薬局・端末・利用者を登録する",
    registryMore: "それぞれの応答にあるidを、次の呼び出しで使います。",
    issue: "端末の証明書を発行する",
    issueMore:
      "応答には、証明書と、PKCS#12ファイルとそのパスワードが入っています。ファイルとパスワードを受け取れるのは、この一度だけです。csrを送れば、秘密鍵は端末から出ません。",
    status: "有効かどうかを確かめる",
    statusMore: "製品からの問い合わせと同じものです。失効したあとにも試してみてください。",
    region: "コマンド",
    files: "プロキシとプログラム向け",
    links: {
      api: "API仕様",
      bundle: "すべての認証局の証明書",
      lists: "すべての失効リスト",
      ocsp: "OCSPレスポンダー",
      mtls: "クライアント証明書の確認",
      health: "監視用の状態",
      metrics: "メトリクス(Prometheus)",
    },
    privacy:
      "このページにあるのは、もともと公開されている情報だけです。法人・利用者・端末の情報は、キーを使ってAPIから見られます。",
  },
  problems: {
    title: "エラーと対処の一覧",
    lead: "APIがリクエストを受け付けられないときは、問題詳細(RFC 9457)を返します。そのtypeが、ここにある各ページのアドレスです。",
    status: "ステータス",
    means: "何が起きたか",
    todo: "どうすればよいか",
    example: "プログラムから見た形",
    all: "エラーの一覧へ",
  },
  notFound: {
    title: "このページはありません",
    text: "アドレスが正しくないようです。メールから来たときは、メールのボタンをもう一度押すか、メールにあるコードを入力してください。",
    button: "コードを入力する",
    home: "最初のページへ",
  },
};
