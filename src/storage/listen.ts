import pg from "pg";
import { type ConnectionOptions, connectionConfig } from "./connection.ts";

export interface ListenOptions extends Omit<ConnectionOptions, "applicationName"> {
  /** Names of ours: lower-case letters and underscores. */
  readonly channels: readonly string[];
  readonly onNotify: (channel: string, payload: string) => void;
  /** Called after each (re)connection, when all channels are listened to: what was said before was missed, so look now. */
  readonly onConnect: () => void;
  readonly onError: (error: Error) => void;
}

export interface Listener {
  close(): Promise<void>;
}

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5_000;

/**
 * Listens on a connection of its own and makes a new one, with growing waits, whenever it breaks. Notifications are hints
 * that save waiting; who needs every fact also polls.
 */
export function listen(options: ListenOptions): Listener {
  const config = connectionConfig({ ...options, applicationName: "suido-listen" });
  let client: pg.Client | undefined;
  let timer: NodeJS.Timeout | undefined;
  let wait = FIRST_WAIT_MS;
  let closed = false;

  const lost = (from: pg.Client): void => {
    if (closed || client !== from) return;
    client = undefined;
    timer = setTimeout(connect, wait);
    wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    void from.end().catch(() => undefined);
  };

  const fail = (from: pg.Client, error: unknown): void => {
    if (!closed) options.onError(error instanceof Error ? error : new Error(String(error)));
    lost(from);
  };

  const begin = async (fresh: pg.Client): Promise<void> => {
    try {
      await subscribe(fresh, options.channels);
    } catch (error) {
      fail(fresh, error);
      return;
    }
    if (closed) return;
    wait = FIRST_WAIT_MS;
    options.onConnect();
  };

  const connect = (): void => {
    const fresh = new pg.Client(config);
    client = fresh;
    fresh.on("error", (error) => fail(fresh, error));
    fresh.on("end", () => lost(fresh));
    fresh.on("notification", ({ channel, payload }) => options.onNotify(channel, payload ?? ""));
    void begin(fresh);
  };

  connect();
  return {
    close: async () => {
      closed = true;
      clearTimeout(timer);
      await client?.end().catch(() => undefined);
    },
  };
}

async function subscribe(client: pg.Client, channels: readonly string[]): Promise<void> {
  await client.connect();
  for (const channel of channels) await client.query(`listen ${pg.escapeIdentifier(channel)}`);
}
