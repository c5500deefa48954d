import { setTimeout as sleep } from "node:timers/promises";

import {
  type ConnectionOptions,
  createPostgresBackend,
  DEFAULT_SCHEMA,
  type JobsOptions,
  type PostgresConnectionOptions,
  Queue,
  type RepeatOptions,
  runMigrations,
  Worker,
  type WorkerOptions,
} from "bullmq";
import { Redis, type RedisOptions } from "ioredis";
import pg from "pg";

/** One queue for everything; jobs differ by their names. */
export const QUEUE = "suido";

/** Two for commands, and one for each end's LISTEN. */
const POOL_SIZE = 4;

/** After a lost connection a worker looks again this soon; BullMQ's own 15 s would leave mails lying about. */
const RUN_RETRY_MS = 500;

/** How long a Redis may take over the end of a connection. */
const GOODBYE_MS = 300;

/** Where the queue lives. */
export type QueuePlace =
  /** A connection's settings, which name the role suido_worker. */
  | { readonly kind: "postgres"; readonly connection: pg.ClientConfig }
  | { readonly kind: "redis"; readonly url: string };

/** The end where jobs are put in. */
export interface JobQueue {
  add(name: string, options: JobsOptions): Promise<unknown>;
  /** The job of this name comes again and again; said twice, the last word holds. */
  repeat(name: string, when: RepeatOptions, options: JobsOptions): Promise<unknown>;
  counts(): Promise<Record<string, number>>;
  close(): Promise<void>;
}

/** The end where jobs come out. */
export interface JobWorker {
  /** Takes no more jobs, and waits for those that are running. */
  close(): Promise<void>;
}

/** Does the job of this name. An UnrecoverableError is not tried again. */
export type RunJob = (name: string) => Promise<void>;

/** Both ends of the queue. Whoever opens one closes it. */
export interface QueueBackend {
  queue(): JobQueue;
  worker(run: RunJob, settings: Pick<WorkerOptions, "concurrency">): JobWorker;
  /** Ends what the ends share. Twice is once. */
  close(): Promise<void>;
}

/** Who hears of the queue's connections. */
export interface QueueListener {
  /** One end's trouble; a queue that is away is told again and again, by each end. */
  readonly onError: (error: Error) => void;
  /** A connection is there, perhaps again. */
  readonly onConnect: () => void;
}

/** The queue in its place. Both ends go on by themselves when it was away and is back. */
export function queueBackend(place: QueuePlace, listener: QueueListener): QueueBackend {
  return place.kind === "redis"
    ? redisBackend(place.url, listener)
    : postgresBackend(place.connection, listener);
}

/** What the two kinds of BullMQ's Queue have in common. */
type AnyQueue = Pick<Queue, "add" | "close" | "getJobCounts" | "upsertJobScheduler"> & {
  on(event: "error", listener: (error: Error) => void): unknown;
};

/** Without a listener an error event ends the process. */
function queueOver(queue: AnyQueue, onError: (error: Error) => void): JobQueue {
  queue.on("error", onError);
  return {
    add: (name, options) => queue.add(name, {}, options),
    repeat: (name, when, opts) => queue.upsertJobScheduler(name, when, { name, data: {}, opts }),
    counts: () => queue.getJobCounts("waiting", "active", "delayed", "failed"),
    close: () => queue.close(),
  };
}

/**
 * A pool of our own instead of BullMQ's: a connection that breaks while BullMQ has it in hand says so in an error event,
 * and one that nobody hears ends the process.
 */
function openPool(
  settings: pg.ClientConfig,
  { onError, onConnect }: QueueListener,
): pg.Pool & PostgresConnectionOptions {
  const options = `${settings.options ?? ""} -c search_path=${DEFAULT_SCHEMA}`.trim();
  const pool = new pg.Pool({ ...settings, options, max: POOL_SIZE });
  pool.on("error", onError);
  pool.on("connect", (client) => client.on("error", onError));
  pool.on("acquire", onConnect);
  // BullMQ's own words for a pool are narrower than pg's, and mean the same.
  return pool as pg.Pool & PostgresConnectionOptions;
}

/**
 * BullMQ's own, but one that bears a database which fails in other ways than by refusing connections: because it starts,
 * stops or is full. BullMQ would keep the failure of its first connection for ever, and ask again in the same breath,
 * without end: nothing else of this process would have a turn.
 */
