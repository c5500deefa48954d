import { Gauge, type Registry } from "prom-client";
import type { Clock } from "../pki/clock.ts";
import type { Database } from "../storage/database.ts";
import { type MailFigures, mailFigures } from "./mail-rows.ts";

/** Registers the figures of mails; they are read from the database when somebody asks for them. */
export function registerMailMetrics(
  registry: Registry,
  { database, clock }: { readonly database: Database; readonly clock: Clock },
): void {
  // Both gauges are asked at the same time: one look into the database is enough for them.
  let reading: Promise<MailFigures | undefined> | undefined;
  const read = (): Promise<MailFigures | undefined> =>
    (reading ??= figuresOrNone(database).finally(() => (reading = undefined)));
  const registers = [registry];
  const mails = new Gauge({
    name: "suido_mails",
    help: "Mails by state: due or given up (failed); and open tasks: certificates of which nobody could be told, mailboxes that returned a mail",
    labelNames: ["state"],
    registers,
    async collect() {
      const figures = await read();
      mails.reset();
      if (figures === undefined) return;
      const { due, failed, untold, returned } = figures;
      for (const [state, count] of Object.entries({ due, failed, untold, returned }))
        mails.set({ state }, count);
    },
  });
  const age = new Gauge({
    name: "suido_mail_oldest_due_seconds",
    help: "For how long the mail that waits longest has been due",
    registers,
    async collect() {
      const { oldestDueAt = clock() } = (await read()) ?? {};
      age.set((clock().getTime() - oldestDueAt.getTime()) / 1000);
    },
  });
}

/** With the database away there are no figures, and the other metrics are still given. */
function figuresOrNone(database: Database): Promise<MailFigures | undefined> {
  return mailFigures(database).catch(() => undefined);
}
