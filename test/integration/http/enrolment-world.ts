import { pino } from "pino";
import { expect } from "vitest";

import { plainSite } from "../../../src/config/site.ts";
import { createSystem } from "../../../src/cli/system.ts";
import { createMailDelivery } from "../../../src/delivery/mail-delivery.ts";
import type { MailMessage } from "../../../src/delivery/mail-message.ts";
import { expireEnrolments } from "../../../src/lifecycle/enrolment-expiry.ts";
import { codeMails } from "../../../src/lifecycle/code-mail.ts";
import { deskMails } from "../../../src/lifecycle/desk-mails.ts";
import { enrolmentMails, requestMails } from "../../../src/lifecycle/enrolment-mail.ts";
import {
  emergencyCodeMails,
  emergencyMails,
} from "../../../src/lifecycle/emergency/emergency-mail.ts";
import { factorChangeMails, factorLinkMails } from "../../../src/lifecycle/factors/factor-mail.ts";
import { type Database, openDatabase } from "../../../src/storage/database.ts";
import { type Call, type HttpWorld, openHttpWorld, type Tenant } from "./world.ts";

export interface Enrolment {
  readonly id: string;
  readonly state: string;
  readonly supportNumber: string;
  readonly mailed: boolean;
  readonly expiresAt: string;
  readonly link?: string;
  readonly code?: string;
}

/** The API over real rooms and a real database, and what the worker does of enrolments. */
export interface EnrolmentWorld extends HttpWorld {
  readonly worker: Database;
  make(tenant: Tenant, fields?: object, call?: Call): Promise<Enrolment>;
  look(id: string): Promise<Enrolment>;
  /** What auditors and other systems have been told of it, both the same. */
  actionsOf(id: string): Promise<readonly string[]>;
  /** Sends what is due and returns it. */
  sent(): Promise<readonly MailMessage[]>;
  expire(): Promise<number>;
}

export async function openEnrolmentWorld(): Promise<EnrolmentWorld> {
  return withMails(await openHttpWorld());
}

/** A world, and what the worker does of enrolments in it. */
export function withMails<World extends HttpWorld>(world: World): World & EnrolmentWorld {
  const { admin, database, time } = world.side;
  const worker = openDatabase({
    url: world.url,
    role: "suido_worker",
    max: 3,
    applicationName: "test",
  });
  const deps = { ...createSystem(), clock: () => time.now, database, worker };
  const settings = { appUrl: "http://localhost:8000", timeZone: "Asia/Tokyo", site: plainSite() };
  return {
    ...world,
    worker,
    async make({ accountId, deviceId }, fields = {}, call = {}) {
      const body = { accountId, deviceId, ...fields };
      const answer = await world.call("POST", "/v1/enrolments", { ...call, body });
      expect(answer.status).toBe(201);
      return answer.body as unknown as Enrolment;
    },
    async look(id) {
      const { status, body } = await world.call("GET", `/v1/enrolments/${id}`);
      expect(status).toBe(200);
      return body as unknown as Enrolment;
    },
    async actionsOf(id) {
      const facts = await admin.query<{ action: string }>(
        `select a.action from app.audit a join app.event e on e.xid = a.xid and e.subject = a.subject
           and e.type = 'jp.suido.' || a.action and e.data = a.detail
         where a.subject = $1 order by a.xid, a.action`,
        [`enrolment/${id}`],
      );
      return facts.map(({ action }) => action);
    },
    async sent() {
      const mails: MailMessage[] = [];
      const mailer = {
        send: async (mail: MailMessage) => {
          mails.push(mail);
          return { accepted: mail.to, response: "250" };
        },
        close: async () => undefined,
      };
      const delivery = createMailDelivery({
        ...deps,
        database: worker,
        mailer,
        kinds: {
          enrolment: enrolmentMails(deps, settings),
          "enrolment-request": requestMails(deps, settings),
          "enrolment-code": codeMails(deps, settings),
          "factor-link": factorLinkMails(deps, settings),
          "factor-change": factorChangeMails(settings),
          "emergency-code": emergencyCodeMails(deps, settings),
          emergency: emergencyMails(settings),
          ...deskMails(settings),
        },
        log: pino({ level: "silent" }),
      });
      await delivery.deliver(new AbortController().signal);
      return mails;
    },
    expire: () => expireEnrolments(deps, new AbortController().signal),
    async close() {
      await worker.close();
      await world.close();
    },
  };
}
