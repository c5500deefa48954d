import type { FastifyInstance, LightMyRequestResponse } from "fastify";

type Reply = Promise<LightMyRequestResponse>;

import { newCsr, newKey } from "../ca/app-side.ts";

/** Chrome on Windows. */
const DESK =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/** A browser: it keeps its cookies, and says what it is. */
export class Visitor {
  readonly cookies = new Map<string, string>();
  readonly #app: FastifyInstance;
  readonly #agent: string;

  constructor(app: FastifyInstance, agent = DESK) {
    this.#app = app;
    this.#agent = agent;
  }

  async go(
    method: "GET" | "POST",
    url: string,
    { form, headers = {} }: { readonly form?: object; readonly headers?: object } = {},
  ): Reply {
    const reply = await this.#app.inject({
      method,
      url,
      headers: {
        accept: "text/html",
        "accept-language": "ja",
        "user-agent": this.#agent,
        host: "localhost:8000",
        ...(this.cookies.size > 0 && { cookie: this.cookie }),
        ...(form !== undefined && { "content-type": "application/x-www-form-urlencoded" }),
        ...headers,
      },
      ...(form !== undefined && {
        payload: String(new URLSearchParams(form as Record<string, string>)),
      }),
    });
    for (const set of [reply.headers["set-cookie"] ?? []].flat()) this.#keep(set);
    return reply;
  }
  /** As it is sent. */
  get cookie(): string {
    return Array.from(this.cookies, ([name, value]) => `${name}=${value}`).join("; ");
  }
  set cookie(text: string) {
    this.cookies.clear();
    if (text !== "") this.#keep(text);
  }
  #keep(set: string): void {
    const [name = "", value = ""] = set.split(";", 1)[0]?.split(/=(.*)/s, 2) ?? [];
    if (value === "") this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
  press = (form: object, headers: object = {}): Reply =>
    this.go("POST", "/start", { form, headers });
  page = async (): Promise<string> => {
    const { body } = await this.go("GET", "/way");
    return /<h1[^>]*>([^<]+)</.exec(body)?.[1] ?? "";
  };
  state = async (): Promise<string> => (await this.go("GET", "/way/state")).json().page as string;
  csr = (key = newKey()): Reply =>
    this.go("POST", "/way/certificates", {
      form: { csr: newCsr(key) },
      headers: { accept: "application/json" },
    });
}
