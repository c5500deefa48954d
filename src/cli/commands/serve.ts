import { loadConfig } from "../../config/environment.ts";
import { createLog } from "../../config/log.ts";
import { type Command, textOptions } from "../command.ts";
import { parseRoles } from "../roles.ts";
import { startService } from "../service.ts";

/** How long requests and jobs under way may take to end, in milliseconds. */
const STOP_TIMEOUT_MS = 25_000;

/** How often a service that npm started looks whether npm is still there. */
const PARENT_CHECK_MS = 500;

/**
 * npm runs commands in a shell, which a SIGTERM to npm ends without passing it on: what the shell had started would serve
 * on with nobody to stop it. Whoever loses its parent that way takes it for the signal.
 */
function endWithParent(end: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    end();
  }, PARENT_CHECK_MS);
  timer.unref();
}

/** Resolves with what ends the service: a signal, or what it cannot live without. */
function ending(): {
  readonly ended: Promise<Error | undefined>;
  readonly end: (error?: Error) => void;
} {
  const { promise, resolve } = Promise.withResolvers<Error | undefined>();
  process.once("SIGTERM", () => resolve(undefined));
  process.once("SIGINT", () => resolve(undefined));
  return { ended: promise, end: resolve };
}

const serve: Command = {
  words: ["serve"],
  options: {
    role: {
      type: "string",
      multiple: true,
      value: "role",
      help: "only these roles, with commas or several times: va, app, mtls, worker, signer",
    },
  },
  summary: "run Suido: VA, app, mTLS, worker and signer",
  run: async (given, { env, system, print, complain }) => {
    const roles = parseRoles(textOptions(given, "role"));
    const config = loadConfig(env);
    const log = createLog({ name: "suido", level: config.logLevel });
    const { ended, end } = ending();
    if (env["npm_command"] !== undefined) endWithParent(end);
    const service = await startService({ config, roles, system, log, onFatal: end });
    print(`ready va=${config.va.url} app=${config.app.url} mtls=${config.mtls.url}`);
    if (roles.has("app"))
      print(
        "sign in: make a key with `npx suido api-key create --role admin`, then follow the first steps on the console.",
      );
    const error = await ended;
    if (error !== undefined) complain(`suido: ${error.message}`);
    log.info("stopping");
    const timer = setTimeout(() => {
      complain("suido: work under way did not end in time");
      process.exit(1);
    }, STOP_TIMEOUT_MS);
    timer.unref();
    await service.close();
    return error === undefined ? 0 : 1;
  },
};

export const serveCommands: readonly Command[] = [serve];
