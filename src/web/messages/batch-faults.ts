/** What is wrong with a cell or a line of a file, and what would be right. */
export interface BatchFaultText {
  readonly detail: (about: string) => string;
  readonly expected: string;
}

/** Every fault of a file of invitations, in English. */
const EN = {
  "utf-16": {
    detail: () => "the file is UTF-16",
    expected: "save it as CSV UTF-8, or as the plain CSV of a Japanese Excel (Shift_JIS)",
  },
  "no-lines": {
    detail: () => "there is no line below the names of the columns",
    expected: "one line an invitation",
  },
  "unknown-column": {
    detail: (name) => `no column is named ${name}`,
    expected:
      "account, pharmacy, device, count, reason, place; or アカウント, 薬局, 端末, 台数, 理由, いまの証明書",
  },
  "missing-column": {
    detail: (name) => `the column ${name} is missing`,
    expected: "the first line names the columns: account, and pharmacy or device, at least",
  },
  "double-column": {
    detail: (name) => `the column ${name} stands there twice`,
    expected: "each column once",
  },
  "quote-inside": {
    detail: () => "a quotation mark stands within a cell",
    expected: "put the cell in quotation marks, and write each one inside it twice",
  },
  "after-quote": {
    detail: () => "text follows the quotation mark that ends a cell",
    expected: "a comma or the end of the line behind it",
  },
  "open-quote": {
    detail: () => "a quotation mark is opened and not closed; what follows was not read",
    expected: "a quotation mark at the end of the cell",
  },
  "too-long": { detail: () => "the line is too long", expected: "at most 4,096 octets" },
  characters: {
    detail: () => "the line has octets that are no text",
    expected: "the whole file in UTF-8, or the whole file in Shift_JIS",
  },
  "more-cells": {
    detail: (count) => `the line has ${count} cells, more than there are columns`,
    expected: "a cell a column; a cell with a comma in it stands in quotation marks",
  },
  control: {
    detail: () => "the cell holds a line break, a tab or another control character",
    expected: "text on one line",
  },
  missing: { detail: () => "the cell is empty", expected: "a value" },
  "bad-count": {
    detail: (text) => `${text} is no number of devices`,
    expected: "a number from 1 to 50; with a device of one's own it stays empty, or 1",
  },
  "bad-reason": {
    detail: (text) => `${text} is no reason`,
    expected: "first, replacement, renewal, support, or an empty cell for first",
  },
  "bad-place": {
    detail: (text) => `${text} does not say what becomes of the device's certificates`,
    expected: "instead, further, or an empty cell: then the person is asked",
  },
  "place-without-device": {
    detail: () => "the line names no device whose certificates it could be about",
    expected: "an empty cell, or a device",
  },
  "place-of-renewal": {
    detail: () => "a renewal is of the place that it renews",
    expected: "an empty cell, or another reason",
  },
  "renewal-revoked": {
    detail: () => "the device's certificate is revoked: that is no renewal",
    expected: "another reason, once somebody has looked into it",
  },
  "renewal-on-hold": {
    detail: () => "the device's certificate is on hold: that is no renewal",
    expected: "the hold ended first, or another reason",
  },
  "renewal-too-late": {
    detail: () => "the device's certificate expired more than 14 days ago: that is no renewal",
    expected: "another reason",
  },
  "no-room": {
    detail: (most) =>
      `the device has a certificate in ${most} places already, and may have no more`,
    expected: "instead, or an empty cell: then the person is asked",
  },
  "account-form": {
    detail: () => "this names no account",
    expected: "an account's id, its e-mail address, or an external id as system:value",
  },
  "account-unknown": {
    detail: () => "there is no such account",
    expected: "an account of this corporation",
  },
  "account-ambiguous": {
    detail: (count) => `${count} accounts have this address`,
    expected: "the account's id",
  },
  "account-disabled": {
    detail: () => "the account is disabled",
    expected: "somebody who works there",
  },
  "pharmacy-unknown": {
    detail: () => "there is no such pharmacy",
    expected:
      "the id or the code of a pharmacy of this corporation, zeros at its beginning included",
  },
  "device-unknown": {
    detail: () => "there is no such device",
    expected: "the id or the whole name of a device of this pharmacy",
  },
  "device-needs-pharmacy": {
    detail: () => "devices of several pharmacies may have this name",
    expected: "the pharmacy beside the device's name, or the device's id",
  },
  "device-retired": { detail: () => "the device is retired", expected: "a device that is in use" },
  "device-elsewhere": {
    detail: () => "the device is another pharmacy's",
    expected: "the device's own pharmacy, or an empty cell there",
  },
  "device-twice": {
    detail: (line) => `line ${line} names the same device`,
    expected: "one line a device",
  },
  "not-a-member": {
    detail: () => "the account is no active member of the pharmacy",
    expected: "somebody who works at the device's pharmacy",
  },
  "too-many": {
    detail: (most) => `up to here the file asks for more than ${most} invitations`,
    expected: "several smaller files",
  },
} as const satisfies Readonly<Record<string, BatchFaultText>>;

/** What can be wrong with a file of invitations. */
export type BatchFaultName = keyof typeof EN;

