import {
  browserSupportsWebAuthn,
  startAuthentication,
  startRegistration,
} from "@simplewebauthn/browser";

/**
 * Forms that a passkey answers instead of somebody's fingers. All words are the page's:
 *
 *   data-passkey="create|use"  shown where the browser has passkeys; the form's own address takes the answer
 *   data-options="ADDRESS"     what the browser is asked with
 *   data-refused               shown where it did not work, which also is when somebody has pressed cancel
 */

type Ask = (optionsJSON: never) => Promise<unknown>;

const ASK: Readonly<Record<string, Ask>> = {
  create: (optionsJSON) => startRegistration({ optionsJSON }),
  use: (optionsJSON) => startAuthentication({ optionsJSON }),
};

async function send(address: string, body: unknown): Promise<unknown> {
  const reply = await fetch(address, {
    method: "POST",
    headers: { accept: "application/json", "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!reply.ok) throw new Error(String(reply.status));
  return reply.json();
}

async function answer(form: HTMLFormElement): Promise<void> {
  const { options = "", passkey = "" } = form.dataset;
  const asked = (await send(options, {})) as never;
  const { next } = (await send(form.action, await ASK[passkey]?.(asked))) as {
    readonly next: string;
  };
  location.assign(next);
}

function take(form: HTMLFormElement): void {
  const refused = form.querySelector<HTMLElement>("[data-refused]");
  const button = form.querySelector("button");
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (refused !== null) refused.hidden = true;
    if (button !== null) button.disabled = true;
    answer(form).catch(() => {
      if (refused !== null) refused.hidden = false;
      if (button === null) return;
      button.disabled = false;
      button.focus(); // which it has lost by being disabled
    });
  });
}

if (browserSupportsWebAuthn())
  for (const form of document.querySelectorAll<HTMLFormElement>("[data-passkey]")) take(form);
