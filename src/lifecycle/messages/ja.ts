import type { LifecycleMessages } from "./en.ts";

/** 「本日」「明日」「あと7日」 */
function left(days: number): string {
  if (days <= 0) return "本日まで";
  return days === 1 ? "明日まで" : `あと${days}日`;
}

/** The mails' words in Japanese. */
export const JA: LifecycleMessages = {
  expiry: {
    subject: ({ pharmacy, device, at, days }) =>
      `【${at}まで・${left(days)}】${pharmacy}「${device}」の証明書を更新してください`,
    greeting: (name) => `${name} 様`,
    greetingPharmacy: (pharmacy) => `${pharmacy} 管理者の方へ`,
    title: ({ device, days }) =>
      days <= 1
        ? `「${device}」の証明書は${days <= 0 ? "本日" : "明日"}で切れます`
        : `「${device}」の証明書は、あと${days}日で切れます`,
    what: {
      shared:
        "期限を過ぎると、この端末からはお使いのシステムに入れなくなります。期限までは、いつもどおりお使いいただけます。",
      personal:
        "期限を過ぎると、あなたの端末からはお使いのシステムに入れなくなります。期限までは、いつもどおりお使いいただけます。",
    },
    until: "期限",
    untilDay: (day, time) => `${day} ${time}`,
    device: "端末",
    pharmacy: "薬局",
    todo: (device) => `更新は「${device}」で行います。下のページをご覧ください。`,
    button: "更新のしかたを見る",
    help: "うまくいかないとき、端末がもうないときは、お使いのシステムのサポート窓口にお電話ください。",
    call: "うまくいかないとき、端末がもうないときは、お電話ください。",
    stops: "更新が終わると、このお知らせは自動で止まります。",
    automatic: (site) => `このメールは${site}が自動で送っています。返信しても届きません。`,
  },
  enrolment: {
    subject: ({ pharmacy, device, at }) =>
      `【${at}まで】${pharmacy}「${device}」に証明書を入れてください`,
    greeting: (name) => `${name} 様`,
    greetingPharmacy: (pharmacy) => `${pharmacy} ご担当の方へ`,
    title: (device) => `「${device}」に証明書を入れてください`,
    why: {
      first:
        "お使いのシステムに、薬局の端末だけが入れるようにするためです。厚生労働省の「医療情報システムの安全管理に関するガイドライン」が、この確認を求めています。証明書がないと、この端末からは入れないことがあります。",
      replacement:
        "別の端末からこの端末に入れ替えるためです。証明書がないと、この端末からは入れないことがあります。",
      renewal:
        "この端末の証明書がまもなく切れるため、新しいものに替えます。それまでは、いつもどおりお使いいただけます。",
      support: "サポート窓口とのお話のとおり、この端末にもう一度証明書を入れていただくためです。",
    },
    check: (origin) =>
      `リンクの先は ${origin} です。ページを開いたら、ブラウザーの上に出るアドレスがこのとおりに始まることを、先に確かめてください。`,
    noMail:
      "端末でメールを開けないときは、端末のブラウザーで下のアドレスを開き、コードを入力してください。コードだけで証明書が入ることはありません。続いて、ご本人の確認があります。",
    device: "端末",
    pharmacy: "薬局",
    system: "使うシステム",
    requestedBy: "依頼した人",
    operator: "お使いのシステムの運用担当",
    until: "期限",
    untilDay: (day, time) => `${day} ${time}`,
    address: "アドレス",
    code: "コード",
    todo: (device) => `数分で終わります。「${device}」でページを開いてください。`,
    button: "ページを開く",
    help: "わからないことがあるときは、お使いのシステムのサポート窓口にお電話ください。",
    call: "わからないことがあるときは、お電話ください。",
    harmless:
      "このメールに添付ファイルはありません。電話でパスワードをお聞きすることもありません。",
    unexpected:
      "心当たりがないときは、リンクを開かず、ご存じの番号からサポート窓口にお電話ください。",
    automatic: (site) => `このメールは${site}が自動で送っています。返信しても届きません。`,
  },
  code: {
    subject: (code) => `確認番号: ${code}`,
    title: (device) => `「${device}」の確認番号です`,
    what: "この端末に証明書を入れようとしている人がいます。ご本人のときは、この番号で確認します。使えるのは10分間です。",
    code: "確認番号",
    todo: "端末で開いている画面に、この番号を入力してください。電話で番号をお聞きすることはありません。どなたにもお伝えにならないでください。",
    button: "画面を開く",
    unexpected:
      "心当たりがないときは、番号を使わず、ご存じの番号からサポート窓口にお電話ください。番号がなければ、証明書は入りません。",
  },
  appleProfile: {
    title: (device) => `「${device}」の証明書`,
    what: ({ pharmacy, device, day }) =>
      `${pharmacy}の「${device}」から、お使いのシステムに入るための証明書です。${day}まで使えます。この端末のほかの設定は変わりません。端末の中を見られることもありません。`,
  },
  operator: {
    untold: (count) => ({
      subject: `連絡先がありません: まもなく切れる証明書 ${count}件`,
      title: `まもなく切れる証明書が${count}件ありますが、知らせる相手がいません`,
      what: "次の薬局には、有効でメールアドレスのある管理者も本部の担当者もいません。",
      todo: "管理者とメールアドレスを登録するか、薬局にお電話ください。登録すると、1時間以内にお知らせが届きます。",
    }),
    untoldExample: ({ pharmacy, device, at }) => `${pharmacy}: ${device}(${at}まで)`,
    ending: ({ what, at }) => ({
      subject: `Suido自身の期限: ${what}は${at}まで`,
      title: `${what}の期限は${at}です`,
      what: "自動で、または鍵のセレモニーで更新するものですが、まだ更新されていません。切れると、これに頼る端末とプロキシがすべて止まります。",
      todo: "コンソールで、更新を妨げているものを確かめてください。",
    }),
    rootSession: ({ what, at }) => ({
      subject: `Suido自身の期限: ルート鍵の作業が必要です(${what}は${at}まで)`,
      title: `ルート鍵の作業の時期です。${what}の期限は${at}です`,
      what: "ルート鍵は封印して保管されているため、自動では更新されません。切れると、プロキシはすべての端末を拒みます。",
      todo: "suido ca requestを実行し、鍵の分割片を持つ方々を集めてください(docs/operations.mdのRoot session)。",
    }),
    lagging: ({ party, at, why }) => ({
      subject: `${party}が遅れています: 失効した証明書を通すおそれがあります`,
      title: `${party}は${at}から遅れています`,
      what: {
        "went-back":
          "前より古い失効リストを使っているとの報告がありました。その間に失効した証明書を通すおそれがあります。",
        urgent:
          "急いで失効または停止した証明書を載せたリストをその時刻に公開しましたが、反映の報告がありません。その証明書をまだ通しているおそれがあります。",
        old: "新しいリストをその時刻に公開しましたが、反映の報告がありません。手元のリストの期限が切れると、すべての端末が使えなくなります。",
      }[why],
      todo: "そのマシンのsuido gateの終了コードと状態ファイル、Suidoへの接続を確かめてください。",
    }),
    console: "コンソールを開く",
    foot: (day) => `${day}にSuidoが送りました。この件では一度だけです。`,
  },
};