const createPatientBackend =
  (onError: (error: Error) => void): typeof createPostgresBackend =>
  (...args) => {
    const backend = createPostgresBackend(...args);
    const { connection } = backend;
    const connect = connection.waitUntilReady.bind(connection);
    const ready = async (): Promise<void> => {
      while (!connection.isClosing) {
        try {
          return await connect();
        } catch (error) {
          Reflect.deleteProperty(connection, "readyPromise");
          if (error instanceof Error) onError(error);
          await sleep(RUN_RETRY_MS, undefined, { ref: false });
        }
      }
    };
    let isReady: Promise<void> | undefined;
    connection.waitUntilReady = () => (isReady ??= ready());
    const moveToActive = backend.moveToActive.bind(backend);
    backend.moveToActive = async (...job) => {
      try {
        return await moveToActive(...job);
      } catch (error) {
        await sleep(RUN_RETRY_MS);
        throw error;
      }
    };
    return backend;
  };

function postgresBackend(settings: pg.ClientConfig, listener: QueueListener): QueueBackend {
  const { onError } = listener;
  const connection = openPool(settings, listener);
  const create = createPatientBackend(onError);
  let ended: Promise<void> | undefined;
  return {
    queue: () => queueOver(new Queue(QUEUE, { connection }, create), onError),
    worker: (run, { concurrency = 1 }) => {
      const options = { connection, concurrency, runRetryDelay: RUN_RETRY_MS };
      const worker = new Worker(QUEUE, ({ name }) => run(name), options, create);
      return worker.on("error", onError);
    },
    close: () => (ended ??= connection.end()),
  };
}

/** A Redis that knows the copies which BullMQ makes of it to wait on: BullMQ does not end one that never was connected. */
class WatchedRedis extends Redis {
  readonly #copies: Redis[] = [];

  override duplicate(override?: Partial<RedisOptions>): Redis {
    const copy = super.duplicate(override);
    this.#copies.push(copy);
    return copy;
  }

  /**
   * Ends them all. One that waits for its next attempt gets it now and is ended in it: ended while it waits, it would
   * never say so, and BullMQ, which waits for that word, would keep the process alive.
   */
  disconnectAll(): void {
    for (const redis of [this, ...this.#copies]) {
      const isWaiting = redis.status === "reconnecting";
      redis.disconnect();
      if (!isWaiting) continue;
      redis.once("connecting", () => redis.disconnect());
      redis.connect().catch(() => undefined);
    }
  }
}

function redisBackend(url: string, { onError, onConnect }: QueueListener): QueueBackend {
  // BullMQ waits on a blocking command, which must never be given up.
  const redis = new WatchedRedis(url, {
    maxRetriesPerRequest: null,
    retryStrategy: () => RUN_RETRY_MS,
    disconnectTimeout: GOODBYE_MS,
  });
  redis.on("error", onError);
  redis.on("ready", onConnect);
  const connection: ConnectionOptions = redis;
  return {
    queue: () => queueOver(new Queue(QUEUE, { connection }), onError),
    worker: (run, { concurrency = 1 }) => {
      const options = { connection, concurrency, runRetryDelay: RUN_RETRY_MS };
      return new Worker(QUEUE, ({ name }) => run(name), options).on("error", onError);
    },
    close: async () => redis.disconnectAll(),
  };
}

/**
 * What suido_worker needs of BullMQ's schema. CREATE too: the first job of a queue makes the sequence of its numbers.
 * The schema holds nothing of ours.
 */
const GRANTS = `
  grant usage, create on schema ${DEFAULT_SCHEMA} to suido_worker;
  grant select, insert, update, delete on all tables in schema ${DEFAULT_SCHEMA} to suido_worker;
  grant execute on all functions in schema ${DEFAULT_SCHEMA} to suido_worker`;

/** The owner's sequences only: those of queues are suido_worker's own. */
const SEQUENCES = `
  select format('grant usage, select on sequence %s to suido_worker', c.oid::regclass) as statement
  from pg_class c where c.relkind = 'S' and c.relnamespace = '${DEFAULT_SCHEMA}'::regnamespace and c.relowner = 'suido_owner'::regrole`;

/** Programs that start together grant one after the other; two GRANTs at once fail. The lock ends with the connection. Its number stands in storage's table of locks. */
const LOCK = "select pg_advisory_lock(727077, 4)";

/** Makes the queue's tables in PostgreSQL, as suido_owner. Done at each start; quick when nothing is missing. */
export async function prepareQueue(owner: pg.ClientConfig): Promise<void> {
  const client = new pg.Client(owner);
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.query(LOCK);
    await runMigrations(client, DEFAULT_SCHEMA);
    await client.query(GRANTS);
    const { rows } = await client.query<{ statement: string }>(SEQUENCES);
    for (const { statement } of rows) await client.query(statement);
  } finally {
    await client.end().catch(() => undefined);
  }
}
