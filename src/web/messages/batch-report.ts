/** The words of the table that tells people what became of many invitations. */
export interface BatchReportWords {
  readonly columns: Readonly<
    Record<
      | "line"
      | "pharmacy"
      | "device"
      | "account"
      | "email"
      | "state"
      | "mail"
      | "supportNumber"
      | "expiresAt"
      | "startedAt"
      | "identifiedAt"
      | "endedAt"
      | "serialNumber",
      string
    >
  >;
  readonly states: Readonly<
    Record<
      "invited" | "started" | "identified" | "issued" | "proven" | "expired" | "withdrawn",
      string
    >
  >;
  readonly mails: Readonly<
    Record<"none" | "waiting" | "accepted" | "returned" | "dropped", string>
  >;
}

export const BATCH_REPORT_WORDS: Readonly<Record<"ja" | "en", BatchReportWords>> = {
  ja: {
    columns: {
      line: "行",
      pharmacy: "薬局",
      device: "端末",
      account: "アカウント",
      email: "メールアドレス",
      state: "状態",
      mail: "メール",
      supportNumber: "お問い合わせ番号",
      expiresAt: "招待の期限",
      startedAt: "はじめた日時",
      identifiedAt: "本人を確認した日時",
      endedAt: "終わった日時",
      serialNumber: "証明書番号",
    },
    states: {
      invited: "招待中",
      started: "はじめました",
      identified: "本人を確認しました",
      issued: "証明書を作りました",
      proven: "使えると確かめました",
      expired: "期限が切れました",
      withdrawn: "取り消しました",
    },
    mails: {
      none: "アドレスなし",
      waiting: "送信待ち",
      accepted: "相手のサーバーが受け取りました",
      returned: "戻ってきました",
      dropped: "送りませんでした",
    },
  },
  en: {
    columns: {
      line: "Line",
      pharmacy: "Pharmacy",
      device: "Device",
      account: "Account",
      email: "E-mail address",
      state: "State",
      mail: "Mail",
      supportNumber: "Support number",
      expiresAt: "Invitation ends",
      startedAt: "Started",
      identifiedAt: "Person identified",
      endedAt: "Ended",
      serialNumber: "Serial number",
    },
    states: {
      invited: "invited",
      started: "started",
      identified: "person identified",
      issued: "certificate made",
      proven: "proven to work",
      expired: "over",
      withdrawn: "withdrawn",
    },
    mails: {
      none: "no address",
      waiting: "waiting",
      accepted: "accepted by the other server",
      returned: "came back",
      dropped: "not sent",
    },
  },
};
