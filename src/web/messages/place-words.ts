import type { Language } from "../language.ts";

/** The words of the question what becomes of the certificates that a device has. */
interface PlaceWords {
  /** What each of the two means, above its button. */
  readonly instead: string;
  readonly furtherMore: string;
  readonly further: string;
  /** The device has as many as it may have. */
  readonly full: string;
}

export const PLACE_WORDS: Readonly<Record<Language, PlaceWords>> = {
  ja: {
    instead:
      "新しい端末に替えたときや、証明書がなくなったとき。前の証明書は、数日のうちにすべて使えなくなります。",
    furtherMore:
      "同じ1台の、別のユーザーや別のブラウザーで使うとき。いまの証明書も、そのまま使えます。",
    further: "別のユーザーやブラウザーにも入れる",
    full: "この端末には、これ以上入れられません。別のユーザーやブラウザーにも入れたいときは、お電話ください。",
  },
  en: {
    instead:
      "If this is a new machine, or the certificate is gone. All certificates of before stop working within a few days.",
    furtherMore:
      "If this is the same machine, used by another user or in another browser. What works there goes on working.",
    further: "Add another user or browser",
    full: "This device has as many certificates as it may have. For another user or browser of it, please call.",
  },
};
