import { readFileSync } from "node:fs";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { text } from "node:stream/consumers";

import { acceptedBy, pageOf, Proxy, type ProxyPlan, type Reply } from "./proxy.ts";
import { type Client, ProxyClients } from "./proxy-clients.ts";

/** What a recipe that asks Suido for each request is filled with. */
export interface Asking {
  /** Address and port of Suido's app listener. */
  readonly suido: string;
  /** The proxy's API key. */
  readonly key: string;
  readonly productUrl: string;
}

/** A running Suido with clients of every kind, and proxies before it that ask at each request. */
export class ForwardAuth {
  readonly clients: ProxyClients;
  readonly #planOf: (asking: Asking) => ProxyPlan;
  readonly #proxies: Proxy[] = [];
  readonly #keys = new Map<string, Promise<string>>();

  private constructor(clients: ProxyClients, planOf: (asking: Asking) => ProxyPlan) {
    this.clients = clients;
    this.#planOf = planOf;
  }

  static async open(planOf: (asking: Asking) => ProxyPlan): Promise<ForwardAuth> {
    return new ForwardAuth(await ProxyClients.open(), planOf);
  }

  /** The API key of a relying party for whose product certificates are demanded as strictly as the stage says. */
  key(stage = "enforce"): Promise<string> {
    const key = this.#keys.get(stage) ?? this.#makeKey(stage);
    this.#keys.set(stage, key);
    return key;
  }

  async #makeKey(defaultStage: string): Promise<string> {
    const { service } = this.clients;
    const name = `proxy of ${defaultStage}`;
    const body = { name, product: defaultStage, uses: ["authorize"], defaultStage };
    await service.must("POST", "/v1/relying-parties", { body });
    const words = ["api-key", "create", "--role", "proxy", "--relying-party", name];
    return (await service.command<{ key: string }>(...words)).key;
  }

  /** A proxy that asks with this key, with what `suido gate` lays out in its folder, not yet started. */
  async prepare(key: string, more: Partial<ProxyPlan> = {}): Promise<Proxy> {
    const { productUrl, service } = this.clients;
    const suido = `127.0.0.1:${new URL(service.instance.urls.app).port}`;
    const proxy = await Proxy.prepare({ ...this.#planOf({ suido, key, productUrl }), ...more });
    this.#proxies.push(proxy);
    const { code, stderr } = await (await this.clients.gate(proxy.folder)).once();
    if (code !== 0) throw new Error(`gate ended with ${code}: ${stderr}`);
    return proxy;
  }

  async start(key: string, more: Partial<ProxyPlan> = {}): Promise<Proxy> {
    const proxy = await this.prepare(key, more);
    await proxy.start();
    return proxy;
  }

  async dispose(): Promise<void> {
    for (const proxy of this.#proxies) await proxy.dispose();
    await this.clients.dispose();
  }
}

/** Fields that some proxy uses for a certificate, or this one for what Suido has said. */
const ABOUT_CLIENTS = /suido|client-(?:cert|der|serial|verify)/;

/** All that the product was told of its client; all of the reply when the proxy let nobody through. */
export function toldBy(reply: Reply): Record<string, unknown> {
  const told = Object.entries(acceptedBy(reply));
  return Object.fromEntries(
    told.filter(([name]) => reply.status !== 200 || ABOUT_CLIENTS.test(name)),
  );
}

/** "200", or the status with the help page. */
export const outcomeOf = (reply: Reply): string => (reply.status === 200 ? "200" : pageOf(reply));

/** curl's words for a client that sends whatever might make it pass for the owner of this certificate, each twice. */
export function pretendingToBe({ cert }: Client): string[] {
  const pem = /-----BEGIN[^]+?-----END CERTIFICATE-----\n/.exec(readFileSync(cert, "utf8"))?.[0];
  const base64 = (pem ?? "").replaceAll(/-----[^-]+-----|\s/g, "");
  const escaped = encodeURIComponent(pem ?? "");
  const fields = {
    "X-SSL-Client-Cert": escaped,
    "X-SSL-Client-DER": base64,
    "X-Forwarded-Tls-Client-Cert": base64,
    "X-Forwarded-Client-Cert": `Cert="${escaped}"`,
    "Client-Cert": `:${base64}:`,
    "Client-Cert-Chain": `:${base64}:`,
    "Suido-Stage": "off",
    "Suido-Reason": "none of yours",
    "Suido-Device": "forged",
    "Suido-Account": "forged",
    "Suido-Pharmacy": "019aa5f0-3c5e-7b1a-9d52-6f0d6c1f7a10",
    "Suido-Corporation": "forged",
    "Suido-Serial": "forged",
    "Suido-Days-Left": "400",
    "Suido-Help": "https://forged.example",
    suido_device: "forged",
    "X-Client-Serial": "forged",
    "X-Client-Verify": "SUCCESS",
  };
  const twice = Object.entries(fields).flatMap(([name, value]) => {
    const field = `${name}: ${value}`;
    return ["--header", field, "--header", field];
  });
  return [...twice, "--header", "Authorization: Bearer forged"];
}

/** A client's connection that stays open. */
export class OpenConnection {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #proxy: Proxy;
  readonly #client: Client;

  constructor(proxy: Proxy, client: Client) {
    this.#proxy = proxy;
    this.#client = client;
  }

  /** `GET /`, and whether it went by the connection of before. */
  async get(): Promise<Reply & { readonly isReused: boolean }> {
    const sent = request({
      host: "localhost",
      port: this.#proxy.port,
      agent: this.#agent,
      ca: readFileSync(this.#proxy.file("server.pem")),
      cert: readFileSync(this.#client.cert),
      key: readFileSync(this.#client.key),
    });
    sent.end();
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const body = await text(response);
    return { status: response.statusCode ?? 0, body, said: "", isReused: sent.reusedSocket };
  }

  close(): void {
    this.#agent.destroy();
  }
}
