import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import path from "node:path";
import tls from "node:tls";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { signWithOtherDates } from "../support/issuing-key.ts";
import { Nginx, type Reply } from "../support/nginx.ts";
import { OpensslCa, type Party } from "../support/openssl-ca.ts";
import { ask } from "../support/outside-judge.ts";
import { type Issued, Service, type World } from "../support/service.ts";

const DAY = 24 * 60 * 60 * 1000;

let service: Service;
let world: World;
let foreign: OpensslCa;
let stranger: Party;
let product: Server;
let productUrl: string;
let productKey: string;

interface Client {
  readonly cert: string;
  readonly key: string;
}

beforeAll(async () => {
  service = await Service.open();
  world = await service.world();
  foreign = new OpensslCa();
  stranger = foreign.leaf("stranger");
  const words = ["api-key", "create", "--role", "product", "--corporation", world.corporationId];
  productKey = (await service.command<{ key: string }>(...words)).key;
  product = await startProduct();
});

afterAll(async () => {
  product.close();
  foreign.dispose();
  await service.dispose();
});

/** A product as customers have it: it knows the serial from its proxy, and asks Suido whose it is. */
async function startProduct(): Promise<Server> {
  const server = createServer(({ headers }, response) => {
    const serial = String(headers["x-client-serial"]).toLowerCase();
    const call = { key: productKey };
    const reply = async (): Promise<void> => {
      const answer = await service.call("GET", `/v1/status/${serial}`, call);
      response.writeHead(answer.status, { "content-type": "application/json" });
      response.end(JSON.stringify({ verify: headers["x-client-verify"], ...answer.body }));
    };
    void reply();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  productUrl = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  return server;
}

/** Files for curl: the certificate with the issuing CA's behind it, and the key. */
function clientOf(
  nginx: Nginx,
  { certificate, chain, privateKey, serialNumber }: Issued,
  other = certificate,
): Client {
  const folder = nginx.file("clients");
  mkdirSync(folder, { recursive: true });
  const cert = path.join(folder, `${serialNumber}.pem`);
  const key = path.join(folder, `${serialNumber}.key`);
  writeFileSync(cert, other + (chain[0] ?? ""));
  writeFileSync(key, privateKey);
  return { cert, key };
}

/** The device's certificate as its CA would have signed it for a year that has ended. */
async function expired(issued: Issued): Promise<string> {
  const now = Date.now();
  const dates = [new Date(now - 400 * DAY), new Date(now - DAY)] as const;
  return signWithOtherDates(service, issued.certificate, dates);
}

/** What the product behind the proxy said; all of the reply when the proxy let nobody through. */
function accepted(reply: Reply): unknown {
  return reply.status === 200 ? JSON.parse(reply.body) : reply;
}

/** What an accepted certificate must lead to. */
function itself({ serialNumber }: Issued): object {
  const { accountId, deviceId, pharmacyId } = world;
  const [account, device, pharmacy] = [accountId, deviceId, pharmacyId].map((id) => ({ id }));
  return { verify: "SUCCESS", serialNumber, status: "good", account, device, pharmacy };
}

/** Why the proxy refused, in its own words; empty when it did not. */
function refusal({ body, log, status }: Reply): string {
  return status === 400 && body.includes("The SSL certificate error") ? log : "";
}

const REVOKED_BY_LIST = /certificate verify error: \(23:certificate revoked\)/;
const EXPIRED = /certificate verify error: \(10:certificate has expired\)/;
const FOREIGN = /certificate verify error: \(2[01]:unable to/;
const LIST_EXPIRED = /certificate verify error: \(12:CRL has expired\)/;

/** Whether a second connection of the same client can resume the session of the first. */
async function resumes(nginx: Nginx, client: Client): Promise<boolean> {
  const open = async (session?: Buffer): Promise<{ session?: Buffer; reused: boolean }> => {
    const socket = tls.connect({
      host: "127.0.0.1",
      port: nginx.port,
      servername: "localhost",
      ca: readFileSync(nginx.file("server.pem")),
      cert: readFileSync(client.cert),
      key: readFileSync(client.key),
      ...(session !== undefined && { session }),
    });
    let ticket: Buffer | undefined;
    socket.on("session", (given: Buffer) => (ticket = given));
    await once(socket, "secureConnect");
    socket.write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    socket.resume();
    const reused = socket.isSessionReused();
    await once(socket, "close");
    return { ...(ticket !== undefined && { session: ticket }), reused };
  };
  const { session } = await open();
  return session === undefined ? false : (await open(session)).reused;
}

describe("crl.conf", () => {
  let nginx: Nginx;

  const fetchLists = (): Promise<void> =>
    nginx.reloaded(async () => {
      const args = [service.vaUrl, nginx.folder, ...nginx.reloadCommand];
      const said = await ask("deploy/nginx/fetch-lists.sh", args);
      expect(said).toEqual({ code: 0, text: "" });
    });
  const fetchOnly = (): Promise<{ code: number; text: string }> =>
    ask("deploy/nginx/fetch-lists.sh", [service.vaUrl, nginx.folder]);

  /** New lists, published by the running service and taken over by the proxy. */
  const publish = async (): Promise<void> => {
    await service.command("crl", "publish");
    await fetchLists();
  };

  beforeAll(async () => {
    nginx = await Nginx.prepare("deploy/nginx/crl.conf", { PRODUCT_URL: productUrl });
    writeFileSync(nginx.file("ca.pem"), await service.published("ca/bundle.pem"));
    await fetchOnly();
    await nginx.start();
  });

  afterAll(() => nginx.dispose());

  it("accepts a good certificate, and the product learns whose device it is", async () => {
    const issued = await service.issue(world);
    expect(accepted(await nginx.get(clientOf(nginx, issued)))).toMatchObject(itself(issued));
  });

  it("refuses a revoked certificate once the new list is in force", async () => {
    const issued = await service.issue(world);
    const client = clientOf(nginx, issued);
    expect(accepted(await nginx.get(client))).toMatchObject(itself(issued));
    await service.revoke(issued.serialNumber, "superseded");
    await publish();
    expect(refusal(await nginx.get(client))).toMatch(REVOKED_BY_LIST);
  });

  it("refuses a certificate on hold, and accepts it again after its release", async () => {
    const issued = await service.issue(world);
    const client = clientOf(nginx, issued);
    await service.revoke(issued.serialNumber, "certificateHold");
    await publish();
    expect(refusal(await nginx.get(client))).toMatch(REVOKED_BY_LIST);
    await service.unhold(issued.serialNumber);
    await publish();
    expect(accepted(await nginx.get(client))).toMatchObject(itself(issued));
  });

  it("refuses an expired certificate of the same CA", async () => {
    const issued = await service.issue(world);
    const client = clientOf(nginx, issued, await expired(issued));
    expect(refusal(await nginx.get(client))).toMatch(EXPIRED);
  });

  it("refuses another CA's certificate", async () => {
    const reply = await nginx.get({ cert: stranger.pem, key: stranger.key });
    expect(refusal(reply)).toMatch(FOREIGN);
  });

  it("resumes no session", async () => {
    expect(await resumes(nginx, clientOf(nginx, await service.issue(world)))).toBe(false);
  });

  it("does not start without the lists", async () => {
    const other = await Nginx.prepare("deploy/nginx/crl.conf", { PRODUCT_URL: productUrl });
    try {
      writeFileSync(other.file("ca.pem"), await service.published("ca/bundle.pem"));
      const { code, text } = await other.check();
      expect(code).not.toBe(0);
      expect(text).toContain("lists.pem");
    } finally {
      await other.dispose();
    }
  });

  it("refuses everybody when the lists have expired", async () => {
    const words = { PRODUCT_URL: productUrl };
    const later = await Nginx.prepare("deploy/nginx/crl.conf", words, ["faketime", "+8 days"]);
    try {
      writeFileSync(later.file("ca.pem"), await service.published("ca/bundle.pem"));
      writeFileSync(later.file("lists.pem"), await service.published("crl/bundle.pem"));
      await later.start();
      const reply = await later.get(clientOf(later, await service.issue(world)));
      expect(refusal(reply)).toMatch(LIST_EXPIRED);
    } finally {
      await later.dispose();
    }
  });

  it("takes over only lists that its CAs have signed", async () => {
    const before = readFileSync(nginx.file("lists.pem"));
    const [ca, tag] = ["ca.pem", "lists.etag"].map((name) => nginx.file(name));
    const own = readFileSync(ca ?? "");
    writeFileSync(ca ?? "", readFileSync(foreign.root.pem));
    rmSync(tag ?? "");
    const { code, text } = await fetchOnly();
    expect(text).toContain("Error getting CRL issuer certificate");
    expect(code).not.toBe(0);
    expect(readFileSync(nginx.file("lists.pem"))).toEqual(before);
    writeFileSync(ca ?? "", own);
  });
});
