/** Markup that is safe to send: written by us, with everything from outside escaped. Only `html` makes it. */
export class Html {
  readonly text: string;

  private constructor(text: string) {
    this.text = text;
  }

  /** What the template tag says, with each value escaped unless it is markup already. */
  static from(strings: readonly string[], values: readonly Child[]): Html {
    let text = strings[0] ?? "";
    for (const [index, value] of values.entries())
      text += render(value) + (strings[index + 1] ?? "");
    return new Html(text);
  }

  toString(): string {
    return this.text;
  }
}

/** What may stand between two pieces of markup. Absent and false children are nothing. */
export type Child = Html | string | number | false | undefined | readonly Child[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** The text as it may stand in an element or in a quoted attribute (HTML §13.1.2.3, §13.3). */
function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

function render(child: Child): string {
  if (child instanceof Html) return child.text;
  if (child === undefined || child === false) return "";
  if (typeof child === "object") return child.map((each) => render(each)).join("");
  return escapeHtml(String(child));
}

/** Markup by template: html`<p>${name}</p>` escapes the name. Attributes must be quoted. */
export function html(strings: TemplateStringsArray, ...values: readonly Child[]): Html {
  return Html.from(strings, values);
}
