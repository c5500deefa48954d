/** One step of putting the saved file onto a device, as the page shows it: one a screen. */
export interface StepWords {
  readonly title: string;
  /** In the order in which they are done, with the dialogs' own words. */
  readonly dos: readonly string[];
  /** The button: what the person sees when it worked. */
  readonly done: string;
  /** Whether the password is asked for here. */
  readonly password?: true;
  /** What else may have been seen, and what to do then. */
  readonly troubles: readonly { readonly seen: string; readonly remedy: string }[];
}

/** The ways in which a file is put onto a device. */
export type GuideKind =
  | "windows"
  | "macos"
  /** iPhone and iPad: a profile, without a password. */
  | "apple-profile"
  /** iPhone and iPad: a file. */
  | "apple"
  | "android"
  | "firefox"
  | "plain";

const PICK: StepWords = {
  title: "Check that it works",
  dos: [
    "Press “Check”. A new window opens.",
    "If the browser asks for a certificate, choose “{certificate}” and press OK.",
  ],
  done: "Check",
  troubles: [
    {
      seen: "The certificate is not in the list",
      remedy: "Press “Back” and go through the steps again. Nothing breaks by doing it twice.",
    },
  ],
};

const WRONG_PASSWORD = {
  seen: "“The password is incorrect”",
  remedy:
    "Copy the password again and paste it. If it stays, save the file in the other form below.",
};

