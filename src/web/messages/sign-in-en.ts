/** Where somebody can stand with the site's own sign-in. */
export type SignInPage =
  | "start"
  | "in"
  | "cancelled"
  | "unavailable"
  | "again"
  | "unknown"
  | "ended";

/** All words of signing in. */
export interface SignInWords {
  readonly pages: Readonly<
    Record<SignInPage, { readonly title: string; readonly lead: string; readonly primary: string }>
  >;
  readonly manage: string;
  readonly goOn: string;
  /** Of whoever works for several corporations. */
  readonly others: { readonly title: string; readonly lead: string };
  readonly facts: { readonly name: string; readonly corporation: string };
}

/** The words in English. */
export const SIGN_IN_EN: SignInWords = {
  pages: {
    start: {
      title: "Please sign in",
      lead: "The sign-in page of your company opens. Afterwards you are back here.",
      primary: "Sign in",
    },
    in: {
      title: "You are signed in",
      lead: "On a computer that others use too, please sign out when you are done.",
      primary: "Sign out",
    },
    cancelled: {
      title: "The sign-in was cancelled",
      lead: "To go on, please sign in once more.",
      primary: "Sign in",
    },
    unavailable: {
      title: "Signing in does not work at the moment",
      lead: "The sign-in page cannot be reached. Please try again in a while. If it is urgent, please call.",
      primary: "Sign in again",
    },
    again: {
      title: "Please sign in once more",
      lead: "It took too long, or it was begun anew in another window.",
      primary: "Sign in again",
    },
    unknown: {
      title: "You are not registered here yet",
      lead: "The sign-in itself went well, but we do not know to which pharmacy you belong. Please call: once you are registered, you can go on.",
      primary: "Sign in as somebody else",
    },
    ended: {
      title: "This account cannot be used now",
      lead: "It was stopped, or belongs to no pharmacy any more. Please call.",
      primary: "Sign in as somebody else",
    },
  },
  manage: "See the devices of the pharmacy",
  goOn: "Go on",
  others: {
    title: "Another corporation",
    lead: "You work for others too. If you are here for one of them, press its name.",
  },
  facts: { name: "Name", corporation: "Corporation" },
};
