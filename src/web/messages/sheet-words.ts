/** The words of the cards with which many invitations are handed out on paper. */
export interface SheetWords {
  readonly title: string;
  readonly unnamed: string;
  readonly address: string;
  readonly code: string;
  readonly until: string;
  readonly untilAfter: string;
  readonly support: string;
  readonly supportUnnamed: string;
  readonly picture: string;
  readonly steps: readonly [string, string, string];
  readonly safe: string;
  /** For whoever prints it; it is not printed. */
  readonly hint: string;
}

export const SHEET_WORDS: Readonly<Record<"ja" | "en", SheetWords>> = {
  ja: {
    title: "この端末に証明書を入れてください",
    unnamed: "名前はまだありません",
    address: "アドレス",
    code: "コード",
    until: "期限",
    untilAfter: "まで",
    support: "お問い合わせ",
    supportUnnamed: "お使いのシステムのサポート窓口",
    picture: "カメラで読み取ると、この端末のページが開きます",
    steps: [
      "証明書を入れる端末で、アドレスを開き、コードを入力します。",
      "カメラのある端末では、右のQRコードを読み取り、「はじめる」を押します。コードはいりません。",
      "画面の案内のとおりに進みます。3分ほどで終わります。",
    ],
    safe: "このカードだけで証明書が入ることはありません。続いて、ご本人の確認があります。",
    hint: "A4の紙に、実際のサイズで印刷してください。点線で切ると、1台に1枚のカードになります。前に印刷したカードのコードは、もう使えません。",
  },
  en: {
    title: "Please install a certificate on this device",
    unnamed: "it has no name yet",
    address: "Address",
    code: "Code",
    until: "Until",
    untilAfter: "",
    support: "Whom to call",
    supportUnnamed: "the support of your own system",
    picture: "A camera that reads it opens the page for this device",
    steps: [
      "Open the address on the device that is to get the certificate, and type the code.",
      "Where it has a camera, read the QR code on the right instead, and press “Begin”.",
      "Do as the page says. It takes about three minutes.",
    ],
    safe: "This card alone installs nothing: you are asked next who you are.",
    hint: "Print it on A4 at its actual size, and cut along the dashes: a card for each device. Codes on cards that were printed before are void now.",
  },
};