/** How a file is put onto each kind of device, in English. */
export const WAY_STEPS_EN: Readonly<Record<GuideKind, readonly StepWords[]>> = {
  windows: [
    {
      title: "Open the saved file",
      dos: ["Open the “Downloads” folder.", "Double-click the saved file."],
      done: "A window “Certificate Import Wizard” has opened",
      troubles: [
        { seen: "Nothing opens", remedy: "Right-click the file and choose “Install PFX”." },
      ],
    },
    {
      title: "Where it goes",
      dos: [
        "See that “Current User” is chosen.",
        "Click “Next”.",
        "On the next screen click “Next” once more.",
      ],
      done: "It asks for a password",
      troubles: [
        {
          seen: "It asks for an administrator",
          remedy: "Click “Cancel”, open the file again and choose “Current User”.",
        },
      ],
    },
    {
      title: "Paste the password",
      password: true,
      dos: [
        "Copy the password here.",
        "Click into “Password” and press Ctrl and V.",
        "Leave the boxes below as they are and click “Next”.",
      ],
      done: "It asks for a “Certificate Store”",
      troubles: [WRONG_PASSWORD],
    },
    {
      title: "Finish",
      dos: [
        "Leave “Automatically select” chosen and click “Next”.",
        "Click “Finish”.",
        "“The import was successful.” Click “OK”.",
      ],
      done: "“The import was successful.”",
      troubles: [
        { seen: "An error is shown", remedy: "Open the file again and go through it once more." },
      ],
    },
    PICK,
  ],
  macos: [
    {
      title: "Open the saved file",
      dos: [
        "Open “Downloads” in the Finder.",
        "Double-click the saved file. Keychain Access opens.",
        "Choose the keychain “login” and click “Add”.",
      ],
      done: "It asks for a password",
      troubles: [
        {
          seen: "Nothing opens",
          remedy: "Open “Keychain Access” and drag the file onto “login”.",
        },
      ],
    },
    {
      title: "Paste the password",
      password: true,
      dos: ["Copy the password here.", "Paste it with Command and V, and click “OK”."],
      done: "The window has closed",
      troubles: [WRONG_PASSWORD],
    },
    {
      ...PICK,
      dos: [
        ...PICK.dos,
        "If the Mac asks for its own password, type it and choose “Always Allow”.",
      ],
    },
  ],
  "apple-profile": [
    {
      title: "Allow the download",
      dos: ["Tap “Allow”.", "“Profile Downloaded”: tap “Close”."],
      done: "“Profile Downloaded” was shown",
      troubles: [
        { seen: "“Choose a Device”", remedy: "Choose “iPhone” or “iPad”, not “Apple Watch”." },
        { seen: "Nothing is asked", remedy: "Press “Back”, and get the profile once more." },
      ],
    },
    {
      title: "Install it in the settings",
      dos: [
        "Open “Settings”.",
        "Tap “Profile Downloaded” at the top (or General, VPN & Device Management).",
        "Tap “Install”, and type the passcode of this device.",
        "Tap “Install” as often as it is asked, then “Done”.",
      ],
      done: "“Profile Installed” was shown",
      troubles: [
        {
          seen: "There is no such entry",
          remedy: "It vanishes after eight minutes. Press “Back” and get the profile once more.",
        },
      ],
    },
    {
      ...PICK,
      dos: [
        "Press “Check”. A new window opens.",
        "If Safari asks for a certificate, choose that of this device and tap “Continue”.",
      ],
    },
  ],
  apple: [
    {
      title: "Open the saved file",
      dos: [
        "Tap the saved file in the downloads of Safari, or in the app “Files”.",
        "“Profile Downloaded”: tap “Close”.",
      ],
      done: "“Profile Downloaded” was shown",
      troubles: [{ seen: "“Choose a Device”", remedy: "Choose “iPhone” or “iPad”." }],
    },
    {
      title: "Install it in the settings",
      dos: [
        "Open “Settings”.",
        "Tap “Profile Downloaded” at the top (or General, VPN & Device Management).",
        "Tap “Install”, and type the passcode of this device.",
        "Tap “Install” twice more.",
      ],
      done: "It asks for a password",
      troubles: [
        {
          seen: "There is no such entry",
          remedy: "It vanishes after eight minutes. Press “Back” and open the file again.",
        },
      ],
    },
    {
      title: "Paste the password",
      password: true,
      dos: [
        "Copy the password here, and go back to “Settings”.",
        "Hold the finger on the field, tap “Paste”, then “Next”.",
        "Tap “Done”.",
      ],
      done: "The profile is installed",
      troubles: [WRONG_PASSWORD],
    },
    PICK,
  ],
  android: [
    {
      title: "Open the saved file",
      dos: ["Pull down the notifications and tap the saved file."],
      done: "It asks for a password",
      troubles: [
        { seen: "It does not open", remedy: "Open “Files”, “Downloads”, and tap it there." },
      ],
    },
    {
      title: "Paste the password",
      password: true,
      dos: ["Copy the password here.", "Hold the finger on the field, tap “Paste”, then “OK”."],
      done: "It asks for a name or a use",
      troubles: [WRONG_PASSWORD],
    },
    {
      title: "What it is for",
      dos: ["Choose “VPN & app user certificate”.", "Leave the name as it is and tap “OK”."],
      done: "It is installed",
      troubles: [
        { seen: "It asks for a screen lock", remedy: "Set one up, and open the file again." },
      ],
    },
    PICK,
  ],
  firefox: [
    {
      title: "Open the certificates of Firefox",
      dos: [
        "Open the settings of Firefox.",
        "Search for “certificates” and click “View Certificates”.",
        "Choose “Your Certificates”, and click “Import”.",
        "Choose the saved file.",
      ],
      done: "It asks for a password",
      troubles: [
        {
          seen: "The file is not shown",
          remedy: "Choose “PKCS12 Files” or “All Files” at the bottom of the window.",
        },
      ],
    },
    {
      title: "Paste the password",
      password: true,
      dos: [
        "Copy the password here.",
        "Paste it, and click “Sign in” or “OK”.",
        "Close the window with “OK”.",
      ],
      done: "The certificate is in the list",
      troubles: [WRONG_PASSWORD],
    },
    PICK,
  ],
  plain: [
    {
      title: "Put the file into the certificates of this device",
      password: true,
      dos: [
        "Open the settings of the device or of the browser, and search for “certificates”.",
        "Choose “Import” among your own certificates, and choose the saved file.",
        "Paste the password.",
      ],
      done: "The certificate is in the list",
      troubles: [WRONG_PASSWORD],
    },
    PICK,
  ],
};
