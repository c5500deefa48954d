import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

import pino from "pino";
import { plainSite } from "../../config/site.ts";
import { createMailDelivery } from "../../delivery/mail-delivery.ts";
import { createMailer } from "../../delivery/mailer.ts";
import { reminderMails } from "../../lifecycle/reminder-mails.ts";
import { createReminders } from "../../lifecycle/reminders.ts";
import { openDatabase } from "../../storage/database.ts";
import { type Instance, runSuido } from "../instance.ts";
import type { System } from "../system.ts";
import { type Api, createApi } from "./api.ts";
import { type ClientKey, makeClientKey } from "./client-key.ts";
import { handshake, type Seen } from "./handshake.ts";
import type { Evidence, Judge } from "./judge.ts";

/** A step of the demonstration: what is claimed, and what proves it. Throws where it is not proven. */
export interface Step {
  readonly claim: string;
  readonly prove: () => Promise<string>;
}

/** A claim that did not hold. */
export class NotProvenError extends Error {}

function demand(holds: boolean, found: string): void {
  if (!holds) throw new NotProvenError(found);
}

interface Issued {
  readonly serialNumber: string;
  readonly status: string;
  readonly certificate: string;
  readonly chain: readonly string[];
  readonly notAfter: string;
}

interface Held extends ClientKey {
  readonly issued: Issued;
}

/** What the steps hand on to each other. */
interface Life {
  api: Api;
  corporationId: string;
  pharmacyId: string;
  accountId: string;
  deviceId: string;
  first: Held;
  second: Held;
}

interface Created {
  readonly id: string;
}

export interface DemoDeps {
  readonly instance: Instance;
  readonly judge: Judge;
  readonly system: System;
}

const DAY_MS = 86_400_000;

async function command(words: readonly string[], { env }: Instance): Promise<string> {
  const { code, stdout, stderr } = await runSuido(words, env);
  demand(code === 0, `suido ${words.join(" ")} ended with ${String(code)}: ${stderr}`);
  return stdout;
}

async function evidenceFor({ issued }: Held, { instance }: DemoDeps): Promise<Evidence> {
  const vaUrl = instance.urls.va;
  const lists = await (await fetch(`${vaUrl}/crl/bundle.pem`)).text();
  const [issuing = "", root = ""] = issued.chain;
  return { vaUrl, leaf: issued.certificate, issuing, root, lists };
}

async function knock({ issued, privateKey }: Held, { instance }: DemoDeps): Promise<Seen> {
  const [issuing = "", root = ""] = issued.chain;
  const certificate = issued.certificate + issuing;
  return handshake({ mtlsUrl: instance.urls.mtls, ca: root, certificate, privateKey });
}

function registrySteps(life: Life, { instance }: DemoDeps): Step[] {
  return [
    {
      claim: "an operator makes the first API key",
      prove: async () => {
        const made = JSON.parse(
          await command(["api-key", "create", "--role", "admin", "--json"], instance),
        ) as { id: string; key: string };
        life.api = createApi(instance.urls.app, made.key);
        return `key ${made.id}, of the role admin`;
      },
    },
    {
      claim: "a corporation with a pharmacy, its manager and a counter PC is registered",
      prove: async () => {
        const { api } = life;
        life.corporationId = (
          await api.post<Created>("/v1/corporations", { name: "株式会社みずき薬局" })
        ).id;
        const { corporationId } = life;
        life.pharmacyId = (
          await api.post<Created>("/v1/pharmacies", {
            corporationId,
            name: "みずき薬局 本店",
            code: "HONTEN",
          })
        ).id;
        life.accountId = (
          await api.post<Created>("/v1/accounts", {
            corporationId,
            name: "薬師 太郎",
            email: "taro@mizuki.example.jp",
            locale: "ja",
          })
        ).id;
        const { accountId, pharmacyId } = life;
        await api.post("/v1/memberships", { accountId, pharmacyId, role: "manager" });
        life.deviceId = (
          await api.post<Created>("/v1/devices", {
            pharmacyId,
            name: "受付1号機",
            platform: "windows",
          })
        ).id;
        return `corporation ${corporationId}, device ${life.deviceId}`;
      },
    },
  ];
}

function certificateSteps(life: Life, deps: DemoDeps): Step[] {
  const { judge } = deps;
  return [
    {
      claim: "the device's own key gets a certificate",
      prove: async () => {
        const key = await makeClientKey();
        const { accountId, deviceId } = life;
        const issued = await life.api.post<Issued>("/v1/certificates", {
          accountId,
          deviceId,
          csr: key.csr,
        });
        life.first = { ...key, issued };
        demand(issued.status === "good", `the status is ${issued.status}`);
        return `serial ${issued.serialNumber}, until ${issued.notAfter}`;
      },
    },
    {
      claim: "an outside judge accepts the chain and the lists",
      prove: async () => {
        const { accepted, words } = await judge.chain(await evidenceFor(life.first, deps));
        demand(accepted, words);
        return `${judge.name}: ${words}`;
      },
    },
    {
      claim: "mutual TLS with it is accepted, and names device and pharmacy",
      prove: async () => {
        const { status, body } = await knock(life.first, deps);
        demand(
          status === 200 && body["deviceId"] === life.deviceId,
          `${status} ${JSON.stringify(body)}`,
        );
        return `${String(body["deviceName"])}, ${String(body["pharmacyName"])}, ${String(body["daysLeft"])} days left`;
      },
    },
  ];
}

