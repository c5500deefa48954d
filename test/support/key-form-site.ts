import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

import { plainSite } from "../../src/config/site.ts";
import { loadAssets } from "../../src/web/assets.ts";
import type { Certificate, Service } from "./service.ts";

const assets = loadAssets(plainSite());

const PAGE = `<!doctype html>
<html lang="ja">
  <head>
    <meta charset="utf-8" />
    <title>かぎを作る</title>
    <link rel="icon" href="${assets.icon.path}" type="${assets.icon.type}" />
    <script src="${assets.way.path}" defer></script>
  </head>
  <body>
    <h1>かぎを作る</h1>
    <form data-key-form method="post" action="/issue" data-style="modern" data-file-name="受付1号機.p12">
      <input type="hidden" name="token" value="t-1" />
      <button>作る</button>
    </form>
    <p data-key-part="working" hidden role="status">作っています</p>
    <div data-key-part="saving" hidden tabindex="-1">
      <a data-key="save">保存する</a>
      <code data-key="password"></code>
      <button type="button" data-key="copy">写す</button>
      <span data-key="copied" hidden role="status">写しました</span>
      <button type="button" data-key="other-style">ほかの形</button>
    </div>
    <p data-key-part="refused" hidden tabindex="-1">作れませんでした</p>
    <p data-key-part="unreached" hidden tabindex="-1">つながりませんでした</p>
  </body>
</html>`;

/**
 * A site with one form that makes keys, for as long as no page of Suido has one: script and content security policy come
 * from a real instance's app listener, certificates from its API.
 */
export class KeyFormSite {
  /** What was posted to `/issue`, in order. */
  readonly posts: URLSearchParams[] = [];
  issued: Certificate | undefined;
  /** The status with which `/issue` answers instead of issuing. */
  refuse: number | undefined;
  readonly #server: Server;
  readonly #service: Service;
  readonly #device: { readonly accountId: string; readonly deviceId: string };

  private constructor(service: Service, device: { accountId: string; deviceId: string }) {
    this.#service = service;
    this.#device = device;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
  }

  static async open(service: Service): Promise<KeyFormSite> {
    const { accountId, deviceId } = await service.world();
    const site = new KeyFormSite(service, { accountId, deviceId });
    site.#server.listen(0, "127.0.0.1");
    await once(site.#server, "listening");
    return site;
  }

  get url(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}/`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === "POST") {
      await this.#issue(request, response);
      return;
    }
    const path = request.url ?? "/";
    const real = await fetch(new URL(path, this.#service.instance.urls.app));
    const headers = Object.fromEntries(real.headers);
    const body = path === "/" ? PAGE : Buffer.from(await real.arrayBuffer());
    // All that such a page needs beyond what the app allows its pages.
    headers["content-security-policy"] += ";script-src 'self';connect-src 'self'";
    delete headers["content-length"];
    delete headers["connection"];
    delete headers["transfer-encoding"];
    response.writeHead(real.status, headers).end(body);
  }

  async #issue(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fields = new URLSearchParams(await text(request));
    this.posts.push(fields);
    if (this.refuse !== undefined || !fields.has("csr")) {
      response.writeHead(this.refuse ?? 200, { "content-type": "text/plain" }).end("server-made");
      return;
    }
    this.issued = await this.#service.must<Certificate>("POST", "/v1/certificates", {
      body: { ...this.#device, csr: fields.get("csr") },
    });
    const { certificate, chain } = this.issued;
    response
      .writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify({ certificate, chain }));
  }
}
