import type { CheckMessages } from "./check-en.ts";

const SAFE = "薬歴や患者さんの情報は、何も変わっていません。";

const AGAIN = "前の画面に戻り、もう一度「確認する」を押してください";

const STEPS = [
  "この画面を閉じて、前の画面に戻ります。",
  "もう一度「確認する」を押します。",
  `証明書を選ぶ画面が出たら、「{certificate}」を選び、「OK」を押します。`,
];

const NOT_THERE =
  "この端末に、まだ入っていません。パソコンに別のユーザーで入っているときも、出てきません。入れる手順をはじめから進めるか、サポート窓口にお電話ください。";

const JUST_RENEWED = {
  title: "新しい証明書を入れたばかりのときは",
  text: "前の画面に戻り、もう一度「確認する」を押してください。証明書を選ぶ画面が出たら、期限が先のほうを選びます。",
};

/** The words of the pages of a check in Japanese. */
export const CHECK_JA: CheckMessages = {
  otherLanguage: { name: "English", lang: "en" },
  next: "次にすること",
  call: {
    title: "お問い合わせ",
    support: "お使いのシステムのサポート窓口",
    tell: "お電話で、次のことをお伝えください",
    pharmacy: "薬局の名前",
    device: "この端末の名前(例: 受付1号機)",
    seen: (state) => `この画面の「${state}」という表示`,
    serial: "証明書の番号",
  },
  facts: {
    device: "端末",
    until: "使える日",
    provenAt: "確認した時刻",
    newerNumber: "新しい証明書の番号",
  },
  until: { before: "", after: "まで" },
  outcomes: {
    proven: {
      state: "確認済み",
      title: "この端末で証明書が使えます",
      lead: `この端末から、システムに入れます。${SAFE}`,
      action: "この画面を閉じて、いつものシステムを開いてください",
      actionMore: `証明書を選ぶ画面が出たら、「{certificate}」を選びます。保存したファイルは、もう使わないので消してください。`,
      otherwise: {
        title: "システムに入れないときは",
        text: "ブラウザーの画面をすべて閉じて、開き直してください。ブラウザーが、証明書のなかったときのことを覚えているためです。",
      },
    },
    none: {
      state: "証明書なし",
      title: "証明書が選ばれていません",
      lead: `「キャンセル」が押されたか、この端末にまだ入っていないようです。${SAFE}`,
      action: AGAIN,
      steps: STEPS,
      otherwise: { title: "選ぶ画面が出ないときは", text: NOT_THERE },
    },
    "other-device": {
      state: "別の端末のもの",
      title: "別の端末の証明書が選ばれました",
      lead: `選ばれた証明書は、この端末のものではありません。${SAFE}`,
      action: AGAIN,
      steps: STEPS,
      otherwise: { title: `「{certificate}」が出てこないときは`, text: NOT_THERE },
    },
    "other-place": {
      state: "別のユーザーのもの",
      title: "この端末の、もう1つの証明書が選ばれました",
      lead: `同じ端末の、別のユーザーかブラウザーのために入れたものです。ここでも使えます。${SAFE}`,
      action: "この画面を閉じて、いつものシステムを開いてください",
      actionMore: "このブラウザーは、選ばれた証明書で入れます。ここに入れ直す必要はありません。",
      otherwise: {
        title: "新しいほうを使いたいときは",
        text: "前の画面に戻り、もう一度「確認する」を押して、一覧にあるもう1つの「{certificate}」を選びます。1つしかないときは、まだ入っていません。入れる手順を進めるか、サポート窓口にお電話ください。",
      },
    },
    older: {
      state: "前の証明書",
      title: "この端末の、前の証明書が選ばれました",
      lead: `新しい証明書の前に使っていたものです。${SAFE}`,
      action: AGAIN,
      steps: STEPS,
      otherwise: { title: "前のものしか出てこないときは", text: NOT_THERE },
    },
    newer: {
      state: "新しい証明書",
      title: "この端末には、もっと新しい証明書があります",
      lead: `確認しようとしたものより新しい証明書が選ばれました。そのまま使えます。${SAFE}`,
      action: "この画面を閉じて、いつものシステムを開いてください",
      actionMore: "これからは、新しいほうを使います。前のものは、もう要りません。",
      otherwise: {
        title: "システムに入れないときは",
        text: "ブラウザーの画面をすべて閉じて、開き直してください。証明書を選ぶ画面が出たら、期限が先のほうを選びます。",
      },
    },
    revoked: {
      state: "停止中",
      title: "この端末の証明書は、止められています",
      lead: `端末の入れ替えや、紛失の届け出があったときに止めるものです。${SAFE}`,
      action: "サポート窓口に電話して、「証明書が停止中」とお伝えください",
      actionMore: "止めた理由をお調べします。使ってよい端末なら、新しい証明書をお届けします。",
      otherwise: JUST_RENEWED,
    },
    expired: {
      state: "期限切れ",
      title: "この端末の証明書は、期限が切れています",
      lead: `この証明書は、もう使えません。${SAFE}`,
      action: "サポート窓口に電話して、「証明書の期限切れ」とお伝えください",
      actionMore: "新しい証明書をお届けします。この端末に入れると、すぐにまた使えます。",
      otherwise: JUST_RENEWED,
    },
    unknown: {
      state: "別の証明書",
      title: "ほかの目的の証明書が選ばれました",
      lead: `選ばれたのは、このシステムの証明書ではありません。${SAFE}`,
      action: AGAIN,
      steps: STEPS,
      otherwise: { title: `「{certificate}」が出てこないときは`, text: NOT_THERE },
    },
    ended: {
      state: "時間切れ",
      title: "この確認は、終わっています",
      lead: `ひとつの確認の画面が使えるのは、10分間です。${SAFE}`,
      action: AGAIN,
      actionMore: "新しい確認の画面が開きます。",
      otherwise: {
        title: "前の画面が見つからないときは",
        text: "いつものシステムを開いてください。入れれば、そのままで大丈夫です。入れないときは、サポート窓口にお電話ください。",
      },
    },
  },
};