/** Plans and sends what will be due 30 days before the end, with a clock that is set there; everything else is the service's own. */
async function writeReminder({ first }: Life, { instance, system }: DemoDeps): Promise<string> {
  const url = (await command(["db", "url"], instance)).trim();
  const clock = (): Date => new Date(Date.parse(first.issued.notAfter) - 30 * DAY_MS);
  const timeZone = "Asia/Tokyo";
  const log = pino({ level: "silent" });
  const outbox = path.join(instance.dataDir, "outbox");
  const open = (role: "suido_app" | "suido_worker") =>
    openDatabase({ url, role, max: 2, applicationName: "suido-demo" });
  const [app, database] = [open("suido_app"), open("suido_worker")];
  const mailer = createMailer({
    url: undefined,
    from: "Suido <no-reply@suido.localhost>",
    outbox,
    onError: () => undefined,
  });
  try {
    const reminders = createReminders({
      ...system,
      database,
      clock,
      timeZone,
      operator: undefined,
    });
    const { app: appUrl, mtls: mtlsUrl } = instance.urls;
    const settings = { appUrl, mtlsUrl, timeZone, site: plainSite() };
    const own = { ...system, clock, reminders, database: app, worker: database };
    const kinds = reminderMails(own, settings);
    const { planned } = await reminders.plan();
    demand(planned === 1, `${planned} reminders were planned`);
    await createMailDelivery({ ...system, database, mailer, kinds, clock, log }).deliver(
      new AbortController().signal,
    );
  } finally {
    await mailer.close();
    await app.close();
    await database.close();
  }
  const names = (await readdir(outbox)).filter((name) => name.endsWith(".eml"));
  for (const name of names) {
    const text = await readFile(path.join(outbox, name), "utf8");
    if (/^To: .*taro@mizuki\.example\.jp/m.test(text))
      return `outbox/${name}, to taro@mizuki.example.jp, as of ${clock().toISOString().slice(0, 10)}`;
  }
  throw new NotProvenError(`no mail to the manager among ${names.length} in ${outbox}`);
}

function renewalSteps(life: Life, deps: DemoDeps): Step[] {
  return [
    {
      claim: "the manager is reminded by mail before it expires",
      prove: () => writeReminder(life, deps),
    },
    {
      claim: "it is renewed with a new key",
      prove: async () => {
        const key = await makeClientKey();
        const issued = await life.api.post<Issued>(
          `/v1/certificates/${life.first.issued.serialNumber}/renew`,
          { csr: key.csr },
        );
        life.second = { ...key, issued };
        const { status } = await knock(life.second, deps);
        demand(status === 200, `the new one is answered ${status}`);
        return `serial ${issued.serialNumber} is accepted beside the old one`;
      },
    },
    {
      claim: "the old one is revoked",
      prove: async () => {
        const { serialNumber } = life.first.issued;
        const { journaled } = await life.api.post<{ journaled: boolean }>(
          `/v1/certificates/${serialNumber}/revoke`,
          { reason: "superseded" },
        );
        demand(journaled, "the revocation is not in the journal");
        const { status, replacedBy } = await life.api.get<{ status: string; replacedBy?: string }>(
          `/v1/status/${serialNumber}`,
        );
        demand(
          status === "revoked" && replacedBy === life.second.issued.serialNumber,
          `${status}, replaced by ${String(replacedBy)}`,
        );
        return `in the journal; replaced by ${String(replacedBy)}`;
      },
    },
  ];
}

function revocationSteps(life: Life, deps: DemoDeps): Step[] {
  const { instance, judge } = deps;
  return [
    {
      claim: "mutual TLS with the old one is refused at once",
      prove: async () => {
        const { status, body } = await knock(life.first, deps);
        demand(
          status === 403 && body["type"] === "/problems/certificate-revoked",
          `${status} ${JSON.stringify(body)}`,
        );
        return `${status} ${String(body["title"])}`;
      },
    },
    {
      claim: "the list and OCSP agree on both",
      prove: async () => {
        await command(["crl", "publish"], instance);
        const [old, fresh] = await Promise.all([
          evidenceFor(life.first, deps),
          evidenceFor(life.second, deps),
        ]);
        const oldChain = await judge.chain(old);
        const freshChain = await judge.chain(fresh);
        const oldOcsp = await judge.ocsp(old);
        const freshOcsp = await judge.ocsp(fresh);
        demand(
          !oldChain.accepted && freshChain.accepted,
          `lists: ${oldChain.words}; ${freshChain.words}`,
        );
        demand(oldOcsp.accepted && oldOcsp.status === "revoked", `OCSP: ${oldOcsp.words}`);
        demand(freshOcsp.accepted && freshOcsp.status === "good", `OCSP: ${freshOcsp.words}`);
        return `${judge.name}: ${oldChain.words}; OCSP ${oldOcsp.status} and ${freshOcsp.status}`;
      },
    },
    {
      claim: "database, journal and lists hold together, and the audit log is whole",
      prove: async () => {
        const invariants = JSON.parse(
          await command(["audit", "invariants", "--json"], instance),
        ) as { ok: boolean; checked: object };
        const log = JSON.parse(await command(["audit", "verify", "--json"], instance)) as {
          ok: boolean;
          entries: number;
          root: string;
        };
        demand(invariants.ok && log.ok, JSON.stringify({ invariants, log }));
        return `${JSON.stringify(invariants.checked)}, ${log.entries} audit entries under the root ${log.root.slice(0, 16)}…`;
      },
    },
  ];
}

/** The whole life of a certificate, step by step. */
export function lifeOfCertificate(deps: DemoDeps): readonly Step[] {
  // Filled by the steps, in their order.
  const life = {} as Life;
  return [
    ...registrySteps(life, deps),
    ...certificateSteps(life, deps),
    ...renewalSteps(life, deps),
    ...revocationSteps(life, deps),
  ];
}
