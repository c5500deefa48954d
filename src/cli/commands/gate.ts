import { Gate } from "../../gate/gate.ts";
import { readText } from "../../gate/folder.ts";
import { type Health, judgeHealth, type Known } from "../../gate/health.ts";
import { listsInForce, readState } from "../../gate/in-force.ts";
import { listen } from "../../gate/listener.ts";
import { withoutBigints } from "../../gate/manifest.ts";
import { lockDataFolder } from "../../storage/data-folder-lock.ts";
import { DataFolderInUseError } from "../../storage/errors.ts";
import {
  type Command,
  CommandError,
  type Given,
  type Option,
  show,
  type Surroundings,
} from "../command.ts";
import { folderOf, gateOptionsOf, healthFileOf, listenOf, secondsOption } from "../gate-options.ts";

/** What is going on, a line each on standard error: the service manager puts the time before it. */
function logOf(given: Given, { complain, system }: Surroundings) {
  return (level: "info" | "warn", text: string): void => {
    const line = { level, time: system.clock().toISOString(), name: "gate", msg: text };
    complain(given.options["json"] === true ? JSON.stringify(line) : `suido gate: ${text}`);
  };
}

function linesOf({ acknowledgedAt, findings, generation, inForce, lastError, lists }: Health) {
  return [
    `generation ${generation ?? "none"} is in place, ${inForce?.generation ?? "none"} in force`,
    ...lists.map(
      ({ name, nextUpdate, number, thisUpdate }) =>
        `${name}: list ${number} of ${thisUpdate.toISOString()}, until ${nextUpdate.toISOString()}`,
    ),
    ...(acknowledgedAt === undefined ? [] : [`acknowledged at ${acknowledgedAt.toISOString()}`]),
    ...(lastError === undefined ? [] : [`${lastError.code}: ${lastError.message}`]),
    ...findings,
  ];
}

function tell(given: Given, surroundings: Surroundings, health: Health): void {
  const json: unknown = JSON.parse(JSON.stringify(health, withoutBigints));
  show(given, surroundings, { json, lines: linesOf(health) });
}

/** Ends when the service manager or the terminal says so. */
function untilSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.once(signal, () => controller.abort());
  return controller.signal;
}

async function lock(folder: string): Promise<{ release(): Promise<void> }> {
  try {
    return await lockDataFolder(folder, "gate");
  } catch (error) {
    if (!(error instanceof DataFolderInUseError)) throw error;
    throw new CommandError(`another gate works on ${folder}: one is enough`, { cause: error });
  }
}

async function serve(gate: Gate, given: Given, signal: AbortSignal): Promise<number> {
  const at = listenOf(given);
  const telling = { health: () => gate.health(), metrics: () => gate.metrics() };
  const listening = at === undefined ? undefined : await listen(at, telling);
  try {
    await gate.run(signal);
  } finally {
    await listening?.close();
  }
  return 0;
}

async function runGate(given: Given, surroundings: Surroundings): Promise<number> {
  const { system } = surroundings;
  const options = gateOptionsOf(given, system);
  listenOf(given);
  options.folder.prepare();
  const held = await lock(options.folder.path);
  try {
    options.folder.clean();
    const gate = new Gate(options, { ...system, log: logOf(given, surroundings) });
    const signal = untilSignal();
    if (given.options["once"] !== true) return await serve(gate, given, signal);
    const health = await gate.once(signal);
    tell(given, surroundings, health);
    return health.ok && gate.succeeded ? 0 : 1;
  } finally {
    await held.release();
  }
}

const FOLDER: Record<string, Option> = {
  folder: { type: "string", value: "DIR", help: "the folder that the proxy reads: DIR/current/…" },
  health: { type: "string", value: "FILE", help: "the health file (DIR/health.json)" },
};

const gate: Command = {
  words: ["gate"],
  options: {
    va: { type: "string", value: "URL", help: "the VA's address" },
    ...FOLDER,
    root: {
      type: "string",
      multiple: true,
      value: "SHA256",
      help: "the trusted root's fingerprint; may be given several times",
    },
    "root-file": {
      type: "string",
      multiple: true,
      value: "PEM",
      help: "the same, as the certificate itself",
    },
    reload: {
      type: "string",
      multiple: true,
      value: "COMMAND",
      help: "what makes the proxy read its files, without a shell; several run in their order",
    },
    haproxy: {
      type: "string",
      value: "SOCKET",
      help: "HAProxy's runtime API, instead of a reload",
    },
    "ca-file": {
      type: "string",
      value: "NAME",
      help: "what HAProxy calls the CAs (DIR/current/ca.pem)",
    },
    "crl-file": {
      type: "string",
      value: "NAME",
      help: "what HAProxy calls the lists (DIR/current/lists.pem)",
    },
    "haproxy-buffer": {
      type: "string",
      value: "OCTETS",
      help: "HAProxy's tune.bufsize (16384): what is larger takes the reload",
    },
    "leave-out-revoked": {
      type: "boolean",
      help: "without CAs on their issuer's list: for proxies that look at one list only",
    },
    app: { type: "string", value: "URL", help: "Suido's app, to be told what is in force" },
    "key-file": { type: "string", value: "FILE", help: "the API key for that, mode 600" },
    interval: { type: "string", value: "SECONDS", help: "how often to ask (30)" },
    once: { type: "boolean", help: "once, for cron: exit code 1 when refused, failed or stale" },
    metrics: { type: "string", value: "FILE", help: "figures for Prometheus's textfile collector" },
    listen: { type: "string", value: "HOST:PORT", help: "answer /health and /metrics there" },
  },
  summary: "keep a proxy's CA and CRL files true",
  run: runGate,
};

/** What the gate last knew of its contact, as its health file has it. */
function lastContactIn(file: string): Date | undefined {
  const found = /"lastContact": "([^"]+)"/.exec(readText(file) ?? "")?.[1];
  return found === undefined ? undefined : new Date(found);
}

const check: Command = {
  words: ["gate", "check"],
  options: {
    ...FOLDER,
    "max-age": {
      type: "string",
      value: "SECONDS",
      help: "also: how long Suido may not have been heard",
    },
  },
  summary: "for monitoring: exit code 0 fine, 1 stale, 2 wrong usage",
  run: (given, surroundings) => {
    const folder = folderOf(given);
    const lastContact = lastContactIn(healthFileOf(given, folder));
    const known: Known = {
      placed: folder.current(),
      inForce: listsInForce(folder, readState(folder)),
      ...(lastContact !== undefined && { lastContact }),
    };
    const maxAge = secondsOption(given, "max-age", [1, 100_000_000]);
    const health = judgeHealth(known, surroundings.system.clock(), maxAge);
    tell(given, surroundings, health);
    return Promise.resolve(health.ok ? 0 : 1);
  },
};

export const gateCommands: readonly Command[] = [gate, check];
