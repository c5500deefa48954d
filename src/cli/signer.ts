import { EXIT, serveParent } from "../ca/signer-child.ts";
import { createLog } from "../config/log.ts";
import { runOwnSigner } from "./own-signer.ts";
import { createSystem } from "./system.ts";

// The signer's process: forked by `suido serve`, told its settings over the channel, ended by it. A terminal's Ctrl-C and
// a service manager's SIGTERM reach the whole group; the parent stops the signer when nobody needs it any more.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);

const log = createLog({ name: "signer", level: process.env["SUIDO_LOG_LEVEL"] ?? "info" });
const system = createSystem();

serveParent(
  {
    send: (message, sent) => process.send?.(message, () => sent?.()),
    onMessage: (hear) => process.on("message", hear),
    onDisconnect: (hear) => process.on("disconnect", hear),
    exit: (code) => process.exit(code),
  },
  (settings) =>
    runOwnSigner({
      system,
      settings,
      log,
      onFatal: (error) => {
        log.fatal({ err: error }, "the signer must start anew");
        process.exit(EXIT.fatal);
      },
    }),
);
