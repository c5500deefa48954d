/** The pages' words in English. Their type is what every other language must have too. */
export const EN = {
  skip: "Skip to the content",
  nav: { label: "Main", home: "Home", console: "For operators" },
  otherLanguage: { name: "日本語", lang: "ja" },
  foot: {
    label: "More",
    line: "Suido — certificates for the devices of pharmacies",
    problems: "Problems and what to do",
    api: "API description",
  },
  home: {
    title: "Certificates for the devices of pharmacies",
    lead: "A certificate shows that a PC or tablet really is the pharmacy’s own. To install it, and to renew it once a year, you do as the pages say.",
    picture: "A pipe with three taps brings a certificate to a counter PC, a tablet and a phone.",
    pictureLabels: { pc: "Counter PC", tablet: "Tablet", phone: "Phone" },
    pharmacist: {
      who: "For pharmacies",
      title: "If you are to install a certificate",
      steps: [
        {
          do: "Go to the device it is for",
          more: "One device, one certificate: the one of the counter PC goes onto the counter PC.",
        },
        {
          do: "Open the link of the mail on that device",
          more: "Where it has no mail, press the button below and type the code: it is in the mail, or on your card.",
        },
        {
          do: "Do as the page says",
          more: "It takes a few minutes. At the end you see that it works.",
        },
      ],
      button: "Type the code",
      help: "Nothing came, or it does not work",
      helpMore: "Call the support of the system that you use. Its screens show the number.",
      call: "Please call.",
    },
    renewal: {
      who: "For pharmacies",
      title: "If you were reminded that a certificate ends",
      steps: [
        {
          do: "Until that day nothing changes",
          more: "It does not stop without warning.",
        },
        {
          do: "Open the renewal page on that device, and press “Renew”",
          more: "Its certificate is the sign-in: there is no password and no telephone call.",
        },
        {
          do: "Do as the page says",
          more: "The old certificate is stopped only once the new one works.",
        },
      ],
      button: "Open the renewal page",
    },
    product: {
      who: "For products and proxies",
      title: "Ask what is alive, and whose it is",
      text: "One call tells whether a certificate is alive, since when, which device and pharmacy it stands for, and what has replaced it. Proxies read OCSP and CRLs.",
      api: "API description (OpenAPI 3.1)",
      va: "Addresses for proxies",
    },
    operator: {
      who: "For operators",
      title: "How is the service?",
      text: "The state of each role, the certification authorities and their lists, and the commands for your first API key and certificate.",
      button: "See the state of the service",
    },
  },
  console: {
    title: "State of the service",
    asOf: "As of",
    good: "Everything is working",
    bad: "Something is not working",
    roles: "Roles of this process",
    roleNames: {
      app: "App and API",
      va: "Validation authority",
      mtls: "Client certificates (mTLS)",
      worker: "Scheduled work",
      signer: "Signer",
      database: "Database",
    },
    ready: "Ready",
    notReady: "Not ready",
    noRoles: "This process reports no roles.",
    authorities: "Certification authorities",
    noAuthorities:
      "There is no certification authority yet. In production, make one with npx suido ca init.",
    columns: {
      authority: "Authority",
      notAfter: "Valid until",
      list: "Revocation list",
      files: "Files",
    },
    kinds: { root: "Root", issuing: "Issuing" },
    fingerprint: "SHA-256",
    daysLeft: (days: number): string =>
      days === 1 ? "1 day left" : `${days.toLocaleString("en")} days left`,
    hasEnded: "has ended",
    listAge: { fresh: "Current", old: "More than half its life has gone", late: "Out of date" },
    listMade: "made",
    listNext: "good until",
    listEntries: (entries: number): string =>
      entries === 1
        ? "1 revoked certificate"
        : `${entries.toLocaleString("en")} revoked certificates`,
    noList: "No list yet",
    certificateFile: "Certificate",
    listFile: "List",
    first: "Your first certificate",
    firstLead: "With a terminal on the machine that runs Suido, in its folder.",
    key: "Make an API key",
    keyMore:
      "It is shown once and stored only as a hash. Keys for daily work should have a smaller role.",
    registry: "Register a corporation, pharmacy, device and person",
    registryMore: "Each answer holds the new id, which the next call needs.",
    issue: "Issue a certificate for the device",
    issueMore:
      "The answer holds the certificate, and a PKCS#12 bundle with its password, both given only this once. Send csr with a request of your own, and the key never leaves the device.",
    status: "Ask whether it is alive",
    statusMore: "This is what products ask. Try it again after a revocation.",
    region: "Commands",
    files: "For proxies and programs",
    links: {
      api: "API description",
      bundle: "All CA certificates",
      lists: "All revocation lists",
      ocsp: "OCSP responder",
      mtls: "Check a client certificate",
      health: "Readiness for monitoring",
      metrics: "Metrics (Prometheus)",
    },
    privacy:
      "This page shows only what is public anyway. Corporations, people and devices are seen through the API, with a key.",
  },
  problems: {
    title: "Problems and what to do",
    lead: "When the API refuses a request, it answers with a problem document (RFC 9457). Its type is the address of one of these pages.",
    status: "Status",
    means: "What it means",
    todo: "What to do",
    example: "As a program sees it",
    all: "All problems",
  },
  notFound: {
    title: "This page does not exist",
    text: "The address may be mistyped or cut off. If it came from a mail, press the button in the mail again, or type the code that the mail has.",
    button: "Type the code",
    home: "Go to the first page",
  },
};

export type Messages = typeof EN;
