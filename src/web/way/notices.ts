import { html, type Html } from "../html.ts";
import { EQUIPMENT_PATH, type PortalContext } from "../portal-layout.ts";
import type { WayView } from "./way-page.ts";

/** The host that a device must reach to be checked. */
export interface Reach {
  readonly url: string;
  readonly host: string;
  readonly port: string;
}

interface NoticeWords {
  readonly title: string;
  readonly text: string;
}

/** Above the page's own heading, so it has none itself. `more` is what else stands in it, `attributes` what its script knows it by. */
export function notice(
  { title, text }: NoticeWords,
  { attributes, more }: { readonly attributes?: Html; readonly more?: Html | false } = {},
): Html {
  return html`<div class="notice" role="note" ${attributes}>
    <p><b>${title}</b></p>
    <p>${text}</p>
    ${more}
  </div>`;
}

/** What a pharmacist hands on to whoever looks after the equipment. */
const toEquipment = ({ words }: PortalContext): Html =>
  html`<p><a href="${EQUIPMENT_PATH}" target="_blank">${words.equipment}</a></p>`;

/** What is in the way, and what is done about it. */
export const above = ({ words }: PortalContext, view: WayView): readonly NoticeWords[] => [
  ...view.warnings.map((each) => words.warnings[each]),
  ...(view.isOtherKind ? [words.otherDevice(view.deviceName ?? "")] : []),
];

/** What stands above everything where the page was opened in a place that will not do. */
export function notices(view: WayView, context: PortalContext): Html {
  const { unsupported } = context.words.warnings;
  return html`${above(context, view).map((each) =>
    notice(each, { more: each === unsupported && toEquipment(context) }),
  )}`;
}

/** What only the device itself can tell (`browser/precheck.ts`): hidden unless its script finds it wrong. */
export function prechecks(context: PortalContext, now: Date, { url, host, port }: Reach): Html {
  const { clock, isPrivate, unreachable } = context.words.warnings;
  const text = unreachable.text.replace("{host}", host).replace("{port}", port);
  return html`<div class="prechecks" aria-live="polite">
    ${notice(clock, { attributes: html`hidden data-clock="${now.getTime()}"` })}
    ${notice(
      { ...unreachable, text },
      { attributes: html`hidden data-reach="${url}"`, more: toEquipment(context) },
    )}
    ${notice(isPrivate, { attributes: html`hidden data-private` })}
  </div>`;
}
