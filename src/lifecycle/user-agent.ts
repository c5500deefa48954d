import type { Pkcs12Style } from "../pki/pkcs12.ts";
import type { Platform } from "../registry/vocabulary.ts";

/**
 * What a request and its page tell of the browser. Header fields are as they were sent; those of User-Agent Client Hints
 * come from Chrome and Edge only, and Sec-CH-UA-Platform-Version only where the answer before had asked by `Accept-CH`.
 */
export interface BrowserSigns {
  readonly userAgent?: string;
  readonly secChUaPlatform?: string;
  readonly secChUaPlatformVersion?: string;
  /**
   * `navigator.maxTouchPoints`, which the page itself reports, by a cookie. An iPad sends the very header of a Mac; no Mac has a touch
   * screen and says 0, an iPad 5. Without it (no script) a Mac is taken for a Mac.
   */
  readonly touchPoints?: number;
}

/** Whose certificate store and dialogs it uses. */
type BrowserName = "chrome" | "edge" | "safari" | "firefox" | "other";

/** A browser inside another app. It shows no certificates of the device, or forgets them with its window. */
type InAppBrowser = "line" | "yahoo-japan" | "facebook" | "instagram" | "other";

/** What the guided installation goes by. */
export interface Browser {
  readonly platform: Platform;
  /** Of the platform, as people say it: `11`, `18.6`. Absent where browsers keep it to themselves. */
  readonly version?: string;
  readonly browser: BrowserName;
  readonly inApp?: InAppBrowser;
  /** On iPhone and iPad certificates of the device are Safari's alone: whatever else runs there must be left for it. */
  readonly needsSafari: boolean;
  /** Too old for what we need of it: no help is drawn for these, the equipment's vendor is to renew it. */
  readonly isUnsupported: boolean;
  /** What this platform's importer reads. Firefox on a computer has its own, which reads both. */
  readonly bundle: Pkcs12Style;
}

type Version = readonly number[];

/** The numbers of `10_15_7` or `15.6.1`; undefined of whatever else. */
function numbers(text: string | undefined): Version | undefined {
  if (text === undefined || !/^\d{1,5}(?:[._]\d{1,5}){0,3}$/.test(text)) return undefined;
  return text.split(/[._]/).map(Number);
}

/** As people say it: without the zeros at its end. */
function said(version: Version | undefined): string | undefined {
  if (version === undefined) return undefined;
  const last = version.findLastIndex((number, at) => number !== 0 || at === 0);
  return version.slice(0, last + 1).join(".");
}

/** The first group of a pattern, as numbers. */
const versionIn = (userAgent: string, pattern: RegExp): Version | undefined =>
  numbers(pattern.exec(userAgent)?.[1]);

/** A string of a structured field (RFC 9651 §3.3.3) without what may stand escaped in it: platforms have no such names. */
const unquoted = (field: string | undefined): string | undefined =>
  field === undefined ? undefined : /^"([^"\\]*)"$/.exec(field.trim())?.[1];

/** As browsers name it in Sec-CH-UA-Platform (WICG UA-CH §3.6). */
const HINTED: Readonly<Record<string, Platform>> = {
  Windows: "windows",
  macOS: "macos",
  Android: "android",
  "Chrome OS": "chromeos",
  "Chromium OS": "chromeos",
  Linux: "linux",
  iOS: "ios",
};

/** In this order: Windows phones and Chromebooks name others after themselves, and Androids and iPhones too. */
const NAMED: readonly (readonly [RegExp, Platform])[] = [
  [/Windows Phone|KAIOS|Tizen|Web0S|SMART-TV/i, "other"],
  [/Windows NT|Windows 9|Win64/, "windows"],
  [/iPhone|iPod/, "ios"],
  [/iPad/, "ipados"],
  [/Android/, "android"],
  [/CrOS/, "chromeos"],
  [/Macintosh/, "macos"],
  [/Linux|X11/, "linux"],
];

