import { readFileSync } from "node:fs";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { text } from "node:stream/consumers";

import { OpensslCa } from "./openssl-ca.ts";
import { acceptedBy, Proxy, type ProxyPlan, type Reply } from "./proxy.ts";
import { type Client, ProxyClients } from "./proxy-clients.ts";
import { eventually } from "./service.ts";

/** What a recipe that asks Suido for each request is filled with. */
export interface Asking {
  /** Address and port of Suido's app listener. */
  readonly suido: string;
  /** Host and port of its mTLS listener. */
  readonly suidoMtls: string;
  readonly identity: ProxyIdentity;
  /** Suido's CAs in PEM. */
  readonly authorities: string;
  readonly productUrl: string;
}

/** By what Suido knows a proxy: each does. */
export interface ProxyIdentity {
  readonly apiKey: string;
  /** PEM, with its key, for the mTLS listener. */
  readonly certificate: string;
  readonly privateKey: string;
}

/** A running Suido with clients of every kind, and proxies before it that ask at each request. */
export class ForwardAuth {
  readonly clients: ProxyClients;
  readonly #planOf: (asking: Asking) => ProxyPlan;
  readonly #proxies: Proxy[] = [];
  readonly #ca = new OpensslCa();
  readonly #identities = new Map<string, Promise<ProxyIdentity>>();

  private constructor(clients: ProxyClients, planOf: (asking: Asking) => ProxyPlan) {
    this.clients = clients;
    this.#planOf = planOf;
  }

  static async open(planOf: (asking: Asking) => ProxyPlan): Promise<ForwardAuth> {
    return new ForwardAuth(await ProxyClients.open(), planOf);
  }

  /** A certificate of another CA than Suido's. */
  #certificate(name: string): Omit<ProxyIdentity, "apiKey"> {
    const { pem, key } = this.#ca.leaf(name);
    return { certificate: readFileSync(pem, "utf8"), privateKey: readFileSync(key, "utf8") };
  }

  /** Nobody whom Suido knows. */
  unknown(): ProxyIdentity {
    return { apiKey: `suido_prx_${"A".repeat(43)}`, ...this.#certificate("unknown") };
  }

  /** A relying party for whose product certificates are demanded as strictly as the stage says. */
  identity(stage = "enforce"): Promise<ProxyIdentity> {
    const identity = this.#identities.get(stage) ?? this.#register(stage);
    this.#identities.set(stage, identity);
    return identity;
  }

  async #register(defaultStage: string): Promise<ProxyIdentity> {
    const { service } = this.clients;
    const { certificate, privateKey } = this.#certificate(defaultStage);
    const name = `proxy of ${defaultStage}`;
    const party = { name, product: defaultStage, uses: ["authorize"], defaultStage };
    const body = { ...party, clientCertificate: certificate };
    await service.must("POST", "/v1/relying-parties", { body });
    const words = ["api-key", "create", "--role", "proxy", "--relying-party", name];
    const { key: apiKey } = await service.command<{ key: string }>(...words);
    return { apiKey, certificate, privateKey };
  }

  /** A proxy that asks as this one, with what `suido gate` lays out in its folder, not yet started. */
  async prepare(identity: ProxyIdentity, more: Partial<ProxyPlan> = {}): Promise<Proxy> {
    const { productUrl, service } = this.clients;
    const { app, mtls } = service.instance.urls;
    const asking = {
      suido: `127.0.0.1:${new URL(app).port}`,
      suidoMtls: new URL(mtls).host,
      identity,
      authorities: (await service.published("ca/bundle.pem")).toString(),
      productUrl,
    };
    const proxy = await Proxy.prepare({ ...this.#planOf(asking), ...more });
    this.#proxies.push(proxy);
    const { code, stderr } = await (await this.clients.gate(proxy.folder)).once();
    if (code !== 0) throw new Error(`gate ended with ${code}: ${stderr}`);
    return proxy;
  }

  async start(identity: ProxyIdentity, more: Partial<ProxyPlan> = {}): Promise<Proxy> {
    const proxy = await this.prepare(identity, more);
    await proxy.start();
    // Some listen before they know what to do.
    await eventually(
      () => proxy.get(undefined),
      ({ status }) => status !== 0 && status !== 404,
    );
    return proxy;
  }

  async dispose(): Promise<void> {
    for (const proxy of this.#proxies) await proxy.dispose();
    this.#ca.dispose();
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
    "Suido-Emergency": "forged",
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
