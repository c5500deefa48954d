import type { HoldReason } from "../desk.ts";

/** The words of a mail that tells of something. */
interface TellingWords {
  readonly subject: (facts: { readonly pharmacy: string; readonly of: string }) => string;
  readonly title: (facts: { readonly pharmacy: string; readonly of: string }) => string;
  readonly what: string;
  readonly by: string;
  readonly todo: string;
  /** Absent where there is nothing to be opened. */
  readonly button?: string;
}

/** The words of mails about what was done at a pharmacy's own screen, in one language. */
export interface DeskMailMessages {
  readonly pharmacy: string;
  readonly device: string;
  readonly deputy: string;
  readonly reason: string;
  readonly reasons: Readonly<Record<HoldReason, string>>;
  readonly when: string;
  readonly hold: Readonly<Record<"held" | "released", TellingWords>>;
  /** To the person, and to the others who answer for the pharmacy. */
  readonly named: Readonly<Record<"person" | "others", TellingWords>>;
  readonly ended: Readonly<Record<"person" | "others", TellingWords>>;
}

export const DESK_MAILS: Readonly<Record<"ja" | "en", DeskMailMessages>> = {
  ja: {
    pharmacy: "薬局",
    device: "端末",
    deputy: "代理の人",
    reason: "理由",
    reasons: { lost: "なくした、盗まれた", suspicious: "ようすがおかしい", other: "そのほか" },
    when: "日時",
    hold: {
      held: {
        subject: ({ pharmacy, of }) => `【お知らせ】${pharmacy}の端末「${of}」が止められました`,
        title: ({ of }) => `「${of}」が止められました`,
        what: "薬局の人が、この端末を止めました。この端末からは、いまシステムに入れません。",
        by: "止めた人",
        todo: "なくした、盗まれたときは、元に戻さずに、サポート窓口にお電話ください。そうでないときは、事情を確かめてから、薬局の画面で元に戻してください。",
        button: "薬局の画面を開く",
      },
      released: {
        subject: ({ pharmacy, of }) => `【お知らせ】${pharmacy}の端末「${of}」がまた使えます`,
        title: ({ of }) => `「${of}」がまた使えるようになりました`,
        what: "管理者が、止めていたこの端末を元に戻しました。",
        by: "元に戻した人",
        todo: "心当たりがあるときは、することはありません。心当たりがないときは、薬局の画面でもう一度止めて、サポート窓口にお電話ください。",
        button: "薬局の画面を開く",
      },
    },
    named: {
      person: {
        subject: ({ pharmacy }) => `${pharmacy}の代理の人に選ばれました`,
        title: ({ pharmacy }) => `${pharmacy}の代理の人に選ばれました`,
        what: "夜間や休日に端末が故障したとき、管理者の代わりに、別の端末で24時間だけ使える証明書を受け取れます。",
        by: "選んだ人",
        todo: "そのときのために、2つ目の確認方法（認証アプリかパスキー）を、いまのうちに登録してください。3分ほどで終わります。",
        button: "登録のページを開く",
      },
      others: {
        subject: ({ pharmacy }) => `【お知らせ】${pharmacy}の代理の人が選ばれました`,
        title: ({ of }) => `${of} さんが代理の人に選ばれました`,
        what: "夜間や休日に端末が故障したとき、この方も、別の端末で24時間だけ使える証明書を受け取れます。",
        by: "選んだ人",
        todo: "心当たりがあるときは、することはありません。心当たりがないときは、薬局の画面で代理から外し、サポート窓口にお電話ください。",
        button: "薬局の画面を開く",
      },
    },
    ended: {
      person: {
        subject: ({ pharmacy }) => `${pharmacy}の代理の人ではなくなりました`,
        title: ({ pharmacy }) => `${pharmacy}の代理の人ではなくなりました`,
        what: "これからは、端末が故障したときの臨時の証明書を受け取れません。",
        by: "外した人",
        todo: "することはありません。心当たりがないときは、薬局の管理者にお尋ねください。",
      },
      others: {
        subject: ({ pharmacy }) => `【お知らせ】${pharmacy}の代理の人が外されました`,
        title: ({ of }) => `${of} さんは代理の人ではなくなりました`,
        what: "この方は、端末が故障したときの臨時の証明書を受け取れなくなりました。",
        by: "外した人",
        todo: "心当たりがあるときは、することはありません。心当たりがないときは、サポート窓口にお電話ください。",
        button: "薬局の画面を開く",
      },
    },
  },
  en: {
    pharmacy: "Pharmacy",
    device: "Device",
    deputy: "Deputy",
    reason: "Why",
    reasons: {
      lost: "It was lost or stolen",
      suspicious: "It behaves strangely",
      other: "Another reason",
    },
    when: "When",
    hold: {
      held: {
        subject: ({ pharmacy, of }) => `For your information: “${of}” of ${pharmacy} was stopped`,
        title: ({ of }) => `“${of}” was stopped`,
        what: "Somebody of the pharmacy has stopped this device. It cannot get into your systems now.",
        by: "Stopped by",
        todo: "If it was lost or stolen, do not let it go on, and call support. Otherwise find out what happened, and let it go on at the pharmacy's page.",
        button: "Open the pharmacy's page",
      },
      released: {
        subject: ({ pharmacy, of }) =>
          `For your information: “${of}” of ${pharmacy} can be used again`,
        title: ({ of }) => `“${of}” can be used again`,
        what: "A manager has let this device go on.",
        by: "Let go on by",
        todo: "If you know of it, there is nothing to do. If you do not, stop it again at the pharmacy's page, and call support.",
        button: "Open the pharmacy's page",
      },
    },
    named: {
      person: {
        subject: ({ pharmacy }) => `You are a deputy of ${pharmacy} now`,
        title: ({ pharmacy }) => `You are a deputy of ${pharmacy} now`,
        what: "When a device fails at night or on a holiday, you too may have a certificate of 24 hours for another machine.",
        by: "Named by",
        todo: "For that night, please enrol a second way to confirm who you are: an authenticator app or a passkey. It takes about three minutes.",
        button: "Open the page for it",
      },
      others: {
        subject: ({ pharmacy }) => `For your information: a deputy of ${pharmacy} was named`,
        title: ({ of }) => `${of} is a deputy now`,
        what: "When a device fails at night or on a holiday, this person too may have a certificate of 24 hours for another machine.",
        by: "Named by",
        todo: "If you know of it, there is nothing to do. If you do not, take it back at the pharmacy's page, and call support.",
        button: "Open the pharmacy's page",
      },
    },
    ended: {
      person: {
        subject: ({ pharmacy }) => `You are no deputy of ${pharmacy} any more`,
        title: ({ pharmacy }) => `You are no deputy of ${pharmacy} any more`,
        what: "From now on you cannot have an emergency certificate when a device fails.",
        by: "Taken back by",
        todo: "There is nothing to do. If you do not know why, please ask the pharmacy's manager.",
      },
      others: {
        subject: ({ pharmacy }) => `For your information: a deputy of ${pharmacy} was removed`,
        title: ({ of }) => `${of} is no deputy any more`,
        what: "This person cannot have an emergency certificate any more when a device fails.",
        by: "Taken back by",
        todo: "If you know of it, there is nothing to do. If you do not, please call support.",
        button: "Open the pharmacy's page",
      },
    },
  },
};
