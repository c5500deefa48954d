import type { FastifyRequest } from "fastify";

import { type Browser, browserOf } from "../lifecycle/user-agent.ts";
import type { Way } from "../lifecycle/way-row.ts";
import type { GuideKind } from "../web/guide/guide.ts";
import type { Installing } from "../web/way/installation.ts";
import { pageOf, type WayPage } from "../web/way/states.ts";
import type { WayView } from "../web/way/way-page.ts";

/** Set by the pages' script (`web/browser/precheck.ts`): how many fingers the screen feels. */
const TOUCH_COOKIE = "suido-touch";

/** What the request tells of its browser. */
export function browserIn({ cookies, headers }: FastifyRequest): Browser {
  const one = (name: string): string | undefined => {
    const value = headers[name];
    return typeof value === "string" ? value : undefined;
  };
  const [agent, platform, version] = [
    "user-agent",
    "sec-ch-ua-platform",
    "sec-ch-ua-platform-version",
  ].map(one);
  // No cookies are read where a device shows its certificate.
  const touch = (cookies as typeof cookies | undefined)?.[TOUCH_COOKIE];
  return browserOf({
    ...(touch !== undefined && { touchPoints: Number(touch) }),
    ...(agent !== undefined && { userAgent: agent }),
    ...(platform !== undefined && { secChUaPlatform: platform }),
    ...(version !== undefined && { secChUaPlatformVersion: version }),
  });
}

/** What of the browser would be in the way. */
export function warningsOf({ inApp, needsSafari, isUnsupported }: Browser): WayView["warnings"] {
  if (inApp !== undefined) return ["inApp"];
  if (needsSafari) return ["needsSafari"];
  return isUnsupported ? ["unsupported"] : [];
}

/** An iPad sends the header of a Mac. */
const makerOf = (platform: string): string =>
  ["ios", "ipados", "macos"].includes(platform) ? "apple" : platform;

/** Whether what runs there takes a configuration profile. */
export const isApples = ({ platform }: Browser): boolean => makerOf(platform) === "apple";

/** Whether a browser is on another kind of device than was registered. An "other" may be anything. */
export function isOtherKind(registered: string | undefined, { platform }: Browser): boolean {
  if (registered === undefined || registered === "other" || platform === "other") return false;
  return makerOf(registered) !== makerOf(platform);
}

/** What else decides how it goes on. */
export interface Wishes {
  /** A file with its password, where a profile is what is offered first. */
  readonly file: boolean;
  /** Where the site has a sign-in: what it came to, if anything. */
  readonly signIn?: { readonly came: string | undefined };
}

const PROBLEMS = ["cancelled", "unavailable", "again", "unknown"] as const;

/** What the page says of signing in. Whoever has signed in as somebody else has a page for it, while that matters. */
function signInOf(page: WayPage, came: string | undefined): Pick<WayView, "page" | "signIn"> {
  const problem = PROBLEMS.find((each) => each === came);
  return {
    page: page === "identify" && came === "other" ? "otherPerson" : page,
    signIn: problem === undefined ? {} : { problem },
  };
}

const isMobile = (platform: string): boolean => platform === "ios" || platform === "ipados";

/** How a certificate is put onto this platform. What calls itself a Mac, and was registered as an iPad, is one. */
function kindOn(
  { platform, browser }: Browser,
  {
    registered = "other",
    file,
  }: Pick<Wishes, "file"> & { readonly registered: string | undefined },
): GuideKind {
  if (isMobile(platform) || (platform === "macos" && isMobile(registered)))
    return file ? "apple-file" : "apple-profile";
  if (platform === "android") return "android";
  if (browser === "firefox") return "firefox";
  if (platform === "macos") return file ? "macos-file" : "macos-profile";
  return platform === "windows" ? "windows" : "plain";
}

function installingOn(
  browser: Browser,
  wanted: Pick<Wishes, "file"> & { readonly registered: string | undefined },
): Installing {
  return { kind: kindOn(browser, wanted), style: browser.bundle, browser: browser.browser };
}

/** Whether a script can do it here. A machine of an emergency has its certificate for a night, and nothing renews it. */
export const hasScript = (way: Pick<Way, "isEmergency">, { platform }: Browser): boolean =>
  platform === "windows" && !way.isEmergency;

/**
 * Whose dialogs a page speaks of that is read on a device which was registered as this, if it is known. Safari that calls
 * itself a Mac's may be an iPad's, and there is no script to tell.
 */
export function readOn(request: FastifyRequest, registered: string | undefined): Installing {
  const browser = browserIn(request);
  const isUncertain = browser.browser === "safari" && browser.platform === "macos";
  const known = registered ?? (isUncertain ? "ipados" : undefined);
  return installingOn(browser, { registered: known, file: true });
}

/** What the page of the browser that has begun shows. */
export function viewOf(way: Way, browser: Browser, wishes: Wishes): WayView {
  const { certificate } = way;
  return {
    page: pageOf(way),
    ...(wishes.signIn !== undefined && signInOf(pageOf(way), wishes.signIn.came)),
    ...(way.deviceName !== undefined && { deviceName: way.deviceName }),
    pharmacyName: way.pharmacyName,
    supportNumber: way.supportNumber,
    made: way.made,
    ...(way.isEmergency && { isEmergency: true }),
    mayAskForAnother: way.mayAskForAnother,
    ...(way.mail !== undefined && { mail: way.mail }),
    warnings: warningsOf(browser),
    isOtherKind: isOtherKind(way.platform, browser),
    installing: installingOn(browser, { registered: way.platform, ...wishes }),
    ...(hasScript(way, browser) && { hasScript: true }),
    ...(certificate !== undefined && {
      commonName: certificate.commonName,
      serialNumber: certificate.serialNumber,
      notAfter: certificate.notAfter,
    }),
  };
}
