import type { AdviceWords, CallWords } from "../advice.ts";
import { CHECK_EN } from "./check-en.ts";
import { CHECK_JA } from "./check-ja.ts";

/**
 * Why a device is not to renew, or not by itself: it has a newer one, is late by days, by weeks, or was stopped.
 */
export type RenewRefusal = "replaced" | "late" | "tooLate" | "stopped";

/** The words of the page on which a device with a certificate renews it. */
export interface RenewWords {
  readonly title: string;
  readonly lead: string;
  readonly device: string;
  readonly until: string;
  readonly untilAfter: string;
  readonly button: string;
  readonly safe: string;
  readonly call: string;
  readonly supportUnnamed: string;
  readonly next: string;
  readonly callWords: CallWords;
  /** `{until}` is the last day on which a late renewal is possible. */
  readonly refusals: Readonly<Record<RenewRefusal, AdviceWords>>;
  /** Where the old one works still, a button puts another one here; where it does not, support does. */
  readonly again: { readonly text: string; readonly button: string; readonly call: string };
  readonly typeCode: string;
  /** Of the one to choose: its name, its end, its number. */
  readonly newer: { readonly name: string; readonly until: string; readonly number: string };
  /** Where the certificate is one of 24 hours. */
  readonly emergency: { readonly title: string; readonly lead: string; readonly until: string };
  readonly otherLanguage: { readonly name: string; readonly lang: string };
}

