type Words<Names extends string> = Readonly<Record<Names, string>>;

/** The words that stand in the drawings: those of the dialogs themselves, in one language. */
export interface GuideDialogs {
  readonly browser: Words<"address" | "downloads" | "openFile">;
  readonly windows: Words<
    | "wizard"
    | "location"
    | "currentUser"
    | "localMachine"
    | "next"
    | "cancel"
    | "file"
    | "fileName"
    | "privateKey"
    | "password"
    | "strong"
    | "place"
    | "automatic"
    | "following"
    | "completing"
    | "finish"
    | "success"
    | "ok"
  >;
  readonly mac: Words<
    | "settings"
    | "openSettings"
    /** Of Safari; its gap is the site's name. */
    | "download"
    | "downloaded"
    | "general"
    | "management"
    | "profile"
    | "notInstalled"
    | "ask"
    | "install"
    | "cancel"
    | "enter"
    | "password"
    | "ok"
    | "keychains"
    | "add"
    | "keychain"
    | "login"
    | "filePassword"
    | "allow"
    | "deny"
    | "always"
  >;
  readonly apple: Words<
    | "ask"
    | "ignore"
    | "allow"
    | "downloaded"
    | "review"
    | "close"
    | "settings"
    | "airplane"
    | "wifi"
    | "general"
    | "profile"
    | "signed"
    | "unsigned"
    | "install"
    | "passcode"
    | "installing"
    | "done"
    | "installed"
    | "password"
    | "next"
  >;
  readonly android: Words<
    "extract" | "password" | "ok" | "cancel" | "kind" | "vpn" | "wifi" | "name" | "nameLabel"
  >;
  readonly firefox: Words<
    | "menu"
    | "settings"
    | "privacy"
    | "find"
    | "certificates"
    | "view"
    | "manager"
    | "yours"
    | "servers"
    | "import"
    | "open"
    | "cancel"
    | "folder"
    | "enter"
    | "signIn"
  >;
  readonly plain: Words<
    "settings" | "search" | "manage" | "yours" | "import" | "folder" | "open" | "password" | "ok"
  >;
  readonly pick: Words<
    | "chromium"
    | "chromiumAsk"
    | "ok"
    | "cancel"
    | "safari"
    | "continue"
    | "firefox"
    | "firefoxAsk"
    | "android"
    | "androidAsk"
    | "refuse"
    | "choose"
  >;
  readonly close: Words<
    "menu" | "newWindow" | "history" | "chrome" | "edge" | "safari" | "firefox" | "other"
  >;
}

/** The words of the dialogs in English. */
export const GUIDE_DIALOGS_EN: GuideDialogs = {
  browser: { address: "This page", downloads: "Downloads", openFile: "Open file" },
  windows: {
    wizard: "Certificate Import Wizard",
    location: "Store Location",
    currentUser: "Current User",
    localMachine: "Local Machine",
    next: "Next",
    cancel: "Cancel",
    file: "File to Import",
    fileName: "File name:",
    privateKey: "Private key protection",
    password: "Password:",
    strong: "Enable strong private key protection",
    place: "Certificate Store",
    automatic: "Automatically select the certificate store",
    following: "Place all certificates in the following store",
    completing: "Completing the Certificate Import Wizard",
    finish: "Finish",
    success: "The import was successful.",
    ok: "OK",
  },
  mac: {
    openSettings: "System Settings…",
    download: "Do you want to allow downloads on “…”?",
    settings: "System Settings",
    downloaded: "Profile Downloaded",
    general: "General",
    management: "Device Management",
    profile: "Certificate of this Mac",
    notInstalled: "Downloaded",
    ask: "Are you sure you want to install this profile?",
    install: "Install",
    cancel: "Cancel",
    enter: "Enter your password to allow this.",
    password: "Password",
    ok: "OK",
    keychains: "Keychain Access",
    add: "Add",
    keychain: "Keychain:",
    login: "login",
    filePassword: "Enter the password for the file:",
    allow: "Allow",
    deny: "Deny",
    always: "Always Allow",
  },
  apple: {
    ask: "This website is trying to download a configuration profile. Do you want to allow this?",
    ignore: "Ignore",
    allow: "Allow",
    downloaded: "Profile Downloaded",
    review: "Review the profile in Settings if you want to install it.",
    close: "Close",
    settings: "Settings",
    airplane: "Airplane Mode",
    wifi: "Wi-Fi",
    general: "General",
    profile: "Install Profile",
    signed: "Verified",
    unsigned: "Not Signed",
    install: "Install",
    passcode: "Enter Passcode",
    installing: "Install Profile?",
    done: "Done",
    installed: "Profile Installed",
    password: "Enter Password",
    next: "Next",
  },
  android: {
    extract: "Extract certificates",
    password: "Enter the password",
    ok: "OK",
    cancel: "Cancel",
    kind: "Choose a certificate type",
    vpn: "VPN & app user certificate",
    wifi: "Wi-Fi certificate",
    name: "Name this certificate",
    nameLabel: "Certificate name",
  },
  firefox: {
    menu: "Menu",
    settings: "Settings",
    privacy: "Privacy & Security",
    find: "Find in Settings",
    certificates: "Certificates",
    view: "View Certificates…",
    manager: "Certificate Manager",
    yours: "Your Certificates",
    servers: "Servers",
    import: "Import…",
    open: "Open",
    cancel: "Cancel",
    folder: "Downloads",
    enter: "Password of the file",
    signIn: "Sign in",
  },
  plain: {
    settings: "Settings",
    search: "certificates",
    manage: "Manage certificates",
    yours: "Your certificates",
    import: "Import",
    folder: "Downloads",
    open: "Open",
    password: "Password",
    ok: "OK",
  },
  pick: {
    chromium: "Select a certificate",
    chromiumAsk: "Select a certificate to authenticate yourself",
    ok: "OK",
    cancel: "Cancel",
    safari: "This website requires a client certificate",
    continue: "Continue",
    firefox: "User Identification Request",
    firefoxAsk: "Choose a certificate to present as identification:",
    android: "Choose certificate",
    androidAsk: "Chrome has requested a certificate",
    refuse: "Deny",
    choose: "Select",
  },
  close: {
    menu: "Menu",
    newWindow: "New window",
    history: "History",
    chrome: "Exit",
    edge: "Close Microsoft Edge",
    safari: "Quit Safari",
    firefox: "Exit",
    other: "Exit",
  },
};
