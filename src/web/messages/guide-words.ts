import type { GuideDialogs } from "./guide-dialogs-en.ts";

/** What was seen instead, and what helps then. With `otherStyle` the page offers the file in its other form. */
export interface GuideTrouble {
  readonly seen: string;
  readonly remedy: string;
  readonly otherStyle?: true;
}

/** The words of one step. `{file}` is the saved file's name, `{certificate}` the certificate's in the browser's picker. */
export interface GuideStepWords {
  readonly title: string;
  readonly intro?: string;
  /** What the picture shows, for those who do not see it. */
  readonly alt: string;
  /** As many as there are numbers in the picture. */
  readonly dos: readonly string[];
  /** The button: what the person saw when it worked. */
  readonly done: string;
  readonly troubles: readonly GuideTrouble[];
}

type Steps<Names extends string> = Readonly<Record<Names, GuideStepWords>>;

/** The words of the guides in one language. */
export interface GuideMessages {
  readonly dialogs: GuideDialogs;
  readonly windows: Steps<"open" | "store" | "password" | "finish">;
  readonly macProfile: Steps<"open" | "settings" | "install">;
  readonly macFile: Steps<"open" | "add" | "password">;
  /** What Safari on a Mac asks before it saves anything. */
  readonly macDownload: Pick<GuideStepWords, "alt"> & { readonly todo: string };
  readonly apple: Steps<"allow" | "file" | "settings" | "install" | "installFile" | "password">;
  readonly android: Steps<"open" | "password" | "kind" | "name">;
  readonly firefox: Steps<"settings" | "import" | "file" | "password">;
  readonly plain: Steps<"settings" | "file" | "password">;
  readonly pick: Steps<
    "chromium" | "safari" | "safariFile" | "firefox" | "apple" | "android" | "plain"
  >;
  readonly close: {
    readonly alt: string;
    readonly dos: Readonly<
      Record<"chrome" | "edge" | "safari" | "firefox" | "other", readonly string[]>
    >;
  };
}
