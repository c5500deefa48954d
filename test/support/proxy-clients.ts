import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { pemFile } from "../../src/pki/pem.ts";
import { GateProcess } from "./gate-process.ts";
import { signWithOtherDates } from "./issuing-key.ts";
import { OpensslCa } from "./openssl-ca.ts";
import { ask } from "./outside-judge.ts";
import { eventually, type Issued, Service, type World } from "./service.ts";

const DAY = 24 * 60 * 60 * 1000;

/** Files that a client shows: its certificate with the issuing CA's behind it, and its key. */
export interface Client {
  readonly cert: string;
  readonly key: string;
  readonly serialNumber: string;
}

/** Whether a list of this bundle names the serial: its octets stand in no list by chance. */
const isListed = (bundle: Buffer, serialNumber: string): boolean =>
  pemFile(bundle.toString("latin1"), "X509 CRL").some((der) =>
    Buffer.from(der).includes(Buffer.from(serialNumber, "hex")),
  );

/** What a client needs of what was issued to it. */
type Kept = Pick<Issued, "certificate" | "chain" | "privateKey" | "serialNumber">;

interface Issuer {
  readonly kind: string;
  readonly fingerprint: string;
}

/** What the product behind a proxy was asked, as it answers it. */
export interface Seen {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** A product that says what it was told. */
async function startProduct(): Promise<Server> {
  const server = createServer(({ url, headers }, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ url, headers }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** A running Suido, a product, and clients of every kind. What is on hold or revoked stands on the published lists. */
export class ProxyClients {
  readonly service: Service;
  readonly world: World;
  readonly productUrl: string;
  readonly #product: Server;
  readonly #foreign = new OpensslCa();
  readonly #folder = mkdtempSync(path.join(tmpdir(), "suido-clients-"));
  readonly #clients = new Map<string, Client>();
  #root: Promise<string> | undefined;

  private constructor(service: Service, world: World, product: Server) {
    this.service = service;
    this.world = world;
    this.#product = product;
    this.productUrl = `http://127.0.0.1:${(product.address() as AddressInfo).port}`;
  }

  static async open(env: Readonly<Record<string, string>> = {}): Promise<ProxyClients> {
    const service = await Service.open(env);
    const world = await service.world();
    const clients = new ProxyClients(service, world, await startProduct());
    await clients.#issue();
    return clients;
  }

  async #issue(): Promise<void> {
    const { service } = this;
    await this.issue("good");
    const revoked = await this.issue("revoked");
    const held = await this.issue("held");
    await service.revoke(revoked.serialNumber, "keyCompromise");
    await service.revoke(held.serialNumber, "certificateHold");
    await this.#publish(revoked, held);
    const issued = await service.issue(this.world);
    const now = Date.now();
    const dates = [new Date(now - 400 * DAY), new Date(now - DAY)] as const;
    this.keep("expired", issued, await signWithOtherDates(service, issued.certificate, dates));
    const { pem: cert, key, serial: serialNumber } = this.#foreign.leaf("stranger");
    this.#clients.set("foreign", { cert, key, serialNumber });
  }

  /** One that was issued otherwise, under a name. */
  keep(name: string, issued: Kept, certificate = issued.certificate): Client {
    mkdirSync(this.#folder, { recursive: true });
    const [cert, key] = ["pem", "key"].map((end) => path.join(this.#folder, `${name}.${end}`));
    const client = { cert: cert ?? "", key: key ?? "", serialNumber: issued.serialNumber };
    writeFileSync(client.cert, certificate + (issued.chain[0] ?? ""));
    writeFileSync(client.key, issued.privateKey);
    this.#clients.set(name, client);
    return client;
  }

  /** Issues one more to the world's device. */
  async issue(name: string): Promise<Client> {
    return this.keep(name, await this.service.issue(this.world));
  }

  /** "good", "revoked", "held", "expired", "foreign", or what was issued since; "none" has no certificate. */
  get(name: string): Client | undefined {
    const client = this.#clients.get(name);
    if (client === undefined && name !== "none") throw new Error(`no client ${name}`);
    return client;
  }

  /** Writes the CAs and the lists as they are published now into a proxy's folder, as `suido gate` lays them out. */
  async layOut(folder: string): Promise<void> {
    const current = path.join(folder, "current");
    mkdirSync(current, { recursive: true });
    writeFileSync(path.join(current, "ca.pem"), await this.service.published("ca/bundle.pem"));
    writeFileSync(path.join(current, "lists.pem"), await this.service.published("crl/bundle.pem"));
  }

  /** The same without the root's list, which no proxy may take for "nothing is revoked". */
  async layOutWithoutRootList(folder: string): Promise<void> {
    await this.layOut(folder);
    const [, list = ""] = (await this.service.published("crl/bundle.pem"))
      .toString()
      .split(/^(?=-----BEGIN)/m);
    writeFileSync(path.join(folder, "current", "lists.pem"), list);
  }

  /** `suido gate` beside a proxy, with the root that an operator reads off `suido ca show`. */
  async gate(folder: string, ...more: readonly string[]): Promise<GateProcess> {
    const show = async (): Promise<string> => {
      const shown = await this.service.command<{ issuers: readonly Issuer[] }>("ca", "show");
      return shown.issuers.find(({ kind }) => kind === "root")?.fingerprint ?? "";
    };
    const root = await (this.#root ??= show());
    return new GateProcess(["--va", this.service.vaUrl, "--root", root, ...more], folder);
  }

  /** What OCSP says of the client's certificate: OpenSSL's words. */
  async ocsp({ cert, serialNumber }: Client): Promise<string> {
    // The second certificate of the file is the issuing CA's.
    const issuer = path.join(this.#folder, `${serialNumber}.issuer`);
    const [, issuing = ""] = readFileSync(cert, "utf8").split(/^(?=-----BEGIN)/m);
    writeFileSync(issuer, issuing);
    const where = ["-url", `${this.service.vaUrl}/ocsp`, "-noverify", "-no_nonce"];
    return (await ask("openssl", ["ocsp", "-issuer", issuer, "-cert", cert, ...where])).text;
  }

  /** Revokes the client's certificate, or holds it, and waits until OCSP says so. */
  async stop(client: Client, reason = "keyCompromise"): Promise<void> {
    await this.service.revoke(client.serialNumber, reason);
    await eventually(
      () => this.ocsp(client),
      (said) => said.includes(": revoked"),
    );
  }

  /** Waits until the lists that are given out name these. */
  async untilListed(...serialNumbers: readonly string[]): Promise<void> {
    await eventually(
      () => this.service.published("crl/bundle.pem"),
      (bundle) => serialNumbers.every((serialNumber) => isListed(bundle, serialNumber)),
    );
  }

  async #publish(...stopped: readonly Client[]): Promise<void> {
    await this.service.command("crl", "publish");
    await this.untilListed(...stopped.map(({ serialNumber }) => serialNumber));
  }

  /** Revokes the client's certificate, and waits until OCSP and the published list say so. */
  async revoke(client: Client): Promise<void> {
    await this.stop(client);
    await this.#publish(client);
  }

  async dispose(): Promise<void> {
    this.#product.close();
    this.#foreign.dispose();
    rmSync(this.#folder, { recursive: true, force: true });
    await this.service.dispose();
  }
}
