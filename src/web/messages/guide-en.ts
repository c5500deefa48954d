import { GUIDE_COMPUTERS_EN, WRONG_PASSWORD } from "./guide-computers-en.ts";
import { GUIDE_DIALOGS_EN } from "./guide-dialogs-en.ts";
import type { GuideMessages, GuideTrouble } from "./guide-words.ts";

const NOT_LISTED: GuideTrouble = {
  seen: "“{certificate}” is not in the list",
  remedy:
    "Cancel, go back to this page, and go through the steps from the first. Doing it twice breaks nothing.",
};

const NOT_ASKED: GuideTrouble = {
  seen: "You are not asked for a certificate",
  remedy:
    "If the page says that the check has succeeded, all is well. Otherwise close all windows of the browser and open this page again.",
};

const PICK_TROUBLES = [NOT_LISTED, NOT_ASKED];

const GONE: GuideTrouble = {
  seen: "The profile is not there",
  remedy:
    "It goes away after about 8 minutes. Go back and save it once more. Or look in General → VPN & Device Management.",
};

/** The words of the guides in English. */
export const GUIDE_EN: GuideMessages = {
  ...GUIDE_COMPUTERS_EN,
  dialogs: GUIDE_DIALOGS_EN,
  apple: {
    allow: {
      title: "Allow the download",
      alt: "Two messages in Safari: Allow is tapped in the first, Close in the second.",
      dos: ["Tap “Allow”.", "Tap “Close”."],
      done: "It said “Profile Downloaded”",
      troubles: [
        { seen: "“Choose a Device”", remedy: "Choose “iPad” or “iPhone”, not “Apple Watch”." },
        { seen: "I tapped “Ignore”", remedy: "Go back and save it once more." },
      ],
    },
    file: {
      title: "Open the saved file",
      alt: "The list of Safari’s downloads with the saved file, and the message after it.",
      dos: ["Tap “{file}” in Safari’s downloads.", "Tap “Close”."],
      done: "It said “Profile Downloaded”",
      troubles: [
        {
          seen: "I do not see the file",
          remedy: "Open the Files app, and tap the file in Downloads.",
        },
        { seen: "“Choose a Device”", remedy: "Choose “iPad” or “iPhone”, not “Apple Watch”." },
      ],
    },
    settings: {
      title: "Open the profile in Settings",
      intro: "Do it within 8 minutes of saving it.",
      alt: "The sign of the Settings app, and its first page with “Profile Downloaded” at the top.",
      dos: ["Go back to the home screen, and tap “Settings”.", "Tap “Profile Downloaded”."],
      done: "“Install Profile” appeared",
      troubles: [GONE],
    },
    install: {
      title: "Install it",
      alt: "The profile with Install at the top right, the passcode, the question, and Done.",
      dos: [
        "Tap “Install” at the top right.",
        "Type the passcode of this device.",
        "Tap “Install” as often as it is asked.",
        "Tap “Done”.",
      ],
      done: "It said “Profile Installed”",
      troubles: [
        {
          seen: "I do not know the passcode",
          remedy: "It is the number with which you unlock this device. Ask whoever looks after it.",
        },
        {
          seen: "“Profile Installation Failed”",
          remedy: "Take the file in the other form, and go through the steps again.",
          otherStyle: true,
        },
      ],
    },
    installFile: {
      title: "Install it",
      intro: "It says “Not Signed”, in red. With this file that is as it should be.",
      alt: "The profile with Install at the top right, the passcode, and the question whether to install.",
      dos: [
        "Tap “Install” at the top right.",
        "Type the passcode of this device.",
        "Tap “Install” as often as it is asked.",
      ],
      done: "It asks for the password",
      troubles: [
        {
          seen: "I do not know the passcode",
          remedy: "It is the number with which you unlock this device. Ask whoever looks after it.",
        },
      ],
    },
    password: {
      title: "Paste the password",
      intro: "Copy it with the button here, and come back to Settings.",
      alt: "The screen for the password: paste into the field, Next at the top right, then Done.",
      dos: ["Touch and hold the field, and tap “Paste”.", "Tap “Next”.", "Tap “Done”."],
      done: "It said “Profile Installed”",
      troubles: [WRONG_PASSWORD],
    },
  },
  android: {
    open: {
      title: "Open the saved file",
      alt: "The list of downloads with the saved file.",
      dos: ["Pull down the notifications from the top of the screen, and tap “{file}”."],
      done: "It asks for a password",
      troubles: [
        { seen: "It does not open", remedy: "Open the Files app, and tap the file in Downloads." },
      ],
    },
    password: {
      title: "Paste the password",
      intro: "Copy it with the button here; nothing is to be typed.",
      alt: "The dialog for the password: paste into the field and tap OK.",
      dos: ["Touch and hold the field, and tap “Paste”.", "Tap “OK”."],
      done: "It asks for a type or a name",
      troubles: [WRONG_PASSWORD],
    },
    kind: {
      title: "Choose the type",
      alt: "The dialog for the type: VPN & app user certificate is chosen, OK is tapped.",
      dos: ["Choose “VPN & app user certificate”.", "Tap “OK”."],
      done: "It asks for a name",
      troubles: [
        { seen: "No type is asked", remedy: "Go on to the next step." },
        {
          seen: "It wants a screen lock",
          remedy: "Set a PIN or a pattern, and open the file again.",
        },
      ],
    },
    name: {
      title: "Give it its name",
      alt: "The dialog for the name, which is there already. OK is tapped.",
      dos: ["Leave the name as it is, and tap “OK”."],
      done: "It said that it is installed",
      troubles: [
        { seen: "No name is there", remedy: "Write the name of this device, and tap “OK”." },
      ],
    },
  },
  pick: {
    chromium: {
      title: "Choose the certificate",
      alt: "The browser’s list of certificates: the one of this device is chosen, OK is pressed.",
      dos: ["See that “{certificate}” is chosen; if not, click it.", "Click “OK”."],
      done: "I chose it",
      troubles: PICK_TROUBLES,
    },
    safari: {
      title: "Choose the certificate",
      alt: "Safari’s list of certificates: the one of this device is chosen, Continue is pressed.",
      dos: ["See that “{certificate}” is chosen; if not, click it.", "Click “Continue”."],
      done: "I chose it",
      troubles: PICK_TROUBLES,
    },
    safariFile: {
      title: "Choose the certificate",
      alt: "Safari’s list of certificates, and the question of the keychain, with Always Allow.",
      dos: [
        "See that “{certificate}” is chosen; if not, click it.",
        "Click “Continue”.",
        "Type the password with which you log in to this Mac.",
        "Click “Always Allow”.",
      ],
      done: "I chose it",
      troubles: [
        ...PICK_TROUBLES,
        {
          seen: "It asks for the password again and again",
          remedy: "Click “Always Allow”, not “Allow”.",
        },
      ],
    },
    firefox: {
      title: "Choose the certificate",
      alt: "The request of Firefox: the certificate of this device is chosen, OK is pressed.",
      dos: ["See that “{certificate}” is chosen.", "Click “OK”."],
      done: "I chose it",
      troubles: PICK_TROUBLES,
    },
    apple: {
      title: "Choose the certificate",
      intro: "If you are not asked, all is well: Safari has chosen it.",
      alt: "Safari’s message that the website requires a certificate. Continue is tapped.",
      dos: ["If there is a list, choose “{certificate}”.", "Tap “Continue”."],
      done: "I chose it",
      troubles: PICK_TROUBLES,
    },
    android: {
      title: "Choose the certificate",
      alt: "Chrome’s list of certificates: the one of this device is chosen, Select is tapped.",
      dos: ["See that “{certificate}” is chosen; if not, tap it.", "Tap “Select”."],
      done: "I chose it",
      troubles: PICK_TROUBLES,
    },
    plain: {
      title: "Choose the certificate",
      alt: "The browser’s list of certificates: the one of this device is chosen, OK is pressed.",
      dos: ["See that “{certificate}” is chosen.", "Press “OK”."],
      done: "I chose it",
      troubles: PICK_TROUBLES,
    },
  },
  close: {
    alt: "The browser’s menu at the top right, and at its end the item that closes all windows.",
    dos: {
      chrome: [
        "Click the menu of three dots at the top right.",
        "Click “Exit” at the end of the menu. All windows close. On a Mac, press the Q key while you hold the Command key.",
      ],
      edge: [
        "Click the menu of three dots at the top right.",
        "Click “Close Microsoft Edge” at the end of the menu. All windows close. On a Mac, press the Q key while you hold the Command key.",
      ],
      safari: [
        "Click “Safari” at the top left of the screen.",
        "Click “Quit Safari”. All windows close.",
      ],
      firefox: [
        "Click the menu of three lines at the top right.",
        "Click “Exit” at the end of the menu. All windows close. On a Mac, press the Q key while you hold the Command key.",
      ],
      other: ["Open the menu of the browser.", "Choose “Exit” or “Quit”. All windows close."],
    },
  },
};
