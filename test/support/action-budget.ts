import type { GuideKind } from "../../src/web/guide/guide.ts";
import type { GuideBrowser } from "../../src/web/guide/scene.ts";

/**
 * What a person does from the first page to the check, with a code that they type and a call that says who they are. Actions are
 * what the walks have really pressed and typed on our pages (`recorder.ts`), and what the guide asks for in the dialogs of the
 * system: each of its numbered sentences but those that only tell to look. A field and what goes into it are one, a menu and its
 * item too; scrolling is none.
 */
export interface Budget {
  readonly name: string;
  readonly kind: GuideKind;
  readonly browser: GuideBrowser;
  readonly platform: "windows" | "ipados" | "macos" | "android";
  readonly userAgent: string;
  /** No more than that is asked of anybody. */
  readonly most: number;
  /** What it is now: the documents name it. */
  readonly needs: number;
}

const MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit";

export const BUDGETS: readonly Budget[] = [
  {
    name: "Windows, a file",
    kind: "windows",
    browser: "chrome",
    platform: "windows",
    userAgent:
      "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    most: 14,
    needs: 12,
  },
  {
    name: "iPad, a profile",
    kind: "apple-profile",
    browser: "safari",
    platform: "ipados",
    userAgent: `${MAC}/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15`,
    most: 12,
    needs: 11,
  },
  {
    name: "Mac, a profile, with Chrome",
    kind: "macos-profile",
    browser: "chrome",
    platform: "macos",
    userAgent: `${MAC}/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36`,
    most: 10,
    needs: 10,
  },
  {
    // One more than is wished for: it asks whether the site may save anything, and no page can answer that.
    name: "Mac, a profile, with Safari",
    kind: "macos-profile",
    browser: "safari",
    platform: "macos",
    userAgent: `${MAC}/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15`,
    most: 11,
    needs: 11,
  },
  {
    name: "Android, a file",
    kind: "android",
    browser: "chrome",
    platform: "android",
    userAgent:
      "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
    most: 10,
    needs: 10,
  },
];

/** On our pages, from the page of renewal to the check. */
export const RENEWAL = { most: 3, needs: 2 } as const;