const JA: Readonly<Record<BatchFaultName, BatchFaultText>> = {
  "utf-16": {
    detail: () => "ファイルの文字コードがUTF-16です。",
    expected:
      "「CSV UTF-8（コンマ区切り）」か「CSV（コンマ区切り）」を選んで、保存し直してください。",
  },
  "no-lines": {
    detail: () => "列名の下に、行がありません。",
    expected: "招待1件を、1行に書いてください。",
  },
  "unknown-column": {
    detail: (name) => `「${name}」という列はありません。`,
    expected: "使える列は、アカウント、薬局、端末、台数、理由、いまの証明書です。",
  },
  "missing-column": {
    detail: (name) => `「${name}」の列がありません。`,
    expected: "1行目に列名を書いてください。アカウントと、薬局か端末が必要です。",
  },
  "double-column": {
    detail: (name) => `「${name}」の列が2つあります。`,
    expected: "同じ列は1つにしてください。",
  },
  "quote-inside": {
    detail: () => 'セルの途中に、引用符（"）があります。',
    expected: "セル全体を引用符で囲み、中の引用符は2つ続けて書いてください。",
  },
  "after-quote": {
    detail: () => '閉じる引用符（"）のあとに、文字があります。',
    expected: "閉じる引用符のあとは、コンマか行の終わりにしてください。",
  },
  "open-quote": {
    detail: () => '引用符（"）が閉じていません。この先は読めませんでした。',
    expected: "セルの終わりに、引用符を書いてください。",
  },
  "too-long": {
    detail: () => "行が長すぎます。",
    expected: "1行は4,096バイトまでです。",
  },
  characters: {
    detail: () => "文字として読めない部分があります。",
    expected: "ファイル全体を、UTF-8かShift_JISのどちらかで保存してください。",
  },
  "more-cells": {
    detail: (count) => `セルが${count}個あります。列の数より多くなっています。`,
    expected: '列の数に合わせてください。コンマを含むセルは、引用符（"）で囲みます。',
  },
  control: {
    detail: () => "セルに、改行やタブなどの制御文字があります。",
    expected: "1行の文字だけにしてください。",
  },
  missing: { detail: () => "空欄です。", expected: "値を入れてください。" },
  "bad-count": {
    detail: (text) => `「${text}」は台数として読めません。`,
    expected: "1から50までの数字にしてください。端末を書いた行では、空欄か1にします。",
  },
  "bad-reason": {
    detail: (text) => `「${text}」は理由として使えません。`,
    expected: "初回、入れ替え、更新、サポートのどれかにしてください。空欄は初回です。",
  },
  "bad-place": {
    detail: (text) => `「${text}」では、いまの証明書をどうするかわかりません。`,
    expected: "入れ替えるか、残すにしてください。空欄なら、本人が画面で選びます。",
  },
  "place-without-device": {
    detail: () => "端末を書いていない行です。",
    expected: "空欄にするか、端末を書いてください。",
  },
  "place-of-renewal": {
    detail: () => "更新では、いまの証明書の次のものを作ります。",
    expected: "空欄にするか、理由を更新ではないものにしてください。",
  },
  "renewal-revoked": {
    detail: () => "端末の証明書は失効しています。更新はできません。",
    expected: "事情を確かめてから、理由を更新ではないものにしてください。",
  },
  "renewal-on-hold": {
    detail: () => "端末の証明書は止まっています。更新はできません。",
    expected: "先に止めたのを解除するか、理由を更新ではないものにしてください。",
  },
  "renewal-too-late": {
    detail: () => "端末の証明書は、14日より前に期限が切れています。更新はできません。",
    expected: "理由を更新ではないものにしてください。",
  },
  "no-room": {
    detail: (most) => `この端末には、もう${most}か所に証明書が入っています。`,
    expected: "入れ替えるにしてください。空欄なら、本人が画面で選びます。",
  },
  "account-form": {
    detail: () => "アカウントとして読めません。",
    expected: "アカウントのID、メールアドレス、「システム:値」の形の外部IDのどれかにしてください。",
  },
  "account-unknown": {
    detail: () => "このアカウントはありません。",
    expected: "この法人のアカウントにしてください。",
  },
  "account-ambiguous": {
    detail: (count) => `このアドレスのアカウントが${count}個あります。`,
    expected: "アカウントのIDを書いてください。",
  },
  "account-disabled": {
    detail: () => "このアカウントは無効になっています。",
    expected: "いま働いている人のアカウントにしてください。",
  },
  "pharmacy-unknown": {
    detail: () => "この薬局はありません。",
    expected: "この法人の薬局のIDかコードにしてください。先頭の0が消えていないか、見てください。",
  },
  "device-unknown": {
    detail: () => "この端末はありません。",
    expected: "この薬局の端末のIDか、端末名の全体にしてください。",
  },
  "device-needs-pharmacy": {
    detail: () => "端末名だけでは、どの薬局の端末かわかりません。",
    expected: "同じ行に薬局を書くか、端末のIDを書いてください。",
  },
  "device-retired": {
    detail: () => "この端末は、使用を終えています。",
    expected: "いま使っている端末にしてください。",
  },
  "device-elsewhere": {
    detail: () => "この端末は、別の薬局のものです。",
    expected: "端末の薬局に合わせるか、薬局を空欄にしてください。",
  },
  "device-twice": {
    detail: (line) => `${line}行目と同じ端末です。`,
    expected: "端末1台を、1行にしてください。",
  },
  "not-a-member": {
    detail: () => "このアカウントは、この薬局に所属していません。",
    expected: "端末の薬局に所属している人にしてください。",
  },
  "too-many": {
    detail: (most) => `ここまでで、招待が${most}件を超えます。`,
    expected: "いくつかのファイルに分けてください。",
  },
};

/** The sentences about faults of a file, by their names. */
export const BATCH_FAULTS: Readonly<
  Record<"ja" | "en", Readonly<Record<BatchFaultName, BatchFaultText>>>
> = { en: EN, ja: JA };
