import type { AdviceWords, CallWords } from "../advice.ts";

/** What a check comes to. */
export type CheckOutcome =
  | "proven"
  | "none"
  | "other-device"
  | "other-place"
  | "older"
  | "newer"
  | "revoked"
  | "expired"
  | "unknown"
  | "ended";

/** The words of the pages of a check in one language. */
export interface CheckMessages {
  readonly otherLanguage: { readonly name: string; readonly lang: "ja" | "en" };
  readonly next: string;
  readonly call: CallWords;
  readonly facts: Readonly<Record<"device" | "until" | "provenAt" | "newerNumber", string>>;
  readonly until: { readonly before: string; readonly after: string };
  /** `{certificate}` is its name as it stands in the browser's picker. */
  readonly outcomes: Readonly<Record<CheckOutcome, AdviceWords>>;
}

const SAFE = "Nothing has happened to your records or your patients’ data.";

const AGAIN = "Go back to the page before, and press “Check” again";

/** How to show another certificate. A browser remembers its choice for this page, so the way is by a new one. */
const STEPS = [
  "Close this page and go back to the one before.",
  "Press “Check” again.",
  `When you are asked for a certificate, take “{certificate}” and press OK.`,
];

/** The words of the pages of a check in English. */
export const CHECK_EN: CheckMessages = {
  otherLanguage: { name: "日本語", lang: "ja" },
  next: "What to do now",
  call: {
    title: "Who can help",
    support: "The support of the system that you use",
    tell: "Please tell them",
    pharmacy: "the name of the pharmacy",
    device: "the name of this device, such as “Counter 1”",
    seen: (state) => `what stands above: “${state}”`,
    serial: "the number of the certificate",
  },
  facts: {
    device: "Device",
    until: "Works until",
    provenAt: "Checked",
    newerNumber: "Number of the new certificate",
  },
  until: { before: "", after: "" },
  outcomes: {
    proven: {
      state: "Checked",
      title: "The certificate works on this device",
      lead: `You can use your system from here. ${SAFE}`,
      action: "Close this page, and open your system",
      actionMore: `When you are asked for a certificate, take “{certificate}”. You can now delete the file that you downloaded.`,
      otherwise: {
        title: "If your system does not let you in",
        text: "Close every window of the browser and open it again. A browser remembers that there was no certificate before.",
      },
    },
    none: {
      state: "No certificate",
      title: "No certificate was chosen",
      lead: `Either Cancel was pressed, or the certificate is not on this device yet. ${SAFE}`,
      action: AGAIN,
      steps: STEPS,
      otherwise: {
        title: "If you are not asked",
        text: "Perhaps the certificate is not on this device, or for another user of this PC. Follow the steps for installing it once more, or call support.",
      },
    },
    "other-device": {
      state: "Another device’s",
      title: "Another device’s certificate was chosen",
      lead: `The certificate that was chosen belongs to another device. ${SAFE}`,
      action: AGAIN,
      steps: STEPS,
      otherwise: {
        title: `If there is no “{certificate}” to choose`,
        text: "It is not on this device yet, or for another user of this PC. Follow the steps for installing it once more, or call support.",
      },
    },
    "other-place": {
      state: "Another user’s or browser’s",
      title: "This device’s other certificate was chosen",
      lead: `It was put there for another user or browser of this device, and it works here. ${SAFE}`,
      action: "Close this page, and open your system",
      actionMore:
        "Your system lets this browser in with the certificate that it has. There is nothing to put on here.",
      otherwise: {
        title: "If you need the new one here",
        text: "Go back to the page before, press “Check” again, and take the other certificate in the list, also called “{certificate}”. If there is only one, the new one is not here yet: follow the steps for installing it, or call support.",
      },
    },
    older: {
      state: "Old certificate",
      title: "This device’s old certificate was chosen",
      lead: `This device has had it before the new one. ${SAFE}`,
      action: AGAIN,
      steps: STEPS,
      otherwise: {
        title: "If you see only the old one",
        text: "The new one is not on this device yet. Follow the steps for installing it once more, or call support.",
      },
    },
    newer: {
      state: "Newer certificate",
      title: "This device has a newer certificate",
      lead: `A newer certificate than the one that was to be checked was chosen, and it is good. ${SAFE}`,
      action: "Close this page, and open your system",
      actionMore: "The newer certificate is the one to use. There is no need for the other.",
      otherwise: {
        title: "If your system does not let you in",
        text: "Close every window of the browser and open it again. When you are asked for a certificate, take the one with the later date.",
      },
    },
    revoked: {
      state: "Stopped",
      title: "This device’s certificate has been stopped",
      lead: `This is done when a device is replaced or reported lost. ${SAFE}`,
      action: "Call support and say “the certificate has been stopped”",
      actionMore:
        "They look up why. If the device may still be used, you get a new certificate for it.",
      otherwise: {
        title: "If you have just put a new certificate onto it",
        text: `Go back to the page before and press “Check” again. When you are asked for a certificate, take the one with the later date.`,
      },
    },
    expired: {
      state: "Expired",
      title: "This device’s certificate has expired",
      lead: `It can no longer be used. ${SAFE}`,
      action: "Call support and say “the certificate has expired”",
      actionMore: "You get a new one. As soon as it is on this device, you can go on working.",
      otherwise: {
        title: "If you have just put a new certificate onto it",
        text: `Go back to the page before and press “Check” again. When you are asked for a certificate, take the one with the later date.`,
      },
    },
    unknown: {
      state: "Another certificate",
      title: "A certificate for something else was chosen",
      lead: `It is not one of this system’s. ${SAFE}`,
      action: AGAIN,
      steps: STEPS,
      otherwise: {
        title: `If there is no “{certificate}” to choose`,
        text: "It is not on this device yet, or for another user of this PC. Follow the steps for installing it once more, or call support.",
      },
    },
    ended: {
      state: "Over",
      title: "This check is over",
      lead: `A check can be opened for ten minutes. ${SAFE}`,
      action: AGAIN,
      actionMore: "It opens a new check.",
      otherwise: {
        title: "If you do not find that page",
        text: "Open your system as always. If it lets you in, all is well. If it does not, call support.",
      },
    },
  },
};
