import { html, type Html } from "./html.ts";

/** What a form says that takes a code of digits. */
export interface CodeForm {
  readonly action: string;
  readonly label: string;
  readonly hint?: string;
  readonly wrong: string;
  readonly primary: string;
  /** After so many digits the page's script sends it. */
  readonly full?: number;
}

/**
 * The form for a code that somebody reads elsewhere; after a wrong one its field has the focus, and what is wrong is the field's
 * description: an alert beside it would be read a second time.
 */
export function digitsForm(
  { action, full, hint, label, primary, wrong }: CodeForm,
  isWrong: boolean,
): Html {
  const described = [...(isWrong ? ["wrong"] : []), ...(hint === undefined ? [] : ["hint"])];
  return html`<form method="post" action="${action}" class="stack">
    <label for="code">${label}</label>
    ${hint !== undefined && html`<p class="soft" id="hint">${hint}</p>`}
    ${isWrong && html`<p class="bad" id="wrong">${wrong}</p>`}
    <input
      id="code"
      name="code"
      class="code"
      ${full !== undefined && html`data-full="${full}"`}
      required
      maxlength="40"
      inputmode="numeric"
      autocomplete="one-time-code"
      ${described.length > 0 && html`aria-describedby="${described.join(" ")}"`}
      ${isWrong && html`aria-invalid="true" autofocus`}
    />
    <button class="button">${primary}</button>
  </form>`;
}
