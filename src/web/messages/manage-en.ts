/** What is told after a button was pressed. */
export const MANAGE_NEWS = [
  "confirmed",
  "own",
  "own-screen",
  "changed",
  "over",
  "ended",
  "held",
  "nothing",
  "released",
  "not-manager",
  "deputy-named",
  "deputy-ended",
  "deputy-own",
  "deputy-same",
  "later",
] as const;
export type ManageNews = (typeof MANAGE_NEWS)[number];

/** All words of the screen for a pharmacy's devices. */
export interface ManageWords {
  readonly title: string;
  readonly choose: { readonly title: string; readonly lead: string };
  readonly none: { readonly title: string; readonly lead: string };
  readonly waitingCount: (count: number) => string;
  readonly news: Readonly<Record<ManageNews, string>>;
  readonly people: {
    readonly title: string;
    readonly lead: string;
    readonly nobody: string;
    readonly number: string;
    readonly person: string;
    readonly device: string;
    readonly since: string;
    readonly confirm: string;
    readonly own: string;
    readonly refresh: string;
  };
  readonly devices: {
    readonly title: string;
    readonly none: string;
    readonly count: (count: number, held: number) => string;
    readonly states: Readonly<Record<"good" | "held" | "missing", string>>;
    readonly until: { readonly before: string; readonly after: string };
    readonly missing: string;
    readonly places: (count: number) => string;
    readonly heldBy: (name: string) => string;
    readonly platforms: Readonly<
      Record<
        "windows" | "macos" | "ios" | "ipados" | "android" | "chromeos" | "linux" | "other",
        string
      >
    >;
  };
  readonly hold: {
    readonly open: string;
    readonly lead: string;
    readonly why: string;
    readonly reasons: Readonly<Record<"lost" | "suspicious" | "other", string>>;
    readonly button: string;
  };
  readonly release: {
    readonly button: string;
    readonly askManager: string;
  };
  /** The second factor, for an emergency. */
  readonly night: { readonly title: string; readonly lead: string; readonly button: string };
  readonly deputies: {
    readonly title: string;
    readonly lead: string;
    readonly now: string;
    readonly nobody: string;
    readonly open: string;
    readonly alone: string;
    readonly roles: Readonly<Record<"manager" | "headOffice" | "pharmacist", string>>;
    readonly own: string;
    readonly mayAnyway: string;
    readonly prepared: Readonly<Record<"yes" | "no", string>>;
    readonly name: string;
    readonly end: string;
  };
  readonly signedIn: string;
  readonly signOut: string;
  readonly others: string;
}

/** The words in English. */
export const MANAGE_EN: ManageWords = {
  title: "Devices of the pharmacy",
  choose: { title: "Which pharmacy?", lead: "Choose the pharmacy whose devices you want to see." },
  none: {
    title: "There is no pharmacy here",
    lead: "No pharmacy is registered as yours yet. Please call: then its devices stand here.",
  },
  waitingCount: (count) => `${count} waiting`,
  news: {
    confirmed: "Done. Your colleague's page goes on by itself.",
    own: "Nobody can say of themselves who they are. Please ask another manager, or call.",
    "own-screen":
      "This is the very screen that waits. Please confirm it on another device of your own.",
    changed:
      "The number on your colleague's page is another one now. Compare it once more, please.",
    over: "Nobody waits there any more.",
    ended: "This person does not belong to the pharmacy any more. Please call.",
    held: "The device is stopped. The manager can let it go on here.",
    nothing: "There was nothing to change on this device.",
    released: "The device can be used again.",
    "not-manager": "Only the manager can let it go on. Please ask them, or call.",
    "deputy-named": "Done. We have told your deputy by mail what to prepare.",
    "deputy-ended": "Done. This person is no deputy any more.",
    "deputy-own": "A deputy is somebody else than you.",
    "deputy-same": "There was nothing to change for this person.",
    later: "It is not possible at the moment. Please try again in a while, or call.",
  },
  people: {
    title: "Waiting for you to confirm",
    lead: "Speak with the person, and compare the number with the one on their screen.",
    nobody: "Nobody waits at the moment.",
    number: "Support number",
    person: "Name",
    device: "Device",
    since: "Since",
    confirm: "I have checked who it is",
    own: "This is you. Somebody else has to confirm it.",
    refresh: "Look again",
  },
  devices: {
    title: "Devices",
    none: "No device is registered yet.",
    count: (count, held) => {
      const devices = count === 1 ? "1 device" : `${count} devices`;
      return held === 0 ? devices : `${devices}, ${held} stopped`;
    },
    states: { good: "In order", held: "Stopped", missing: "No certificate" },
    until: { before: "until ", after: "" },
    missing: "Please call to have one: an invitation for this device is sent to you.",
    places: (count) => `In ${count} places (users or browsers)`,
    heldBy: (name) => `Stopped by ${name}`,
    platforms: {
      windows: "Windows",
      macos: "Mac",
      ios: "iPhone",
      ipados: "iPad",
      android: "Android",
      chromeos: "Chromebook",
      linux: "Linux",
      other: "Other device",
    },
  },
  hold: {
    open: "Stop this device",
    lead: "From then on it cannot get into your systems. The manager can let it go on.",
    why: "Why?",
    reasons: {
      lost: "It was lost or stolen",
      suspicious: "It behaves strangely",
      other: "Another reason",
    },
    button: "Stop it now",
  },
  release: {
    button: "Let it go on",
    askManager: "The manager can let it go on here.",
  },
  night: {
    title: "For the night on which a device fails",
    lead: "With a second way to show who you are, you can have another device stand in for 24 hours, without support. Prepare it by day.",
    button: "Prepare an app or a passkey",
  },
  deputies: {
    title: "Deputies",
    lead: "When a device fails at night or on a holiday, a deputy may do what you may: have a certificate of 24 hours for another machine.",
    now: "Deputies now",
    nobody: "Nobody yet",
    open: "Choose a deputy",
    alone: "Nobody else works here.",
    roles: { manager: "Manager", headOffice: "Head office", pharmacist: "Pharmacist" },
    own: "This is you.",
    mayAnyway: "May do so as a manager.",
    prepared: {
      yes: "Ready for it: app or passkey enrolled",
      no: "Not ready yet: no app or passkey enrolled",
    },
    name: "Make a deputy",
    end: "No deputy any more",
  },
  signedIn: "Signed in as",
  signOut: "Sign out",
  others: "Other pharmacies",
};
