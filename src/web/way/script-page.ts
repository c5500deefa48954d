import { html, type Html } from "../html.ts";
import { SCRIPT_WORDS } from "../messages/script-words.ts";
import { portalLayout, type PortalContext } from "../portal-layout.ts";
import { SCRIPT_FILE } from "../script/windows-script.ts";
import { awaiting } from "./identification.ts";
import type { WayView } from "./way-page.ts";

const RUN = `powershell -NoExit -NoProfile -ExecutionPolicy Bypass -File "%USERPROFILE%\\Downloads\\${SCRIPT_FILE}"`;
/** What takes away all that the script has left, of whichever device. */
export const UNDO = String.raw`powershell -NoProfile -ExecutionPolicy Bypass -Command "Get-ChildItem $env:LOCALAPPDATA\Suido\*\renew.ps1 | ForEach-Object { & $_.FullName -Uninstall }"`;

/** 「IT・機器設定の担当の方へ」: offers the script, and says what it does and how it is undone. */
export function scriptPage(
  context: PortalContext,
  { deviceName, pharmacyName, supportNumber }: WayView,
): Html {
  const words = SCRIPT_WORDS[context.language];
  const body = html`<section class="card">
    <h1>${words.title}</h1>
    <p class="lead">${words.lead}</p>
    <p><a href="/way">${words.back}</a></p>
    <ul>
      ${words.what.map((each) => html`<li>${each}</li>`)}
    </ul>
    <form method="post" action="/way/script">
      <button class="button">${words.download}</button>
    </form>
    <p>${words.run}</p>
    <pre tabindex="0"><code>${RUN}</code></pre>
    <p class="soft">${words.runMore}</p>
    ${awaiting("make", words.waiting)}
    <p>${words.undo}</p>
    <pre tabindex="0"><code>${UNDO}</code></pre>
  </section>`;
  return portalLayout(context, {
    title: words.title,
    body,
    script: true,
    ...(supportNumber !== undefined && { supportNumber }),
    ...(pharmacyName !== undefined && {
      who: { pharmacyName, ...(deviceName !== undefined && { deviceName }) },
    }),
  });
}
