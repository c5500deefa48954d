/** What a mail to the operators is about. */
export type OperatorTopic = "untold" | "returned" | "ending" | "root-session" | "lagging";

/** What a mail to the operators says. */
export interface OperatorWords {
  readonly subject: string;
  readonly title: string;
  readonly what: string;
  readonly todo: string;
}

/** What a reminder's subject and title are about: the device whose certificate ends first, and how many there are. */
type ReminderFacts = Readonly<
  Record<"pharmacy" | "device" | "at", string> & Record<"days" | "count", number>
>;

type ByNumber = Readonly<Record<"one" | "many", (facts: ReminderFacts) => string>>;

/** The words of this room's mails, and of the profiles for Apple's devices. A language that lacks one does not compile. */
export interface LifecycleMessages {
  readonly expiry: {
    readonly subject: ByNumber;
    readonly title: ByNumber;
    readonly greeting: (name: string) => string;
    readonly greetingPharmacy: (pharmacy: string) => string;
    readonly what: Readonly<Record<"shared" | "personal" | "many", string>>;
    /** Renewing on the device: the button is enough. */
    readonly how: string;
    /** What the code is for. */
    readonly typed: string;
    readonly why: string;
    readonly until: string;
    readonly untilDay: (day: string, time: string) => string;
    readonly device: string;
    readonly pharmacy: string;
    /** The day from which it can be renewed. */
    readonly from: string;
    readonly code: string;
    readonly noCode: string;
    readonly page: string;
    readonly address: string;
    /** Who asked: nobody in particular. */
    readonly byItself: string;
    readonly todo: string;
    readonly button: string;
    readonly help: string;
    readonly call: string;
    readonly stops: string;
    readonly harmless: string;
    readonly automatic: (site: string) => string;
    /** Before the time to renew. */
    readonly notice: {
      readonly subject: ByNumber;
      readonly what: string;
      readonly todo: string;
      readonly button: string;
    };
    /** Somebody wants it at once. */
    readonly order: {
      readonly subject: ByNumber;
      readonly title: ByNumber;
      readonly why: Readonly<
        Record<"incident" | "key-at-risk" | "ca-change" | "data-change" | "support", string>
      >;
    };
  };
  readonly enrolment: {
    readonly subject: (facts: {
      readonly pharmacy: string;
      readonly device: string;
      readonly at: string;
    }) => string;
    readonly greeting: (name: string) => string;
    readonly greetingPharmacy: (pharmacy: string) => string;
    readonly title: (device: string) => string;
    readonly why: Readonly<Record<"first" | "replacement" | "renewal" | "support", string>>;
    /** How to tell that the link leads where it should. */
    readonly check: (origin: string) => string;
    readonly noMail: string;
    readonly device: string;
    readonly pharmacy: string;
    /** What the certificate is for. */
    readonly system: string;
    readonly requestedBy: string;
    /** Who asked, where nobody said. */
    readonly operator: string;
    readonly until: string;
    readonly untilDay: (day: string, time: string) => string;
    readonly address: string;
    readonly code: string;
    readonly todo: (device: string) => string;
    readonly button: string;
    readonly help: string;
    readonly call: string;
    readonly harmless: string;
    readonly unexpected: string;
    readonly automatic: (site: string) => string;
    /** For machines that nobody has registered. */
    readonly unnamed: {
      readonly subject: (facts: {
        readonly pharmacy: string;
        readonly count: number;
        readonly at: string;
      }) => string;
      readonly title: (count: number) => string;
      readonly todo: (count: number) => string;
      /** Where each has a name already. */
      readonly todoNamed: string;
      /** The first of several pharmacies. */
      readonly several: (first: string, others: number) => string;
      /** Before the code of each. */
      readonly nth: (place: number) => string;
    };
  };
  readonly code: {
    readonly subject: (code: string) => string;
    readonly title: (code: string, device?: string) => string;
    readonly what: string;
    readonly code: string;
    readonly todo: string;
    readonly button: string;
    readonly unexpected: string;
  };
  /** A device has proven its certificate. */
  readonly proven: {
    readonly subject: (facts: { readonly pharmacy: string; readonly device: string }) => string;
    readonly title: (device: string) => string;
    readonly what: string;
    readonly why: Readonly<Record<"first" | "renewal", string>>;
    readonly at: string;
    readonly until: string;
    /** Who asked, where the device has renewed itself. */
    readonly byDevice: string;
    readonly supportNumber: string;
    readonly serial: string;
    readonly todo: string;
    readonly unexpected: string;
    readonly unexpectedCall: string;
    readonly harmless: string;
  };
  /** How far a mail has come. */
  readonly mailStates: Readonly<
    Record<"waiting" | "accepted" | "returned" | "followed" | "not-sent" | "given-up", string>
  >;
  /** Apple shows both to whoever installs it; `what` beside the button. */
  readonly appleProfile: {
    readonly title: (device: string) => string;
    readonly what: (facts: {
      readonly pharmacy: string;
      readonly device: string;
      readonly day: string;
    }) => string;
  };
  readonly operator: {
    readonly untold: (count: number) => OperatorWords;
    readonly untoldExample: (facts: {
      readonly pharmacy: string;
      readonly device: string;
      readonly at: string;
    }) => string;
    readonly returned: (count: number) => OperatorWords;
    readonly ending: (facts: { readonly what: string; readonly at: string }) => OperatorWords;
    readonly rootSession: (facts: { readonly what: string; readonly at: string }) => OperatorWords;
    readonly lagging: (facts: {
      readonly party: string;
      readonly at: string;
      readonly why: "went-back" | "urgent" | "old";
    }) => OperatorWords;
    readonly console: string;
    readonly foot: (day: string) => string;
  };
}

