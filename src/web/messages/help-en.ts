import type { AdviceWords, CallWords } from "../advice.ts";

/** Why a proxy let a browser in no further than to its help page. */
export type HelpReason = "expired" | "revoked" | "replaced" | "none" | "other";

/** The help page's words in one language. */
export interface HelpMessages {
  readonly about: string;
  readonly next: string;
  readonly call: CallWords;
  /** The link to where a machine is replaced by night. */
  readonly night: string;
  readonly reasons: Readonly<Record<HelpReason, AdviceWords>>;
}

const REOPEN = [
  "Close every window of the browser.",
  "Open your system again, in the browser that you always use. On an iPad or iPhone that is Safari.",
  "When you are asked for a certificate, take the one of this device and press OK.",
];

/** What helps who has just renewed, and whose browser still shows the old certificate. */
const JUST_RENEWED = {
  title: "If you have just put a new certificate onto it",
  text: "Close every window of the browser and open it again. When you are asked for a certificate, take the one with the later date.",
};

/** The help page's words in English. */
export const HELP_EN: HelpMessages = {
  about: "Your device’s certificate",
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
  night: "When nobody answers and no other device works (by night, on holidays)",
  reasons: {
    expired: {
      state: "Expired",
      title: "This device’s certificate has expired",
      lead: "That is why you cannot get into your system from here. Nothing has happened to your records or your patients’ data.",
      action: "Call support and say “the certificate has expired”",
      actionMore: "You get a new one. As soon as it is on this device, you can go on working.",
      otherwise: JUST_RENEWED,
    },
    revoked: {
      state: "Stopped",
      title: "This device’s certificate has been stopped",
      lead: "This is done when a device is replaced or reported lost. Nothing has happened to your records or your patients’ data.",
      action: "Call support and say “the certificate has been stopped”",
      actionMore:
        "They look up why. If the device may still be used, you get a new certificate for it.",
      otherwise: JUST_RENEWED,
    },
    replaced: {
      state: "Old certificate",
      title: "This device’s old certificate was chosen",
      lead: "It has a newer one, and the old one does not count any more. Nothing has happened to your records or your patients’ data.",
      action: "Close the browser, and choose the newer certificate",
      steps: [
        "Close every window of the browser.",
        "Open your system again, in the browser that you always use. On an iPad or iPhone that is Safari.",
        "When you are asked for a certificate, take the one with the later date and press OK.",
      ],
      otherwise: {
        title: "If you see only the old one",
        text: "The newer one is not on this device, or it belongs to another user of this PC. Please call support.",
      },
      afterwards: {
        title: "So that it does not come up again",
        text: "You may delete the one with the earlier date: on Windows under “Manage user certificates”, on a Mac in Keychain Access, in Firefox under “View Certificates”. There is no need to.",
      },
    },
    none: {
      state: "No certificate",
      title: "No certificate was chosen",
      lead: "Your system opens only with the certificate of this device. Nothing has happened to your records or your patients’ data.",
      action: "Close the browser, and open it again",
      steps: REOPEN,
      otherwise: {
        title: "If you are not asked, or see this page again",
        text: "Perhaps this device has no certificate yet. Please call support.",
      },
    },
    other: {
      state: "Not checked",
      title: "The certificate could not be checked",
      lead: "Perhaps another certificate was chosen, or the check does not work for the moment. Nothing has happened to your records or your patients’ data.",
      action: "Close the browser, and open it again",
      steps: REOPEN,
      otherwise: {
        title: "If you see this page again",
        text: "Check that date and time of this device are right. If they are, please call support.",
      },
    },
  },
};
