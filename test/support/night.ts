import { X509Certificate } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import { Secret, TOTP } from "otpauth";

import { FormVisitor } from "./form-visitor.ts";
import type { Client, ProxyClients } from "./proxy-clients.ts";
import { eventually, makeDeviceKey, type Service } from "./service.ts";

const PHONE =
  "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36";

/** One time step of RFC 6238, which lets nobody use a code twice, in milliseconds. */
const STEP_MS = 30_000;

/** The text of a mail without its HTML. */
function plainOf(mail: string): string {
  const [, encoded = ""] = /text\/plain[^]*?base64\r?\n\r?\n([^-]*)/.exec(mail) ?? [];
  return Buffer.from(encoded, "base64").toString();
}

/** What a mail in the outbox says that this finds. */
async function mailed(service: Service, wanted: RegExp): Promise<string> {
  const outbox = path.join(service.dataDir, "outbox");
  mkdirSync(outbox, { recursive: true });
  const look = async (): Promise<string> =>
    readdirSync(outbox, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".eml"))
      .map((name) => plainOf(readFileSync(path.join(outbox, name), "utf8")))
      .map((text) => wanted.exec(text)?.[1] ?? "")
      .find((found) => found !== "") ?? "";
  return eventually(look, (found) => found !== "");
}

/** The manager prepares: an authenticator, by the link that support has mailed. Returns what it shows so many milliseconds from now. */
async function prepared(service: Service, accountId: string): Promise<(ms: number) => string> {
  const visitor = new FormVisitor(service.instance.urls.app, PHONE);
  const body = { how: "telephone" };
  await service.must("POST", `/v1/accounts/${accountId}/factor-links`, { body });
  const token = await mailed(service, /\/factors\/([0-9a-f]{32})/);
  await visitor.post("/factors", { token });
  await visitor.post("/factors/authenticator");
  const page = (await visitor.get("/factors")).body.toString();
  const [, text = ""] = /<code>([A-Z2-7 ]+)<\/code>/.exec(page) ?? [];
  const totp = new TOTP({ secret: Secret.fromBase32(text.replaceAll(" ", "")) });
  const show = (ms: number): string => totp.generate({ timestamp: Date.now() + ms });
  await visitor.post("/factors/authenticator/codes", { code: show(0) });
  return show;
}

/** The world's manager has another machine stand in for the world's device for a night: its certificate, and its key. */
export async function standIn(clients: ProxyClients): Promise<Client> {
  const { service, world } = clients;
  const address = "night@mizuki.example";
  const { accountId, deviceId: device } = world;
  await service.must("PATCH", `/v1/accounts/${accountId}`, { body: { email: address } });
  const app = await prepared(service, accountId);
  const visitor = new FormVisitor(service.instance.urls.app, PHONE);
  await visitor.post("/emergency", { address });
  const code = await mailed(service, /(\d{3} \d{3})\n/);
  await visitor.post("/emergency/codes", { code });
  await visitor.post("/emergency/app-codes", { code: app(STEP_MS) });
  await visitor.post("/emergency/devices", { device });
  const { csr, pem: privateKey } = makeDeviceKey();
  const made = await visitor.post("/way/certificates", { csr }, "application/json");
  if (made.status !== 200) throw new Error(`${made.status} ${made.body.toString()}`);
  const { certificate } = JSON.parse(made.body.toString()) as { certificate: string };
  const serialNumber = new X509Certificate(certificate).serialNumber.toLowerCase();
  const chain = [(await service.published("ca/bundle.pem")).toString()];
  return clients.keep("the night's", { certificate, chain, privateKey, serialNumber });
}