/** "today", "tomorrow", "in 7 days". */
function when(days: number): string {
  if (days <= 0) return "today";
  return days === 1 ? "tomorrow" : `in ${days} days`;
}

/** The mails' words in English. */
export const EN: LifecycleMessages = {
  expiry: {
    subject: {
      one: ({ pharmacy, device, at, days }) =>
        `Renew by ${at} (${when(days)}): ${device}, ${pharmacy}`,
      many: ({ pharmacy, at, days, count }) =>
        `Renew by ${at} (${when(days)}): ${count} devices, ${pharmacy}`,
    },
    title: {
      one: ({ device, days }) => `The certificate of “${device}” ends ${when(days)}`,
      many: ({ count, days }) => `Please renew ${count} certificates: the first ends ${when(days)}`,
    },
    greeting: (name) => `Dear ${name},`,
    greetingPharmacy: (pharmacy) => `To the people of ${pharmacy},`,
    what: {
      shared:
        "This device of your pharmacy cannot sign in to your system any more once its certificate has ended. Until then everything works as usual.",
      personal:
        "Your device cannot sign in to your system any more once its certificate has ended. Until then everything works as usual.",
      many: "A device cannot sign in to your system any more once its certificate has ended. Until then everything works as usual.",
    },
    how: "On the renewal page one button is enough: press “Renew”. The certificate that the device has is the sign-in, so there is no password and no telephone call. It takes about two minutes.",
    typed:
      "If the page does not show that button, open the short address on the device and type its code. The code alone gets nobody a certificate: you are asked who you are. It is good for 14 days; the next mail has a new one, and then this one opens nothing.",
    why: "The Ministry of Health’s guideline on the security of medical information systems asks that only the pharmacy’s own devices get in; this is what certificates are for.",
    until: "Works until",
    untilDay: (day, time) => `${day}, ${time}`,
    device: "Device",
    pharmacy: "Pharmacy",
    from: "Can be renewed from",
    code: "Code for this device",
    noCode: "none: please call, because whoever was responsible is not there any more",
    page: "Renewal page",
    address: "Short address",
    byItself: "Nobody in particular: this mail comes by itself before a certificate ends",
    todo: "Please renew on the device itself. If you read this there, press the button below; otherwise open the renewal page in the browser of that device.",
    button: "Open the renewal page",
    help: "It does not work, or the device is gone? Please call the support of the system that you use.",
    call: "It does not work, or the device is gone? Please call:",
    stops: "Once the certificate has been renewed, these mails stop by themselves.",
    harmless: "This mail has no attachment, and nobody will ask you for a password by telephone.",
    automatic: (site) => `${site} sent this mail automatically; nobody reads replies to it.`,
    notice: {
      subject: {
        one: ({ pharmacy, device, at }) => `For your plans: ${device}, ${pharmacy}, until ${at}`,
        many: ({ pharmacy, at, count }) =>
          `For your plans: ${count} devices, ${pharmacy}, the first until ${at}`,
      },
      what: "There is nothing to do yet. From the day below on it can be renewed, and you get another mail then.",
      todo: "If you would like to know how renewing goes:",
      button: "How to renew",
    },
    order: {
      subject: {
        one: ({ pharmacy, device }) => `Please renew now: ${device}, ${pharmacy}`,
        many: ({ pharmacy, count }) => `Please renew now: ${count} devices, ${pharmacy}`,
      },
      title: {
        one: ({ device }) => `Please renew the certificate of “${device}” now`,
        many: ({ count }) => `Please renew the certificates of ${count} devices now`,
      },
      why: {
        incident: "Something has happened for which certificates are renewed early, to be safe.",
        "key-at-risk": "Somebody else may know the key of this certificate.",
        "ca-change": "The authority that issues certificates changes.",
        "data-change": "What stands in the certificate has changed.",
        support: "As agreed with support, the certificate is renewed now.",
      },
    },
  },
  enrolment: {
    subject: ({ pharmacy, device, at }) =>
      `Please install a certificate by ${at}: ${device}, ${pharmacy}`,
    greeting: (name) => `Dear ${name},`,
    greetingPharmacy: (pharmacy) => `To the staff of ${pharmacy},`,
    title: (device) => `Please install a certificate on “${device}”`,
    why: {
      first:
        "So that only your pharmacy’s own devices get into your system, this device needs a certificate. The Ministry of Health’s guideline on the security of medical information systems asks for it. Until it has one, it may be turned away.",
      replacement:
        "This device takes over from another one, and needs a certificate of its own. Until it has one, it may be turned away.",
      renewal:
        "The certificate of this device ends soon and is replaced by a new one. Until then you can go on working as usual.",
      support: "As agreed with support, the certificate of this device is installed once more.",
    },
    check: (origin) =>
      `The link leads to ${origin} – before you press anything on the page, please check that the address at the top of the browser begins with exactly that.`,
    noMail:
      "If the device cannot read mail, open the address below in its own browser and type the code. The code alone gets nobody a certificate: you are asked who you are.",
    device: "Device",
    pharmacy: "Pharmacy",
    system: "System",
    requestedBy: "Asked by",
    operator: "The operators of your system",
    until: "Please do so by",
    untilDay: (day, time) => `${day}, ${time}`,
    address: "Address",
    code: "Code",
    todo: (device) => `It takes a few minutes. Please open the page on “${device}” itself.`,
    button: "Open the page",
    help: "Something is unclear? Please call the support of your system.",
    call: "Something is unclear? Please call:",
    harmless: "This mail has no attachment, and nobody will ask you for a password by telephone.",
    unexpected:
      "You did not expect this mail? Do not open the link, and call support at a number that you know.",
    automatic: (site) => `${site} sent this mail automatically; nobody reads replies to it.`,
    unnamed: {
      subject: ({ pharmacy, count, at }) =>
        `Please install certificates by ${at}: ${count === 1 ? "a device" : `${count} devices`}, ${pharmacy}`,
      title: (count) =>
        count === 1
          ? "Please install a certificate on a device of the pharmacy"
          : `Please install certificates on ${count} devices of the pharmacy`,
      todo: (count) =>
        count === 1
          ? "It takes a few minutes. Please open the page on the device itself. You choose its name there."
          : "It takes a few minutes for each. Please open the page on the device itself, and type one of the codes: each is for one device. You choose its name there.",
      todoNamed:
        "It takes a few minutes for each. Please open the page on the device itself, and type its code: each is for one device.",
      several: (first, others) =>
        `${first} and ${others === 1 ? "another pharmacy" : `${others} more pharmacies`}`,
      nth: (place) => `Device ${place}`,
    },
  },
  code: {
    subject: (code) => `Your code: ${code}`,
    title: (code, device) =>
      device === undefined ? `Your code is ${code}` : `Your code for “${device}” is ${code}`,
    what: "Somebody is about to install a certificate on this device, and has said to be you. With this code you confirm it. It works for ten minutes.",
    code: "Code",
    todo: "Type the code on the page that asks for it, on the device itself. Do not read it out to anybody: we never ask for it.",
    button: "Open the page",
    unexpected:
      "If it was not you, do not use the code, and call support at a number that you know. Without the code nothing is installed.",
  },
  proven: {
    subject: ({ pharmacy, device }) => `A certificate is installed: ${device}, ${pharmacy}`,
    title: (device) => `The certificate of “${device}” works`,
    what: "The device has shown its certificate just now, and it was right. From now on it gets into your system with it.",
    why: {
      first:
        "The Ministry of Health’s guideline on the security of medical information systems asks that only the pharmacy’s own devices get in. You get this mail so that somebody notices a device that is none of yours.",
      renewal:
        "The new certificate takes the place of the one before, which ends by itself. You get this mail so that somebody notices a renewal that nobody has asked for.",
    },
    at: "Since",
    until: "Works until",
    byDevice: "The device itself, with the certificate that it had",
    supportNumber: "Support number",
    serial: "Certificate number",
    todo: "Was it you, or somebody of your pharmacy? Then there is nothing to do. Please keep this mail with the records of your devices.",
    unexpected:
      "Was it none of you? Please call the support of your system at once, at a number that you know. They stop the certificate within minutes.",
    unexpectedCall:
      "Was it none of you? Please call at once, and read out the certificate number. The certificate is stopped within minutes:",
    harmless:
      "This mail has no attachment, no key and no link. Nobody will ask you for a password by telephone.",
  },
  mailStates: {
    waiting: "Waiting to be sent",
    accepted: "Accepted by their server",
    returned: "It came back",
    followed: "Begun from its link",
    "not-sent": "Not sent: it was no longer needed",
    "given-up": "Given up: it could not be handed over",
  },
  appleProfile: {
    title: (device) => `Certificate of “${device}”`,
    what: ({ pharmacy, device, day }) =>
      `Lets “${device}” of ${pharmacy} into your system until ${day}. It changes nothing else on this device, and lets nobody look into it.`,
  },
  operator: {
    untold: (count) => ({
      subject: `Nobody to tell: ${count} ending ${count === 1 ? "certificate" : "certificates"}`,
      title:
        count === 1
          ? "A certificate ends, and there is nobody to tell"
          : `${count} certificates end, and there is nobody to tell`,
      what: "The pharmacy has no manager and no head office account that is active and has a mail address:",
      todo: "Please give the pharmacy a manager with a mail address, or call it. The reminder is then sent within the hour.",
    }),
    untoldExample: ({ pharmacy, device, at }) => `${pharmacy}: ${device} (until ${at})`,
    returned: (count) => ({
      subject: `Mails that came back: ${count} ${count === 1 ? "address" : "addresses"}`,
      title:
        count === 1
          ? "A mail came back from its address"
          : `Mails came back from ${count} addresses`,
      what: "Nothing is written to these addresses while their tasks are open; reminders go to the next person instead.",
      todo: "Please find out the right address and correct the account, which ends the task. If the address is right after all, close the task (POST /v1/tasks/{id}/close).",
    }),
    ending: ({ what, at }) => ({
      subject: `Suido itself: ${what} ends ${at}`,
      title: `${what} ends ${at}`,
      what: "It is renewed by itself, or at a ceremony, and that has not happened yet. When it has ended, every device and proxy that relies on it stops.",
      todo: "Please look at the console for what keeps it from being renewed.",
    }),
    rootSession: ({ what, at }) => ({
      subject: `Suido itself: hold a root session, ${what} ends ${at}`,
      title: `A root session is due: ${what} ends ${at}`,
      what: "Nothing renews it by itself, because the root's key is sealed away. Once it has ended, proxies refuse everybody.",
      todo: "Please run suido ca request, and bring the people together who hold the shares (docs/operations.md, Root session).",
    }),
    lagging: ({ party, at, why }) => ({
      subject: `${party} lags behind: it may let revoked certificates in`,
      title: `${party} has lagged behind since ${at}`,
      what: {
        "went-back":
          "It says that a list is in force there which is older than the one before. Whoever was revoked in between may be let in.",
        urgent:
          "A certificate was revoked or put on hold for an urgent reason, and the list that says so was published then. This relying party has not acknowledged it, and may still let the certificate in.",
        old: "A newer list was published then, and this relying party has not acknowledged it. When the list that it has ends, it refuses every device.",
      }[why],
      todo: "Please look at suido gate on its machine: its exit code, its health file, and whether it reaches Suido.",
    }),
    console: "Open the console",
    foot: (day) => `Sent by Suido on ${day}, once for this occasion.`,
  },
};