/** Browsers of iPhone and iPad that are not Safari. On an iPad they say Macintosh too. */
const APPLE_GUESTS = /\b(?:CriOS|FxiOS|EdgiOS|OPiOS|OPT|GSA|DuckDuckGo|Focus|YaBrowser)\//;

function platformOf({ userAgent = "", secChUaPlatform, touchPoints = 0 }: BrowserSigns): Platform {
  const hinted = HINTED[unquoted(secChUaPlatform) ?? ""];
  const platform =
    hinted ?? NAMED.find(([pattern]) => pattern.test(userAgent))?.[1] ?? ("other" as const);
  if (platform === "macos" && (touchPoints > 1 || APPLE_GUESTS.test(userAgent))) return "ipados";
  // Chrome on Android tablets asks for the computer's page by itself, and is then a Linux to every header.
  if (platform === "linux" && touchPoints > 1) return "android";
  return platform;
}

/** Names of apps within the header. The last are any other app's web view, on Android and on Apple's devices. */
const IN_APP: readonly (readonly [RegExp, InAppBrowser])[] = [
  [/\bLine\/\d/i, "line"],
  [/\bYJApp-(?:IOS|ANDROID)\b/, "yahoo-japan"],
  [/\bInstagram\b/, "instagram"],
  [/\bFB(?:AN|AV|_IAB)\b|\[FB/, "facebook"],
  [/; wv\)/, "other"],
  [/\((?:iPhone|iPad|iPod)[^)]*\)(?!.*\bSafari\/)/, "other"],
];

const BROWSERS: readonly (readonly [RegExp, BrowserName])[] = [
  [/\b(?:Edg|EdgA|EdgiOS)\/\d/, "edge"],
  [/\b(?:Firefox|FxiOS)\/\d/, "firefox"],
  [
    /\b(?:OPR|OPT|OPiOS|SamsungBrowser|YaBrowser|Vivaldi|Whale|DuckDuckGo|GSA|Edge)\/\d|Silk\//,
    "other",
  ],
  [/\b(?:Chrome|CriOS|Chromium)\/\d/, "chrome"],
  [/\bVersion\/\d.*\bSafari\//, "safari"],
];

/** What Windows NT calls itself, and what its people call it. From 10.0 on the number stands still. */
const NT: Readonly<Record<string, string>> = {
  "5.1": "xp",
  "5.2": "xp",
  "6.0": "vista",
  "6.1": "7",
  "6.2": "8",
  "6.3": "8.1",
};

/** Sec-CH-UA-Platform-Version on Windows is that of an API contract: 13 and later is Windows 11, 0 is before 10. */
function windowsVersion(userAgent: string, hinted: Version | undefined): string | undefined {
  const [contract] = hinted ?? [];
  if (contract === undefined || contract === 0)
    return NT[/Windows NT (\d+\.\d)/.exec(userAgent)?.[1] ?? ""];
  return contract >= 13 ? "11" : "10";
}

/** Since macOS 11 every browser says 10.15 (Firefox) or 10.15.7. */
function macVersion(userAgent: string): Version | undefined {
  const stated = versionIn(userAgent, /Mac OS X (\d[\d._]*)/);
  const isFrozen = stated?.[0] === 10 && stated[1] === 15;
  return isFrozen ? undefined : stated;
}

/** Since Safari 26 the header stands still at 18.6 or 18.7. Safari's own version is its system's. */
function appleVersion(userAgent: string): Version | undefined {
  const safari = versionIn(userAgent, /\bVersion\/(\d[\d.]*)/);
  const stated = versionIn(userAgent, /\bOS (\d+[\d_]*) like Mac OS X/);
  const isSafari = !APPLE_GUESTS.test(userAgent) && safari !== undefined;
  if (isSafari && (stated === undefined || (safari[0] ?? 0) > (stated[0] ?? 0))) return safari;
  const mayBeFrozen = stated?.[0] === 18 && (stated[1] ?? 0) >= 6 && !isSafari;
  return mayBeFrozen ? undefined : stated;
}

/** Since Chrome 110 every Android is a "10; K" to it (user-agent reduction). */
const androidVersion = (userAgent: string): Version | undefined =>
  /Android 10; K\)/.test(userAgent) ? undefined : versionIn(userAgent, /Android (\d[\d.]*)/);

