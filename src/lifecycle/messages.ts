import { EN, type LifecycleMessages } from "./messages/en.ts";
import { JA } from "./messages/ja.ts";

export type { OperatorTopic, OperatorWords } from "./messages/en.ts";

/** The words of this room's mails in each language. */
export const LIFECYCLE_MESSAGES: Readonly<Record<"ja" | "en", LifecycleMessages>> = {
  ja: JA,
  en: EN,
};
