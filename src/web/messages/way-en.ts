import { HELD_WORDS } from "./held-words.ts";
import type { WayMessages } from "./way-words.ts";

/** The words in English. */
export const WAY_EN: WayMessages = {
  otherLanguage: { name: "日本語", lang: "ja" },
  skip: "Skip to the content",
  pages: {
    code: {
      title: "Type your code",
      lead: "It has eight letters and digits, and is in your mail or on your card. Where you have a link instead, open it on this device.",
      primary: "Go on",
    },
    limited: {
      title: "Please wait ten minutes",
      lead: "Wrong codes were typed too often. A link from the mail works at any time.",
      primary: "Type the code again",
    },
    invited: {
      title: "Put a certificate onto this device",
      lead: "It shows that this device is the pharmacy's own. It takes about three minutes.",
      primary: "Begin",
    },
    unknown: {
      title: "This link leads nowhere",
      lead: "It may have been cut in two by the mail program, or a newer mail has replaced it.",
      primary: "Type the code instead",
    },
    elsewhere: {
      title: "It is not going on in this browser",
      lead: "It was begun in another browser, or too long ago. A private window forgets it when it is closed. Begin again with the link or the code.",
      primary: "Type the code",
    },
    identify: {
      title: "Please call, and read out this number",
      lead: "It is so that we know who you are, and takes a minute.",
      primary: "Look whether it goes on",
    },
    otherPerson: {
      title: "This account belongs to somebody else",
      lead: "This invitation is for another person. Whoever was invited has to sign in, or asks for an invitation of their own.",
      primary: "Sign in as somebody else",
    },
    name: {
      title: "What is this device called?",
      lead: "So that you can tell it from the others later. The name goes into the certificate too.",
      primary: "Use this name",
    },
    replace: {
      title: "Does this device take over?",
      lead: "A device of this name is there already. Please choose what applies.",
      primary: "Take over",
    },
    place: {
      title: "This device has a certificate already",
      lead: "Please choose what applies.",
      primary: "Take over",
    },
    make: {
      title: "Save the file",
      lead: "This device makes its own key. It takes a few seconds.",
      primary: "Save the file",
    },
    proven: {
      title: "It works on this device",
      lead: "The certificate is here, and was checked. You can go into your system.",
      primary: "Check once more",
    },
    used: {
      title: "Done. Your system has accepted the device",
      lead: "There is nothing more to do until the renewal. We write to you in time.",
      primary: "Print this page",
    },
    another: {
      title: "Open this on the other device",
      lead: "Point its camera here, or open the address and type the code. You are asked there who you are, too.",
      primary: "Back to this device",
    },
    held: HELD_WORDS.en.page,
    stopped: {
      title: "This certificate was stopped",
      lead: "Somebody has stopped the certificate that was made here. Please call.",
      primary: "Look again",
    },
    expired: {
      title: "The time of this invitation is over",
      lead: "Ask for a new one by telephone, or from whoever has sent you this one.",
      primary: "Type a newer code",
    },
    lapsed: {
      title: "This invitation is over",
      lead: "A new one can be sent to the same mail address.",
      primary: "Send a new invitation",
    },
    resent: {
      title: "A new invitation is on its way",
      lead: "It arrives within minutes. Open the link of the newest mail, or type its code.",
      primary: "Type the code",
    },
    enough: {
      title: "It was sent today already",
      lead: "Please look for the mail, also among junk mail. If you cannot find it, please call.",
      primary: "Type the code",
    },
    replaced: {
      title: "There is a newer invitation",
      lead: "Open the link of the newest mail, or type its code.",
      primary: "Type the newer code",
    },
    withdrawn: {
      title: "This invitation was taken back",
      lead: "If you do not know why, please call.",
      primary: "Type another code",
    },
    late: {
      title: "It is too late to renew",
      lead: "The certificate expired more than 14 days ago. Please call: support makes sure who you are, and sends you a new invitation.",
      primary: "Type a new code",
    },
    barred: {
      title: "A certificate that was stopped cannot be renewed",
      lead: "This is done when a device is replaced or reported lost. Please call: support looks up why.",
      primary: "Type a new code",
    },
    done: {
      title: "This is done already",
      lead: "The certificate of this invitation is on its device, and was checked.",
      primary: "Type another code",
    },
  },
  reassurance: {
    title: "You can pause at any time, also for a patient.",
    text: "To go on, open this page again on this device. Records and patients' data are not touched.",
  },
  code: {
    label: "Code",
    hint: "Small letters, and without the hyphen, are fine too. After the eighth it goes on by itself.",
    wrong: "There is no such code. Please compare it with your mail or card.",
  },
  facts: { pharmacy: "Pharmacy", device: "Device", until: "Until" },
  until: { before: "", after: "" },
  otherDevice: (device) => ({
    title: `Is this “${device}”?`,
    text: "It looks like a different kind of device. Open this page on the device itself: a certificate works only where it was put.",
  }),
  supportNumber: "Support number",
  supportNumberMore: "Read it to us when you call. It opens nothing.",
  support: "Support",
  supportUnnamed: "the support of your own system",
  equipment: "For whoever looks after the equipment",
  signIn: {
    title: "Please tell us who you are",
    lead: "With the account of your company you can go on at once.",
    button: "Sign in and go on",
    others: "Or by telephone",
    unchanged: "Nothing has changed on this device. We have noted that this sign-in did not fit.",
    problems: {
      cancelled: "The sign-in was cancelled. You can sign in again, or call.",
      unavailable: "The sign-in page cannot be reached at the moment. Please call instead.",
      again: "It took too long, or was begun anew in another window. Please sign in again.",
      unknown: "You are signed in, but not registered here yet. Please call.",
    },
  },
  mailedCode: {
    head: {
      title: "Type the number from your mail",
      lead: "It is so that we know who you are, and takes a minute.",
    },
    title: "Or by mail",
    ask: (address) => `Mail a code to ${address}`,
    sent: (address) => `A code is on its way to ${address}. It may take a minute.`,
    label: "Code from the mail",
    hint: "Six digits. After the last one it goes on by itself.",
    wrong: "That is not the code of the newest mail, or its ten minutes are over.",
    enter: "Go on",
    again: "Mail another code",
  },
  naming: {
    offered: "Names",
    offers: {
      counter: (number) => `Counter ${number}`,
      counterPad: (number) => `Counter iPad${number === 1 ? "" : ` ${number}`}`,
      dispensingPad: (number) => `Dispensing iPad${number === 1 ? "" : ` ${number}`}`,
      dispensingPhone: (number) => `Dispensing iPhone${number === 1 ? "" : ` ${number}`}`,
      dispensingTablet: (number) => `Dispensing tablet${number === 1 ? "" : ` ${number}`}`,
      checking: (number) => `Checking desk${number === 1 ? "" : ` ${number}`}`,
      office: (number) => `Office PC${number === 1 ? "" : ` ${number}`}`,
    },
    own: "Another name",
    hint: "If it takes the place of an old device, or is another browser of one, type the name of that one. 50 characters at most.",
    platform: "What kind of device is it?",
    platforms: {
      windows: "Windows",
      macos: "Mac",
      ipados: "iPad",
      ios: "iPhone",
      android: "Android",
      chromeos: "Chromebook",
      linux: "Linux",
      other: "Something else",
    },
    problems: {
      wrong: () => "Please type a name of 1 to 50 characters, on one line.",
      reserved: (name) =>
        `Somebody is just putting a certificate on another device called “${name}”. Please choose another name.`,
      owned: (name) => `“${name}” is another person’s own device. Please choose another name.`,
      lost: (name) =>
        `“${name}” has become the name of another device meanwhile. Please choose another name.`,
    },
    installedBy: "Installed by",
    noCertificate: "It has no certificate now.",
    otherName: "Choose another name",
  },
  another: {
    ask: "Put it on one more device",
    picture: "QR code that opens the page on the other device",
    address: "Address",
    code: "Code",
    until: "Good for three days.",
  },
  sentTo: "Sent to",
  waiting: "Waiting for us to confirm. This page goes on by itself.",
  step: (at, of, minutes) => `Step ${at} of ${of} · about ${minutes} min left`,
  earlier: "The file that you saved before is of no use any more. Please save it again.",
  many: "This was tried several times. Please call, we do it together.",
  making: "Making it. A few seconds…",
  refused: "It could not be made. Press the button again, or call.",
  unreached: "There is no connection at the moment. Press the button again.",
  save: "Save it again",
  saved: "The file was saved in “Downloads”.",
  arrived: (done) => `${done}? Then scroll on.`,
  fileName: "certificate-of-this-device",
  password: "Password",
  copy: "Copy",
  copied: "Copied",
  trouble: {
    title: "It did not work",
    other: "Something else: please call, and read us the support number.",
    otherStyle: "Make the file in another form",
  },
  check: {
    button: "Check",
    waiting: "When the check has passed, this page goes on by itself.",
  },
  noScript:
    "This browser cannot make the key by itself. We make it, send it once, and keep nothing of it.",
  profile: {
    title: "Get the profile",
    lead: "It brings the certificate with its key, and asks for no password. We make the key, hand it over this once, and keep no copy.",
    primary: "Get the profile",
    toFile: "Use a file and a password instead",
    fromFile: "Use a profile, without a password",
  },
  serverKey: {
    title: "Save the file now",
    lead: "It is sent this once. Nobody has a copy: if it is lost, make another.",
    save: "Save the file",
  },
  warnings: {
    clock: {
      title: "The clock of this device is wrong",
      text: "It differs by more than two minutes from ours. Set date and time to automatic in the settings, and load this page again.",
    },
    unreachable: {
      title: "The checking service cannot be reached from here",
      text: "Something on the way (a filter, a security program) keeps this device from it. Ask whoever looks after your equipment to allow {host}, port {port}.",
    },
    isPrivate: {
      title: "This looks like a private window",
      text: "When it is closed, it forgets how far you have come. Open this page again in an ordinary window.",
    },
    inApp: {
      title: "Please open this page in the browser itself",
      text: "Inside another app it cannot be done. Copy the address, or choose “Open in browser” in the app's menu.",
    },
    needsSafari: {
      title: "Please open this page in Safari",
      text: "On iPhone and iPad only Safari can use the certificate.",
    },
    unsupported: {
      title: "This device or browser is too old",
      text: "It may not work here. Update it, or ask whoever looks after your equipment.",
    },
  },
  sheet: {
    title: "For the file",
    serial: "Number of the certificate",
    delete: "The saved file is of no more use. Delete it in the Downloads folder.",
  },
  open: (product) => `Open ${product}`,
  notYetUsed: {
    title: "If your system does not let you in",
    text: "Close all windows of the browser and open it again: it still remembers that there was no certificate.",
  },
};
