/** How the columns of a file of invitations may be named, in the spelling that is compared: NFKC, lower case, no spaces. */
export const BATCH_COLUMN_NAMES = {
  account: ["account", "アカウント", "担当者"],
  pharmacy: ["pharmacy", "薬局"],
  device: ["device", "端末"],
  count: ["count", "台数"],
  reason: ["reason", "理由"],
  place: ["place", "いまの証明書"],
} as const;

/** What may stand in the column of the reason, in the same spelling. */
export const BATCH_REASON_NAMES = {
  first: ["first", "初回", "新規"],
  replacement: ["replacement", "入れ替え", "入替"],
  renewal: ["renewal", "更新"],
  support: ["support", "サポート"],
} as const;

/** What may stand in the column of the place: what becomes of the certificates that the device has. */
export const BATCH_PLACE_NAMES = {
  instead: ["instead", "入れ替える", "入れ替え", "入替"],
  further: ["further", "残す"],
} as const;
