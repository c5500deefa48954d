import type { JsonObject } from "../audit/record.ts";
import { serialOf } from "../ca/certificate-record.ts";
import type { MailKind, MailOccasion } from "../delivery/mail-delivery.ts";
import type { Database } from "../storage/database.ts";
import { type ExpiryMailSettings, type ReminderItem, writeExpiryMail } from "./expiry-mail.ts";
import type { Reminders } from "./reminders.ts";
import { giveRenewalCode, type RenewalCodesDeps } from "./renewal-codes.ts";
import { type RenewalReason, renewalTimeOf } from "./renewal-times.ts";

export interface ReminderMailsDeps extends RenewalCodesDeps {
  /** As suido_app: codes are a tenant's. */
  readonly database: Database;
  /** As suido_worker. */
  readonly worker: Database;
  readonly reminders: Pick<Reminders, "dropStale">;
}

/** What the planner knew. Without a name the mailbox is a shared one. */
interface Facts {
  readonly name?: string;
}

interface Row {
  readonly corporation_id: string;
  readonly serial: Uint8Array;
  /** Null of what somebody wants renewed at once. */
  readonly stage: number | null;
  readonly pharmacy: string;
  readonly device_id: string;
  readonly device: string;
  readonly device_use: "shared" | "personal";
  readonly account_id: string;
  readonly not_after: Date;
  readonly reason: RenewalReason | null;
}

/** A later code takes the place of those of larger stages: what is wanted at once comes after every reminder. */
const ORDERED_STAGE = -1;

interface ItemDeps extends ReminderMailsDeps {
  readonly timeZone: string;
  readonly mailId: string;
}

/** A device as it is told of: with a code from the day on which it is asked to renew. */
async function itemOf(row: Row, deps: ItemDeps): Promise<ReminderItem> {
  const { clock, database, mailId, timeZone } = deps;
  const serialNumber = serialOf(row.serial);
  return database.tenant(row.corporation_id, async (sql) => {
    const { renewFrom } = await renewalTimeOf(sql, serialNumber, timeZone);
    const renewing = {
      corporationId: row.corporation_id,
      deviceId: row.device_id,
      accountId: row.account_id,
      serialNumber,
      mailId,
      stage: row.stage ?? ORDERED_STAGE,
    };
    const isOpen = renewFrom <= clock();
    const code = isOpen ? await giveRenewalCode(sql, renewing, deps) : undefined;
    return {
      pharmacy: row.pharmacy,
      device: row.device,
      use: row.device_use,
      notAfter: row.not_after,
      renewFrom,
      ...(row.reason !== null && { reason: row.reason }),
      ...(code !== undefined && { code }),
    };
  });
}

/**
 * The reminders as kinds of mail: `expiry`, and `renew-now` where somebody wants it at once. What they are about is looked up
 * when they are written, and codes are made then: between planning and sending none lies anywhere. Those of an attempt that
 * failed stay good, as nobody knows whether it arrived.
 */
export function reminderMails(
  deps: ReminderMailsDeps,
  settings: ExpiryMailSettings,
): { readonly expiry: MailKind; readonly "renew-now": MailKind } {
  const { timeZone } = settings;
  const write = async (occasion: MailOccasion, isOrder: boolean) => {
    const { id: mailId, language, now } = occasion;
    const { name } = occasion.facts as JsonObject & Facts;
    const rows = await deps.worker.query<Row>("select * from app.reminder_items($1, $2)", [
      mailId,
      now,
    ]);
    // Tried again, and by then dropped.
    if (rows.length === 0) throw new Error("nothing is to be renewed any more");
    const items: ReminderItem[] = [];
    for (const row of rows) items.push(await itemOf(row, { ...deps, timeZone, mailId }));
    return writeExpiryMail({ language, now, name, items, isOrder }, settings);
  };
  return {
    expiry: {
      write: (occasion) => write(occasion, false),
      dropStale: () => deps.reminders.dropStale(),
    },
    "renew-now": { write: (occasion) => write(occasion, true) },
  };
}
