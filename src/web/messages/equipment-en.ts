/** Where one platform keeps the certificate, and how it is taken away again. */
interface StoreWords {
  readonly platform: string;
  readonly where: string;
  readonly undo: string;
}

/** All words of the sheet for whoever looks after a pharmacy's equipment. */
export interface EquipmentMessages {
  readonly title: string;
  readonly lead: string;
  readonly toPrint: string;
  readonly hosts: {
    readonly title: string;
    readonly lead: string;
    readonly host: string;
    readonly port: string;
    readonly use: string;
    readonly app: string;
    readonly checks: string;
    readonly mtls: string;
    readonly va: string;
    readonly product: (name: string) => string;
  };
  readonly inspection: { readonly title: string; readonly text: string; readonly leave: string };
  readonly clock: { readonly title: string; readonly text: string };
  readonly stores: {
    readonly title: string;
    readonly lead: string;
    readonly platform: string;
    readonly where: string;
    readonly undo: string;
    readonly rows: readonly StoreWords[];
    readonly name: string;
    readonly issuer: string;
    readonly nothingElse: string;
    readonly lost: string;
  };
  readonly policy: {
    readonly title: string;
    readonly text: string;
    readonly places: string;
    readonly values: string;
    readonly old: string;
  };
  readonly key: { readonly title: string; readonly text: string };
  readonly script: { readonly title: string; readonly text: string; readonly left: string };
  readonly address: string;
}

/** The words in English. */
export const EQUIPMENT_EN: EquipmentMessages = {
  title: "For whoever looks after the equipment",
  lead: "The devices of this pharmacy get client certificates. Here is what they must be able to reach, what is put onto them, and how it is undone.",
  toPrint: "It prints on A4, from the menu of the browser. There is nothing secret on it.",
  hosts: {
    title: "Connections to allow",
    lead: "All of them go out from the device over TCP; none comes in. TLS 1.3, or 1.2.",
    host: "Host",
    port: "Port",
    use: "For what",
    app: "The pages of installation (HTTPS)",
    checks: "Checks, each at a name of its own (HTTPS that asks for the client certificate)",
    mtls: "Renewal (HTTPS that asks for the client certificate)",
    va: "Whether certificates are revoked (HTTP). Servers ask; devices seldom do",
    product: (name) => `${name} (HTTPS that asks for the client certificate)`,
  },
  inspection: {
    title: "Where TLS is inspected",
    text: "A device or program that opens TLS on the way (a UTM, a proxy, the web protection of a security program) takes the client certificate's place away: it never arrives. Except these hosts from inspection:",
    leave: "To filter by host name is no problem.",
  },
  clock: {
    title: "The clock",
    text: "It must be right to two minutes. Set date, time and time zone to automatic, and let NTP (UDP 123) pass where you filter.",
  },
  stores: {
    title: "What is put where, and how it is undone",
    lead: "One certificate with its key, and the certificate of the CA that has issued it. It needs no administrator.",
    platform: "Platform",
    where: "Where it is",
    undo: "To take it away",
    rows: [
      {
        platform: "Windows (Chrome, Edge)",
        where:
          "Certificates of the current user: Personal, and Intermediate Certification Authorities",
        undo: "certmgr.msc → Personal → Certificates → Delete. Each Windows account has its own",
      },
      {
        platform: "macOS (Safari, Chrome, Edge)",
        where: "The login keychain, or a configuration profile",
        undo: "Keychain Access → login → My Certificates → Delete; or System Settings → General → Device Management → Remove",
      },
      {
        platform: "iPhone, iPad (Safari)",
        where: "A configuration profile",
        undo: "Settings → General → VPN & Device Management → the profile → Remove",
      },
      {
        platform: "Android (Chrome)",
        where: "User credentials, for “VPN and apps”",
        undo: "Settings → Security → Encryption & credentials → User credentials → Remove (the words differ by maker)",
      },
      {
        platform: "Firefox on a computer",
        where: "Firefox's own certificates",
        undo: "Settings → Privacy & Security → View Certificates → Your Certificates → Delete",
      },
      {
        platform: "ChromeOS, Linux (Chrome)",
        where: "The certificates of the user",
        undo: "Settings → Privacy and security → Security → Manage certificates → Your certificates → Delete",
      },
    ],
    name: "It is called after the device, with the month of its end: “Counter 1 2027-12”.",
    issuer: "Its issuer",
    nothingElse: "Nothing else: no root certificate, no program, no service, no driver.",
    lost: "Taking it away does not stop it. Before a device is given away or sent to repair, and when it is lost, call the support: they stop the certificate.",
  },
  policy: {
    title: "Choosing the certificate by itself (if you wish)",
    text: "Where you manage Chrome or Edge, this policy spares people the question which certificate it is to be.",
    places: "On Windows, in the registry, as values 1, 2, 3, …:",
    values: "Values:",
    old: "After a renewal delete the old certificate: of two that fit, the browser takes one without asking.",
  },
  key: {
    title: "The key",
    text: "It is made on the device, in its browser, and goes to nobody. For iPhone, iPad and browsers without script the server makes it, sends it once, and keeps no copy. The password of the file is shown once, to the person at the device.",
  },
  script: {
    title: "With a script, on Windows (if you wish)",
    text: "Once the person is identified, the page of the invitation has a link for whoever sets up IT and machines. Its PowerShell script makes the key on the machine, in the TPM where there is one, installs the certificate, and renews it by itself. It runs as the user, without an administrator's rights.",
    left: "Beside the certificate it leaves a task (“Suido” and the device's number) and the folder %LOCALAPPDATA%\\Suido. This line, run as that user, removes them all:",
  },
  address: "This sheet",
};
