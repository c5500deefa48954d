import type { BrowserContext } from "playwright-core";

interface Did {
  readonly what: "press" | "type";
  readonly name: string;
}

/**
 * To be run in each page: what a person presses, by mouse, finger or key, and into which fields they type. What a script does is
 * not trusted (DOM §2.5, isTrusted), and counts for nothing. A field is one action, with the press that brings the cursor there.
 */
const LISTEN = `(() => {
  const name = (at) => (at.labels?.[0] ?? at).textContent.trim().replaceAll(/\\s+/g, " ");
  for (const type of ["click", "input"])
    addEventListener(type, (event) => {
      if (!event.isTrusted) return;
      const at = event.target.closest("a, button, summary, input, textarea, select, label") ?? event.target;
      const isField = at.matches("textarea, input:not([type=radio], [type=checkbox])");
      suidoDid({ what: isField ? "type" : "press", name: name(at) });
    }, true);
})()`;

/** What somebody does on the pages of a browser, in order. */
export class Recorder {
  readonly #did: Did[] = [];

  private constructor() {
    // Only `on` makes one.
  }

  static async on(context: BrowserContext): Promise<Recorder> {
    const recorder = new Recorder();
    await context.exposeBinding("suidoDid", (_source, did: Did) => {
      const last = recorder.#did.at(-1);
      if (did.what === "type" && last?.what === "type" && last.name === did.name) return;
      recorder.#did.push(did);
    });
    await context.addInitScript(LISTEN);
    return recorder;
  }

  /** As "press 確認する" or "type コード". */
  get actions(): readonly string[] {
    return this.#did.map(({ what, name }) => `${what} ${name}`);
  }
}