function versionOf(platform: Platform, signs: BrowserSigns): string | undefined {
  const { userAgent = "", secChUaPlatformVersion } = signs;
  const hinted = numbers(unquoted(secChUaPlatformVersion));
  switch (platform) {
    case "windows":
      return windowsVersion(userAgent, hinted);
    case "macos":
      return said(hinted ?? macVersion(userAgent));
    case "ios":
    case "ipados":
      return said(appleVersion(userAgent));
    case "android":
      return said(hinted ?? androidVersion(userAgent));
    case "chromeos":
    case "linux":
    case "other":
      return undefined;
  }
}

/** The oldest of each for which help is drawn: what their makers still mended in 2024, or the last before. */
const OLDEST_SYSTEM: Readonly<Partial<Record<Platform, number>>> = {
  macos: 12,
  ios: 15,
  ipados: 15,
  android: 10,
};
const OLDEST_BROWSER: readonly (readonly [RegExp, number])[] = [
  // 109 and 115 are the last that run on Windows 7 and 8.1.
  [/\b(?:Chrome|CriOS)\/(\d+)/, 110],
  [/\bFirefox\/(\d+)/, 115],
  [/^(?!.*Chrom).*\bVersion\/(\d+).*\bSafari\//, 15],
];

const OLD_WINDOWS = new Set(Object.values(NT));

/** A version that nobody tells is no fault of the person's: it passes. */
function isTooOld(userAgent: string, platform: Platform, version: string | undefined): boolean {
  if (/MSIE |Trident\/|\bEdge\/\d/.test(userAgent)) return true;
  if (platform === "windows" && version !== undefined && OLD_WINDOWS.has(version)) return true;
  const [system] = numbers(version) ?? [];
  const oldest = OLDEST_SYSTEM[platform];
  if (system !== undefined && oldest !== undefined && system < oldest) return true;
  return OLDEST_BROWSER.some(([pattern, least]) => {
    const [major] = versionIn(userAgent, pattern) ?? [];
    return major !== undefined && major < least;
  });
}

/** Of a platform's own importer. `compatible` is read by all of them; where `modern` is read by each version, it is better. */
function bundleOf(platform: Platform, browser: BrowserName, isUnsupported: boolean): Pkcs12Style {
  const hasOwnStore = browser === "firefox" && (platform === "macos" || platform === "windows");
  if (hasOwnStore) return "modern";
  const isModern = platform === "windows" || platform === "linux" || platform === "chromeos";
  return isModern && !isUnsupported ? "modern" : "compatible";
}

/** In characters. No browser's is as long, and what follows would only keep the patterns busy. */
const LONGEST = 1024;

const isApple = (platform: Platform): boolean => platform === "ios" || platform === "ipados";

/**
 * Which page of the guided installation a browser is shown. It never throws: whatever cannot be told is `other`, or absent.
 * None of it is trusted for anything but choosing pictures and the form of a file.
 */
export function browserOf(sent: BrowserSigns): Browser {
  const userAgent = sent.userAgent?.slice(0, LONGEST) ?? "";
  const signs = { ...sent, userAgent };
  const platform = platformOf(signs);
  const version = versionOf(platform, signs);
  const inApp = IN_APP.find(([pattern]) => pattern.test(userAgent))?.[1];
  const found = BROWSERS.find(([pattern]) => pattern.test(userAgent))?.[1] ?? "other";
  const browser = inApp === undefined ? found : "other";
  const isUnsupported = isTooOld(userAgent, platform, version);
  return {
    platform,
    ...(version !== undefined && { version }),
    browser,
    ...(inApp !== undefined && { inApp }),
    needsSafari: isApple(platform) && browser !== "safari",
    isUnsupported,
    bundle: bundleOf(platform, browser, isUnsupported),
  };
}
