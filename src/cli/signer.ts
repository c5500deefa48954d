import pino from "pino";

import { EXIT, serveParent } from "../ca/signer-child.ts";
import { runSigner } from "../ca/signer-process.ts";
import { hasRootDelegate, storeRootDelegate } from "../va/delegate-file.ts";
import { keptLists } from "../va/kept-lists.ts";
import { createSystem } from "./system.ts";

// The signer's process: forked by `suido serve`, told its settings over the channel, ended by it. A terminal's Ctrl-C and
// a service manager's SIGTERM reach the whole group; the parent stops the signer when nobody needs it any more.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);

const log = pino(
  { name: "signer", level: process.env["SUIDO_LOG_LEVEL"] ?? "info", base: { pid: process.pid } },
  pino.destination({ fd: 2, sync: false }),
);
const system = createSystem();

serveParent(
  {
    send: (message, sent) => process.send?.(message, () => sent?.()),
    onMessage: (hear) => process.on("message", hear),
    onDisconnect: (hear) => process.on("disconnect", hear),
    exit: (code) => process.exit(code),
  },
  (settings) =>
    runSigner({
      ...system,
      settings,
      log,
      storeRootDelegate: (delegate) =>
        storeRootDelegate(settings.vaFolder, delegate, system.random),
      hasRootDelegate: (issuerId) => hasRootDelegate(settings.vaFolder, issuerId, system.random),
      publishedLists: () => keptLists(settings.vaFolder),
      onFatal: (error) => {
        log.fatal({ err: error }, "the signer must start anew");
        process.exit(EXIT.fatal);
      },
    }),
);
