import type { GuideDialogs } from "../messages/guide-dialogs-en.ts";
import type { GuideMessages, GuideStepWords } from "../messages/guide-words.ts";
import type { Panel } from "./frames.ts";

/** Whose dialogs are drawn. */
export type GuideBrowser = "chrome" | "edge" | "safari" | "firefox" | "other";

/** What the drawings of a guide are made from. */
export interface SceneFacts {
  readonly words: GuideMessages;
  readonly dialogs: GuideDialogs;
  readonly fileName: string;
  /** As the browser's picker will show it. */
  readonly certificateName: string;
  /** Of another one beside it, which is not to be chosen any more. */
  readonly olderName?: string;
  readonly browser: GuideBrowser;
}

/** One step before it is drawn. */
export interface Scene {
  readonly id: string;
  readonly words: GuideStepWords;
  /** The dialogs in their order: from the top of a column, then in the next column. */
  readonly columns: readonly (readonly Panel[])[];
  /** Clicks or taps in the platform's own dialogs. */
  readonly actions: number;
  readonly needsPassword?: true;
}
