import { Redis } from "ioredis";
import { pino } from "pino";
import { prepareDatabase } from "../../../src/storage/bootstrap.ts";
import { connectionConfig } from "../../../src/storage/connection.ts";
import { prepareQueue, type QueuePlace } from "../../../src/jobs/backend.ts";
import { asAdmin, freshDatabase } from "../../support/database.ts";
import { startRedis } from "../../support/redis.ts";

/** A place for queues, with everything in it gone at the end. */
export interface TestPlace {
  readonly place: QueuePlace;
  /** Ends every connection of the queue, as a restart of the server does. */
  readonly breakConnections: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function postgresPlace(): Promise<
  TestPlace & { readonly admit: (isOpen: boolean) => Promise<void> }
> {
  const fresh = await freshDatabase();
  const { url } = fresh;
  // Rights on the database itself are not cloned with the template.
  await prepareDatabase({ url, log: pino({ level: "silent" }) });
  const connection = (role: "suido_owner" | "suido_worker") =>
    connectionConfig({ url, role, applicationName: "suido-queue" });
  await prepareQueue(connection("suido_owner"));
  const name = new URL(url).pathname.slice(1);
  return {
    place: { kind: "postgres", connection: connection("suido_worker") },
    breakConnections: () =>
      asAdmin(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`),
    admit: async (isOpen) => {
      await asAdmin(`alter database ${name} allow_connections ${isOpen}`);
    },
    close: () => fresh.drop(),
  };
}

export async function redisPlace(): Promise<TestPlace> {
  const redis = await startRedis();
  const admin = new Redis(redis.url);
  return {
    place: { kind: "redis", url: redis.url },
    breakConnections: async () => {
      await admin.call("CLIENT", "KILL", "SKIPME", "yes");
    },
    close: async () => {
      admin.disconnect();
      await redis.stop();
    },
  };
}
