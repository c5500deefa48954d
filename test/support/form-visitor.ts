const HTML = "text/html";

export interface FormReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** A browser without script before a service that runs: it sends forms, keeps its cookies, and follows no redirect. */
export class FormVisitor {
  readonly #cookies = new Map<string, string>();
  readonly #app: string;
  readonly #agent: string;

  /** `app` is the address of the portal, `agent` what the browser says of itself. */
  constructor(app: string, agent: string) {
    this.#app = app;
    this.#agent = agent;
  }

  get(route: string): Promise<FormReply> {
    return this.#ask(route, HTML);
  }

  post(
    route: string,
    form: Readonly<Record<string, string>> = {},
    accept = HTML,
  ): Promise<FormReply> {
    const body = new URLSearchParams(form);
    return this.#ask(route, accept, { method: "POST", body });
  }

  async #ask(route: string, accept: string, init: RequestInit = {}): Promise<FormReply> {
    const reply = await fetch(`${this.#app}${route}`, {
      ...init,
      redirect: "manual",
      headers: {
        accept,
        "accept-language": "ja",
        "user-agent": this.#agent,
        cookie: Array.from(this.#cookies, ([name, value]) => `${name}=${value}`).join("; "),
      },
    });
    for (const set of reply.headers.getSetCookie()) {
      const [name = "", value = ""] = set.split(";", 1)[0]?.split(/=(.*)/s, 2) ?? [];
      this.#cookies.set(name, value);
    }
    const body = Buffer.from(await reply.arrayBuffer());
    return { status: reply.status, headers: reply.headers, body };
  }
}
