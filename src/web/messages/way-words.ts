import type { Language } from "../language.ts";
import type { NameProblem } from "../way/naming-page.ts";
import type { NamedPlatform, OfferedName } from "../way/offered-names.ts";
import type { WayPage } from "../way/states.ts";

interface PageWords {
  readonly title: string;
  readonly lead: string;
  /** The one thing to do. */
  readonly primary: string;
}

/** All words of the pages on which a person puts a certificate onto a device. */
export interface WayMessages {
  readonly otherLanguage: { readonly name: string; readonly lang: Language };
  readonly skip: string;
  readonly pages: Readonly<Record<WayPage, PageWords>>;
  readonly reassurance: { readonly title: string; readonly text: string };
  readonly code: { readonly label: string; readonly hint: string; readonly wrong: string };
  readonly facts: { readonly pharmacy: string; readonly device: string; readonly until: string };
  readonly until: { readonly before: string; readonly after: string };
  readonly otherDevice: (device: string) => { readonly title: string; readonly text: string };
  readonly supportNumber: string;
  readonly supportNumberMore: string;
  readonly support: string;
  readonly supportUnnamed: string;
  readonly equipment: string;
  /** Where the site has a sign-in of its own: heads the page on which people say who they are. */
  readonly signIn: {
    readonly title: string;
    readonly lead: string;
    readonly button: string;
    readonly others: string;
    readonly unchanged: string;
    readonly problems: Readonly<Record<"cancelled" | "unavailable" | "again" | "unknown", string>>;
  };
  readonly mailedCode: {
    readonly head: { readonly title: string; readonly lead: string };
    readonly title: string;
    readonly ask: (address: string) => string;
    readonly sent: (address: string) => string;
    readonly label: string;
    readonly hint: string;
    readonly wrong: string;
    readonly enter: string;
    readonly again: string;
  };
  /** Giving a machine its name. */
  readonly naming: {
    readonly offered: string;
    /** Each is the one of this number; of the first it may stand without. */
    readonly offers: Readonly<Record<OfferedName, (number: number) => string>>;
    readonly own: string;
    readonly hint: string;
    readonly platform: string;
    readonly platforms: Readonly<Record<NamedPlatform, string>>;
    readonly problems: Readonly<Record<NameProblem, (name: string) => string>>;
    /** Of the device whose place this one takes. */
    readonly installedBy: string;
    readonly noCertificate: string;
    readonly otherName: string;
  };
  /** One more machine. */
  readonly another: Readonly<Record<"ask" | "picture" | "address" | "code" | "until", string>>;
  readonly sentTo: string;
  readonly waiting: string;
  readonly step: (at: number, of: number, minutes: number) => string;
  readonly earlier: string;
  readonly many: string;
  readonly making: string;
  readonly refused: string;
  readonly unreached: string;
  /** That the file was saved, and the link for whom nothing was. */
  readonly saved: string;
  readonly save: string;
  /** From one step down to the next, when what it names is to be seen. */
  readonly arrived: (done: string) => string;
  readonly fileName: string;
  readonly password: string;
  readonly copy: string;
  readonly copied: string;
  readonly trouble: { readonly title: string; readonly other: string; readonly otherStyle: string };
  readonly check: { readonly button: string; readonly waiting: string };
  readonly noScript: string;
  /** On iPhone and iPad, instead of the file; and from either to the other. */
  readonly profile: {
    readonly title: string;
    readonly lead: string;
    readonly primary: string;
    readonly toFile: string;
    readonly fromFile: string;
  };
  readonly serverKey: { readonly title: string; readonly lead: string; readonly save: string };
  readonly warnings: Readonly<
    Record<
      "clock" | "unreachable" | "isPrivate" | "inApp" | "needsSafari" | "unsupported",
      { readonly title: string; readonly text: string }
    >
  >;
  readonly sheet: { readonly title: string; readonly serial: string; readonly delete: string };
  readonly open: (product: string) => string;
  readonly notYetUsed: { readonly title: string; readonly text: string };
}
