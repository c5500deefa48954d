/**
 * What only the device itself can tell before somebody begins. Nothing is said where nothing is wrong, and all is known
 * within two seconds. All words are the page's, in elements that are hidden until then:
 *
 *   data-clock="MS"         this device's clock is more than two minutes from that
 *   data-reach="ADDRESS"    nobody answers there
 *   data-private            the window forgets everything when it is closed
 */

const CLOCK_TOLERANCE_MS = 2 * 60_000;
const REACH_MS = 2_000;

/** Read by `http/way-view.ts`. As long as an invitation lives, in seconds. */
const TOUCH_COOKIE = "suido-touch";
const TOUCH_SECONDS = 15 * 24 * 60 * 60;

const all = (selector: string): NodeListOf<HTMLElement> => document.querySelectorAll(selector);

function isClockRight({ dataset }: HTMLElement): boolean {
  // oxlint-disable-next-line eslint-js/no-restricted-syntax -- the question is what this very clock says
  return Math.abs(Date.now() - Number(dataset["clock"])) <= CLOCK_TOLERANCE_MS;
}

async function isReached({ dataset }: HTMLElement): Promise<boolean> {
  const signal = AbortSignal.timeout(REACH_MS);
  try {
    await fetch(dataset["reach"] ?? "", { mode: "no-cors", credentials: "omit", signal });
    return true;
  } catch {
    return false;
  }
}

/**
 * Firefox and Safari refuse a window that keeps nothing the file system of a site, with a SecurityError and an UnknownError.
 * Chromium hides from pages which window it is (since 147, all ways of finding out but the speed of its disk), so nothing is
 * said there: no alarm is better than a false one.
 */
async function isKept(): Promise<boolean> {
  if ("userAgentData" in navigator || !("getDirectory" in (navigator.storage ?? {}))) return true;
  try {
    await navigator.storage.getDirectory();
    return true;
  } catch (error) {
    return !(
      error instanceof DOMException && ["SecurityError", "UnknownError"].includes(error.name)
    );
  }
}

/** An iPad sends the header of a Mac, and an Android tablet may send that of a computer: the page is asked for once more. */
function tellTouch(): void {
  const { maxTouchPoints, userAgent } = navigator;
  const isAmbiguous = /Macintosh|X11; Linux/.test(userAgent) && maxTouchPoints > 1;
  if (!isAmbiguous || document.cookie.includes(TOUCH_COOKIE)) return;
  document.cookie = `${TOUCH_COOKIE}=${maxTouchPoints}; path=/; max-age=${TOUCH_SECONDS}; samesite=lax`;
  // Where cookies are refused it would ask for ever.
  if (!document.cookie.includes(TOUCH_COOKIE)) return;
  // What this page would do by itself the next one does.
  for (const form of all("form[data-auto]")) delete form.dataset["auto"];
  location.reload();
}

tellTouch();
for (const each of all("[data-clock]")) each.hidden = isClockRight(each);
for (const each of all("[data-reach]"))
  void isReached(each).then((isWell) => (each.hidden = isWell));
for (const each of all("[data-private]")) void isKept().then((isWell) => (each.hidden = isWell));
