import type { GuideMessages, GuideTrouble } from "./guide-words.ts";

/** The password was not taken. */
export const WRONG_PASSWORD: GuideTrouble = {
  seen: "“The password is incorrect”",
  remedy:
    "Copy the password again and paste it. If that does not help, take the file in the other form.",
  otherStyle: true,
};

/** The words of the guides for computers in English. */
export const GUIDE_COMPUTERS_EN: Pick<
  GuideMessages,
  "windows" | "macProfile" | "macFile" | "macDownload" | "firefox" | "plain"
> = {
  windows: {
    open: {
      title: "Open the saved file",
      alt: "The list of downloads at the top right of the browser. The saved file is marked.",
      dos: ["Click “{file}” in the list of downloads."],
      done: "“Certificate Import Wizard” has opened",
      troubles: [
        {
          seen: "There is no list of downloads",
          remedy: "Press the J key while you hold the Ctrl key. Then click the file.",
        },
        {
          seen: "Clicking does nothing",
          remedy: "Open the Downloads folder, and double-click “{file}”.",
        },
      ],
    },
    store: {
      title: "Check where it is stored",
      alt: "The first two dialogs of the wizard. Current User is chosen in the first; Next is pressed in both.",
      dos: [
        "See that “Current User” is chosen.",
        "Click “Next”.",
        "Click “Next” again on the screen that follows.",
      ],
      done: "It asks for the password",
      troubles: [
        {
          seen: "It asks for the password of an administrator",
          remedy: "Click “No” or “Cancel”. Open the file again and choose “Current User”.",
        },
      ],
    },
    password: {
      title: "Paste the password",
      intro: "Copy it with the button here; nothing is to be typed.",
      alt: "The dialog for the password: paste into the field, leave the boxes below as they are, and press Next.",
      dos: [
        "Click the “Password” field, and press the V key while you hold the Ctrl key.",
        "Leave the boxes below as they are, and click “Next”.",
      ],
      done: "It shows “Certificate Store”",
      troubles: [WRONG_PASSWORD],
    },
    finish: {
      title: "Finish",
      alt: "The last three dialogs: Next, Finish, and OK below “The import was successful”.",
      dos: [
        "Leave it at “Automatically select…”, and click “Next”.",
        "Click “Finish”.",
        "When it says “The import was successful.”, click “OK”.",
      ],
      done: "It said “The import was successful”",
      troubles: [
        {
          seen: "It said that the import failed",
          remedy: "Take the file in the other form, and go through the steps again.",
          otherStyle: true,
        },
        {
          seen: "It asks for something about security",
          remedy: "Leave it as it is, and click “OK”.",
        },
      ],
    },
  },
  macDownload: {
    alt: "First, the question whether to allow downloads.",
    todo: "If it asks whether to allow downloads, click “Allow”.",
  },
  macProfile: {
    open: {
      title: "Open the saved file",
      alt: "The arrow at the top right of the browser, and the saved file in the list below it.",
      dos: ["Click the arrow at the top right of the browser.", "Double-click “{file}”."],
      done: "“Profile Downloaded” appeared",
      troubles: [
        {
          seen: "There is no arrow",
          remedy: "Open the Downloads folder in the Dock, and double-click “{file}”.",
        },
      ],
    },
    settings: {
      title: "Open the profile in System Settings",
      intro: "Do it within 8 minutes of saving the file.",
      alt: "System Settings with “Profile Downloaded” at the left, and the profile at the right.",
      dos: [
        "Open “System Settings” from the Apple menu at the top left.",
        "Click “Profile Downloaded”.",
        "Double-click “Certificate of this Mac”.",
      ],
      done: "It asks whether to install the profile",
      troubles: [
        {
          seen: "There is no “Profile Downloaded”",
          remedy:
            "Open General → Device Management. If it is not there either, go back and save the file again.",
        },
      ],
    },
    install: {
      title: "Install it",
      alt: "The question whether to install, and the dialog for the password of the Mac.",
      dos: [
        "Click “Install”.",
        "Type the password with which you log in to this Mac, and click “OK”.",
      ],
      done: "The profile is in the list",
      troubles: [
        {
          seen: "The password is not accepted",
          remedy:
            "It is the one with which you log in to this Mac. If you do not know it, ask whoever set up the Mac.",
        },
      ],
    },
  },
  macFile: {
    open: {
      title: "Open the saved file",
      alt: "The arrow at the top right of the browser, and the saved file in the list below it.",
      dos: ["Click the arrow at the top right of the browser.", "Double-click “{file}”."],
      done: "“Keychain Access” opened",
      troubles: [
        {
          seen: "There is no arrow",
          remedy: "Open the Downloads folder in the Dock, and double-click “{file}”.",
        },
      ],
    },
    add: {
      title: "Add it to the login keychain",
      alt: "The dialog of Keychain Access: the login keychain is chosen, Add is pressed.",
      dos: ["See that “login” is chosen.", "Click “Add”."],
      done: "It asks for the password",
      troubles: [
        {
          seen: "Nothing is asked",
          remedy:
            "Open the file once more. If the password is asked at once, go on to the next step.",
        },
      ],
    },
    password: {
      title: "Paste the password",
      intro: "Copy it with the button here; nothing is to be typed.",
      alt: "The dialog for the password of the file: paste into the field and press OK.",
      dos: ["Click the field, and press the V key while you hold the Command key.", "Click “OK”."],
      done: "The dialog has closed",
      troubles: [WRONG_PASSWORD],
    },
  },
  firefox: {
    settings: {
      title: "Open the certificates of Firefox",
      alt: "The menu of Firefox with Settings, and the settings after a search for certificates.",
      dos: [
        "Click the menu of three lines at the top right.",
        "Click “Settings”.",
        "Write “certificates” into the search field.",
        "Click “View Certificates…”.",
      ],
      done: "“Certificate Manager” opened",
      troubles: [
        {
          seen: "The search finds nothing",
          remedy: "Click “Privacy & Security” at the left, and go to the end of the page.",
        },
      ],
    },
    import: {
      title: "Import the file",
      alt: "The certificate manager: the tab Your Certificates, and Import at the foot.",
      dos: ["Click “Your Certificates”.", "Click “Import…”."],
      done: "A window to choose a file opened",
      troubles: [
        {
          seen: "There is no “Import…”",
          remedy: "See that “Your Certificates” is chosen at the top.",
        },
      ],
    },
    file: {
      title: "Choose the saved file",
      alt: "The window to choose a file, with the saved file marked, and Open.",
      dos: ["Click “{file}” in Downloads.", "Click “Open”."],
      done: "It asks for the password",
      troubles: [
        { seen: "The file is not there", remedy: "Choose “All Files” at the foot of the window." },
      ],
    },
    password: {
      title: "Paste the password",
      intro: "Copy it with the button here; nothing is to be typed.",
      alt: "The dialog for the password: paste into the field and press Sign in.",
      dos: [
        "Click the field, and press the V key while you hold Ctrl (Command on a Mac).",
        "Click “Sign in” or “OK”.",
      ],
      done: "The certificate is in the list",
      troubles: [WRONG_PASSWORD],
    },
  },
  plain: {
    settings: {
      title: "Open the place of the certificates",
      intro: "The words may be a little different on this device.",
      alt: "A page of settings after a search for certificates.",
      dos: [
        "Open the settings of the browser or of the device, and search for “certificates”.",
        "Choose “Manage certificates”.",
      ],
      done: "The list of certificates opened",
      troubles: [
        {
          seen: "The search finds nothing",
          remedy: "Look under “Privacy and security” → “Security”.",
        },
      ],
    },
    file: {
      title: "Import the saved file",
      alt: "The list of one’s own certificates with Import, and the window to choose a file.",
      dos: [
        "Choose “Import” at your own certificates.",
        "Choose “{file}” in Downloads.",
        "Press “Open”.",
      ],
      done: "It asks for the password",
      troubles: [
        {
          seen: "There are “Import” and “Import and Bind”",
          remedy: "On a Chromebook choose “Import and Bind”.",
        },
        { seen: "The file is not there", remedy: "Choose “All files” at the foot of the window." },
      ],
    },
    password: {
      title: "Paste the password",
      intro: "Copy it with the button here; nothing is to be typed.",
      alt: "The dialog for the password: paste into the field and press OK.",
      dos: ["Paste the password into the field.", "Press “OK”."],
      done: "The certificate is in the list",
      troubles: [WRONG_PASSWORD],
    },
  },
};
