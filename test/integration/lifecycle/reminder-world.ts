import { createSystem } from "../../../src/cli/system.ts";
import { plainSite } from "../../../src/config/site.ts";
import { createMailDelivery, type MailDelivery } from "../../../src/delivery/mail-delivery.ts";
import type { Mailer, MailMessage } from "../../../src/delivery/mail-message.ts";
import { operatorMails } from "../../../src/lifecycle/operator-mail.ts";
import { reminderMails } from "../../../src/lifecycle/reminder-mails.ts";
import { createReminders, type Reminders } from "../../../src/lifecycle/reminders.ts";
import type { Database } from "../../../src/storage/database.ts";
import { type Held, openPharmacies, type Pharmacies } from "./pharmacies.ts";

export const TOKYO = "Asia/Tokyo";
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const OPERATOR = { address: "ops@example.jp", language: "ja" } as const;

/** The last second of a day in Tokyo. */
export const endOf = (day: string): Date => new Date(`${day}T14:59:59Z`);
/** When a day's reminders begin. */
export const nineOn = (day: string): Date => new Date(`${day}T00:00:05Z`);
export const never = new AbortController().signal;

export interface Collector extends Mailer {
  readonly sent: MailMessage[];
}

export function collector(): Collector {
  const sent: MailMessage[] = [];
  return {
    sent,
    send: async (message) => {
      sent.push(message);
      return { accepted: message.to, response: "250" };
    },
    close: async () => undefined,
  };
}

/** The mails that have this device in them. */
export const about = ({ sent }: Pick<Collector, "sent">, { deviceId }: Held): MailMessage[] =>
  sent.filter(({ text }) => text.includes(deviceId));

/** Pharmacies, and what reminds them. */
export interface ReminderWorld {
  readonly world: Pharmacies;
  readonly reminders: Reminders;
  readonly system: ReturnType<typeof createSystem>;
  readonly deliveryTo: (mailer: Mailer, worker?: Database) => MailDelivery;
  /** What is planned about a certificate for those who decide: the stages and whom they tell. */
  readonly plannedFor: (held: Held) => Promise<string[]>;
  /** What auditors and other systems have been told of the tasks about something, in order. */
  readonly factsAbout: (subject: string) => Promise<string[]>;
  readonly openTasks: (kind: string) => Promise<{ subject: string; address: string | null }[]>;
}

export async function openReminderWorld(): Promise<ReminderWorld> {
  const world = await openPharmacies("2027-01-01T00:00:00Z");
  const { clock, worker: database } = world;
  const system = { ...createSystem(), clock };
  // In parts, as those of many certificates are.
  const parts = { mostAtOnce: 2 };
  const planning = { ...system, ...parts, database, timeZone: TOKYO, operator: OPERATOR };
  const reminders = createReminders(planning);
  const urls = { appUrl: "http://localhost:8000", mtlsUrl: "https://localhost:8443" };
  const settings = { ...urls, timeZone: TOKYO, site: plainSite() };
  return {
    world,
    reminders,
    system,
    deliveryTo(mailer, worker = database) {
      const deps = { ...system, reminders, database: world.app, worker };
      return createMailDelivery({
        database: worker,
        mailer,
        kinds: { ...reminderMails(deps, settings), operator: operatorMails(settings) },
        ...system,
        log: { info: () => undefined, warn: () => undefined },
      });
    },
    plannedFor: async (held) =>
      (await world.toldOf(held))
        .filter((line) => line.includes(" decides "))
        .map((line) => line.replace(" decides", "")),
    async factsAbout(subject) {
      const rows = await world.admin.query<{ line: string }>(
        `select a.actor || ' ' || a.action || ' ' || (a.detail ->> 'kind') as line
         from app.audit a join app.event e on e.xid = a.xid and e.subject = a.subject and e.type = 'jp.suido.' || a.action and e.data = a.detail
         join app.task k on a.subject = 'task/' || k.id and a.corporation_id is not distinct from k.corporation_id
         where a.detail ->> 'about' = $1 order by a.xid, a.action`,
        [subject],
      );
      return rows.map(({ line }) => line);
    },
    openTasks: (kind) =>
      world.admin.query(
        "select subject, address from app.task where kind = $1 and closed_at is null order by 1",
        [kind],
      ),
  };
}