export const RENEW_WORDS: Readonly<Record<"ja" | "en", RenewWords>> = {
  ja: {
    title: "この端末の証明書を更新します",
    lead: "2分ほどで終わります。新しい証明書が使えると確かめるまで、今の証明書も使えます。",
    device: "端末",
    until: "今の期限",
    untilAfter: "まで",
    button: "更新する",
    safe: "患者さんがいらしたら、いつでも中断できます。薬歴や患者さんの情報が変わることはありません。",
    call: "お問い合わせ",
    supportUnnamed: "お使いのシステムのサポート窓口",
    next: CHECK_JA.next,
    callWords: CHECK_JA.call,
    refusals: {
      replaced: {
        state: "前の証明書",
        title: "新しい証明書が、もうこの端末にあります",
        lead: "いま選ばれているのは、前の証明書です。新しいものに替わりました。薬歴や患者さんの情報は、何も変わっていません。",
        action: "ブラウザーを閉じて、新しいほうを選び直してください",
        otherwise: {
          title: "前のものしか出てこないときは",
          text: "パソコンに別のユーザーで入っているか、別のブラウザーを使っているようです。",
        },
      },
      late: {
        state: "期限切れ",
        title: "期限が切れましたが、まだ更新できます",
        lead: "{until}までは、お電話でご本人を確かめると更新できます。薬歴や患者さんの情報は、何も変わっていません。",
        action: "サポート窓口に電話して、「期限切れの更新」とお伝えください",
        actionMore: "お電話のあいだに、この端末で更新できます。5分ほどで終わります。",
        otherwise: {
          title: "お知らせのメールにコードがあるときは",
          text: "そのコードでも、ご本人の確認のあとに更新できます。",
        },
      },
      tooLate: {
        state: "更新期間の終了",
        title: "この証明書は、もう更新できません",
        lead: "期限が切れてから、14日を過ぎています。薬歴や患者さんの情報は、何も変わっていません。",
        action: "サポート窓口に電話して、「更新期間の終了」とお伝えください",
        actionMore: "ご本人を確かめて、新しい証明書をお届けします。入れると、すぐにまた使えます。",
        otherwise: {
          title: "新しい証明書を入れたばかりのときは",
          text: "ブラウザーの画面をすべて閉じて、開き直してください。証明書を選ぶ画面が出たら、期限が先のほうを選びます。",
        },
      },
      stopped: {
        state: "停止中",
        title: "止められた証明書は、更新できません",
        lead: "端末の入れ替えや、紛失の届け出があったときに止めるものです。薬歴や患者さんの情報は、何も変わっていません。",
        action: "サポート窓口に電話して、「証明書が停止中」とお伝えください",
        actionMore: "止めた理由をお調べします。使ってよい端末なら、新しい証明書をお届けします。",
        otherwise: {
          title: "新しい証明書を入れたばかりのときは",
          text: "ブラウザーの画面をすべて閉じて、開き直してください。証明書を選ぶ画面が出たら、期限が先のほうを選びます。",
        },
      },
    },
    again: {
      text: "新しい証明書を、ここにも入れることができます。",
      button: "ここにも入れる",
      call: "サポート窓口にお電話ください。",
    },
    typeCode: "コードを入力する",
    newer: { name: "選ぶ証明書", until: CHECK_JA.facts.until, number: "番号" },
    emergency: {
      title: "これは臨時の証明書です",
      lead: "24時間で自動的に終わり、更新はできません。いつもの端末を直すか、新しい端末に証明書を入れてください。",
      until: "使える時刻",
    },
    otherLanguage: { name: "English", lang: "en" },
  },
  en: {
    title: "Renew the certificate of this device",
    lead: "It takes about two minutes. Until the new certificate has been seen to work, the one of now works too.",
    device: "Device",
    until: "Works until",
    untilAfter: "",
    button: "Renew",
    safe: "You can pause at any time, also for a patient. Records and patients' data are not touched.",
    call: "Whom to call",
    supportUnnamed: "the support of your own system",
    next: CHECK_EN.next,
    callWords: CHECK_EN.call,
    refusals: {
      replaced: {
        state: "Old certificate",
        title: "This device has a newer certificate already",
        lead: "Your browser has shown the old one. A newer one has taken its place. Nothing has happened to your records or your patients’ data.",
        action: "Close the browser, and choose the newer one",
        otherwise: {
          title: "If you see only the old one",
          text: "Perhaps you are another user of this PC, or in another browser.",
        },
      },
      late: {
        state: "Expired",
        title: "It has expired, and can still be renewed",
        lead: "Until {until} it can be renewed when support has made sure on the telephone who you are. Nothing has happened to your records or your patients’ data.",
        action: "Call support and say “renewal of an expired certificate”",
        actionMore: "You renew on this device during the call. It takes about five minutes.",
        otherwise: {
          title: "If a mail has given you a code",
          text: "You can renew with that code too, once it is known who you are.",
        },
      },
      tooLate: {
        state: "Too late to renew",
        title: "This certificate cannot be renewed any more",
        lead: "It expired more than 14 days ago. Nothing has happened to your records or your patients’ data.",
        action: "Call support and say “too late to renew”",
        actionMore:
          "They make sure who you are, and you get a new one. As soon as it is on this device, you can go on working.",
        otherwise: {
          title: "If you have just put a new certificate onto it",
          text: "Close every window of the browser and open it again. When you are asked for a certificate, take the one with the later date.",
        },
      },
      stopped: {
        state: "Stopped",
        title: "A certificate that was stopped cannot be renewed",
        lead: "This is done when a device is replaced or reported lost. Nothing has happened to your records or your patients’ data.",
        action: "Call support and say “the certificate has been stopped”",
        actionMore:
          "They look up why. If the device may still be used, you get a new certificate for it.",
        otherwise: {
          title: "If you have just put a new certificate onto it",
          text: "Close every window of the browser and open it again. When you are asked for a certificate, take the one with the later date.",
        },
      },
    },
    again: {
      text: "You can put one here too.",
      button: "Put one here too",
      call: "Please call support.",
    },
    typeCode: "Type the code",
    newer: { name: "Certificate to choose", until: CHECK_EN.facts.until, number: "Its number" },
    emergency: {
      title: "This certificate is an emergency's",
      lead: "It ends by itself after 24 hours and cannot be renewed. Mend the usual machine, or put a certificate on a new one.",
      until: "Works until",
    },
    otherLanguage: { name: "日本語", lang: "ja" },
  },
};
