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
  readonly openTasks: (kind: string) => Promise<{ subject: string; address: string | null }[]>;
}

export async function openReminderWorld(): Promise<ReminderWorld> {
  const world = await openPharmacies("2027-01-01T00:00:00Z");
  const { clock, worker: database } = world;
  const reminders = createReminders({ database, clock, timeZone: TOKYO, operator: OPERATOR });
  const system = { ...createSystem(), clock };
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
        clock,
        log: { info: () => undefined, warn: () => undefined },
      });
    },
    plannedFor: async (held) =>
      (await world.toldOf(held))
        .filter((line) => line.includes(" decides "))
        .map((line) => line.replace(" decides", "")),
    openTasks: (kind) =>
      world.admin.query(
        "select subject, address from app.task where kind = $1 and closed_at is null order by 1",
        [kind],
      ),
  };
}
