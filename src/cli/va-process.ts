import { createLog } from "../config/log.ts";
import type { Readiness } from "../http/routes-operations.ts";
import { createVaApp } from "../http/va-app.ts";
import { openDatabase } from "../storage/database.ts";
import { listen } from "../storage/listen.ts";
import { type AskFirst, type ListeningVa, serveFirst } from "../va/process-child.ts";
import type { VaProcessSettings } from "../va/process-message.ts";
import { createVa } from "../va/va.ts";
import { listenOn } from "./door.ts";
import { createListWorkApart } from "./list-work.ts";
import { createSystem } from "./system.ts";
import { VA_CONNECTIONS } from "./va-connections.ts";

// A further process of the VA: forked by the one with the role, told its settings over the channel, ended by it. A
// terminal's Ctrl-C and a service manager's SIGTERM reach the whole group; the first process says when to stop.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);

const PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

async function open(settings: VaProcessSettings, ask: AskFirst): Promise<ListeningVa> {
  const { databaseUrl: url, folder, host, maxStaleMs, number, port, showsMetrics } = settings;
  const log = createLog({ name: `va-${number}`, level: process.env["SUIDO_LOG_LEVEL"] ?? "info" });
  const system = createSystem();
  const database = openDatabase({
    url,
    role: "suido_va",
    max: VA_CONNECTIONS,
    applicationName: "suido-va",
    onError: (error) => log.warn({ err: error }, "a database connection broke"),
  });
  const va = await createVa({
    ...system,
    database,
    subscribe: (subscription) => listen({ url, role: "suido_va", ...subscription }),
    requestDelegate: (issuerId, spki) =>
      ask({ about: "delegate", issuerId, spki }) as Promise<Uint8Array>,
    folder,
    number,
    maxStaleMs,
    log,
    apart: createListWorkApart(url),
  });
  const app = await createVaApp({
    responder: va.responder,
    counts: va.counts,
    publication: (name) => va.repository.get(name),
    readiness: () => ask({ about: "readiness" }) as Promise<Readiness>,
    clock: system.clock,
    log,
    ...(showsMetrics && {
      metrics: {
        contentType: PROMETHEUS,
        metrics: () => ask({ about: "metrics" }) as Promise<string>,
      },
    }),
  });
  await listenOn(app, { host, port, isShared: true }, "SUIDO_VA_LISTEN");
  return {
    status: () => va.status(),
    close: async () => {
      await app.close();
      await va.close();
      await database.close();
    },
  };
}

serveFirst(
  {
    send: (message, sent) => process.send?.(message, () => sent?.()),
    onMessage: (hear) => process.on("message", hear),
    onDisconnect: (hear) => process.on("disconnect", hear),
    exit: (code) => process.exit(code),
  },
  open,
);
