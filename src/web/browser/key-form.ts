import type { Pkcs12Style } from "../../pki/pkcs12.ts";
import { type Answer, type Bundle, DeviceKey } from "./device-key.ts";
import { leadTo } from "./tab.ts";

/**
 * Makes a form with `data-key-form` make its key in this tab. Sent without this script, the same form asks the server to
 * make the key: nobody is left without a way. All words are the page's; this file shows and hides them:
 *
 *   <form data-key-form method="post" action="…" data-style="modern" data-file-name="desk.p12">
 *   data-key-part="working | saving | refused | unreached"   one of them is shown at a time, once the form is sent
 *   data-key="password"      takes the password as its text
 *   data-key="name"          takes the certificate's name, as the browser will offer it
 *   data-key="save"          a link that gets the file: followed once by itself, and there for whom nothing was saved
 *   data-key="copy"          a button; data-key="copied" is shown when the password is in the clipboard, where it is put by
 *                            itself when the file was made at a press
 *   data-key="other-style"   a button: the same key and certificate in the other form of file, with another password
 *
 * Of its content security policy the page needs `script-src 'self'` and `connect-src 'self'`.
 */

type Part = "working" | "saving" | "refused" | "unreached";

/** Nobody answered: another attempt may mend it. */
class UnreachedError extends Error {}

const OTHER: Readonly<Record<Pkcs12Style, Pkcs12Style>> = {
  modern: "compatible",
  compatible: "modern",
};

const all = (selector: string): Iterable<HTMLElement> =>
  document.querySelectorAll<HTMLElement>(selector);

function show(part: Part): void {
  for (const each of all("[data-key-part]")) {
    each.hidden = each.dataset["keyPart"] !== part;
    if (!each.hidden) leadTo(each); // where the page lets it have the focus, so that it is read out
  }
}

/** Sends the form's own fields and the request, and nothing else that this tab knows. */
async function post(form: HTMLFormElement, csr: string): Promise<Answer> {
  const body = new URLSearchParams({ csr });
  for (const [name, value] of new FormData(form))
    if (typeof value === "string") body.append(name, value);
  const headers = { accept: "application/json" };
  let reply: Response;
  try {
    reply = await fetch(form.action, { method: "POST", body, headers });
  } catch (error) {
    throw new UnreachedError("nobody answered", { cause: error });
  }
  if (!reply.ok) throw new Error(`status ${reply.status}`);
  return (await reply.json()) as Answer;
}

/** What one form has made so far. Nothing of it is kept anywhere but in this tab. */
class KeyForm {
  readonly #form: HTMLFormElement;
  #style: Pkcs12Style;
  #key: Promise<DeviceKey> | undefined;
  #answer: Answer | undefined;
  #address: string | undefined;

  constructor(form: HTMLFormElement) {
    this.#form = form;
    this.#style = form.dataset["style"] === "compatible" ? "compatible" : "modern";
  }

  /** Sent again after a failure it asks with the same request, to which there is one certificate only. */
  async send(): Promise<void> {
    await this.#working(async () => {
      this.#key ??= DeviceKey.make();
      const key = await this.#key;
      this.#answer ??= await post(this.#form, key.csr);
      this.#offer(await key.bundle(this.#answer, this.#style));
    });
  }

  async otherStyle(): Promise<void> {
    this.#style = OTHER[this.#style];
    await this.send();
  }

  async #working(work: () => Promise<void>): Promise<void> {
    show("working");
    // Longer than a frame: the derivation of keys holds up the tab, and the person is to see first that it works.
    await new Promise((resolve) => setTimeout(resolve, 20));
    try {
      await work();
      show("saving");
      document.querySelector<HTMLElement>("a[data-key=save]")?.click();
      // Not pressed for just now, Chrome would ask whether this site may see what was copied, in front of everything.
      if (navigator.userActivation?.isActive) void copyPassword();
    } catch (error) {
      show(error instanceof UnreachedError ? "unreached" : "refused");
    }
  }

  #offer({ file, name, password }: Bundle): void {
    if (this.#address !== undefined) URL.revokeObjectURL(this.#address);
    this.#address = URL.createObjectURL(new Blob([file], { type: "application/x-pkcs12" }));
    for (const link of document.querySelectorAll<HTMLAnchorElement>("a[data-key=save]")) {
      link.href = this.#address;
      link.download = this.#form.dataset["fileName"] ?? "certificate.p12";
    }
    for (const each of all("[data-key=password]")) each.textContent = password;
    for (const each of all("[data-key=name]")) each.textContent = name;
    for (const each of all("[data-key=copied]")) each.hidden = true;
  }
}

/** A policy of the browser may refuse it: then people copy by hand. */
async function copyPassword(): Promise<void> {
  const shown = document.querySelector("[data-key=password]")?.textContent ?? "";
  const isCopied = await navigator.clipboard.writeText(shown).then(
    () => true,
    () => false,
  );
  for (const each of all("[data-key=copied]")) each.hidden = !isCopied;
}

function enhance(form: HTMLFormElement): void {
  const made = new KeyForm(form);
  let busy: Promise<void> | undefined;
  /** One at a time: a second press while the first is at work would make a second file. */
  const once = (work: () => Promise<void>): void => {
    busy ??= work().finally(() => (busy = undefined));
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    once(() => made.send());
  });
  for (const button of all("[data-key=other-style]"))
    button.addEventListener("click", () => once(() => made.otherStyle()));
  for (const button of all("[data-key=copy]"))
    button.addEventListener("click", () => void copyPassword());
}

const CAN_MAKE_KEYS = globalThis.isSecureContext && "subtle" in crypto && "at" in Array.prototype;

/** Without WebCrypto (plain HTTP), or in a browser from before 2022, the form stays what it was, and waits to be pressed. */
for (const form of document.querySelectorAll<HTMLFormElement>("form[data-key-form]"))
  if (CAN_MAKE_KEYS) enhance(form);
  else delete form.dataset["auto"];
