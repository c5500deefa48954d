import type { SignInWords } from "./sign-in-en.ts";

/** The words in Japanese. */
export const SIGN_IN_JA: SignInWords = {
  pages: {
    start: {
      title: "サインインしてください",
      lead: "お勤め先のサインイン画面が開きます。終わると、ここに戻ります。",
      primary: "サインインする",
    },
    in: {
      title: "サインイン済みです",
      lead: "ほかの人も使う端末では、終わったらサインアウトしてください。",
      primary: "サインアウトする",
    },
    cancelled: {
      title: "サインインを取りやめました",
      lead: "続けるときは、もう一度サインインしてください。",
      primary: "サインインする",
    },
    unavailable: {
      title: "いまはサインインできません",
      lead: "サインインの画面につながりません。しばらくしてから、もう一度お試しください。お急ぎのときは、お電話ください。",
      primary: "もう一度サインインする",
    },
    again: {
      title: "もう一度サインインしてください",
      lead: "時間がたったか、別の画面で始め直されたようです。",
      primary: "もう一度サインインする",
    },
    unknown: {
      title: "まだ登録されていません",
      lead: "サインインはできました。ただ、どの薬局の方かが登録されていません。お電話ください。登録が終わると、使えるようになります。",
      primary: "別のアカウントでサインインする",
    },
    ended: {
      title: "このアカウントは、いま使えません",
      lead: "アカウントが止められているか、所属している薬局がありません。お電話ください。",
      primary: "別のアカウントでサインインする",
    },
  },
  manage: "薬局の端末を見る",
  goOn: "続ける",
  others: {
    title: "ほかの法人",
    lead: "ほかの法人にも所属しています。そちらのご用のときは、名前を押してください。",
  },
  facts: { name: "お名前", corporation: "法人" },
};
