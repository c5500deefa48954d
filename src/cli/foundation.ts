import path from "node:path";

import type { Logger } from "pino";
import { forkSigner } from "../ca/signer-fork.ts";
import type { SignerClient } from "../ca/signer-client.ts";
import type { SignerSettings } from "../ca/signer-process.ts";
import { connectSigner, serveSocket } from "../ca/signer-socket.ts";
import type { CaConfig } from "../config/ca-config.ts";
import type { Config } from "../config/environment.ts";
import { prepareDatabase } from "../storage/bootstrap.ts";
import { lockDataFolder } from "../storage/data-folder-lock.ts";
import { DatabaseUnavailableError, DataFolderInUseError } from "../storage/errors.ts";
import { CommandError } from "./command.ts";
import { namingDatabase } from "./database-url.ts";
import { tryDoors } from "./door.ts";
import { makeDataFolder, makeSignerFolders } from "./folders.ts";
import { isWhole, rolePart, type Roles } from "./roles.ts";
import { signerSocketPath } from "./socket-folder.ts";
import type { System } from "./system.ts";

/** What must stand before any room opens: the data folder, the database with its schema, the signer. */
export interface Foundation {
  readonly databaseUrl: string;
  readonly signer: SignerClient;
}

/** Things to undo at the end, the last first; each is undone even when another fails. */
export class Undoing {
  readonly #steps: (() => Promise<unknown>)[] = [];

  add(step: () => Promise<unknown>): void {
    this.#steps.push(step);
  }

  async all(log: Logger): Promise<void> {
    for (const step of this.#steps.splice(0).toReversed()) {
      try {
        await step();
      } catch (error) {
        log.error({ err: error }, "a part did not stop cleanly");
      }
    }
  }
}

/** Where the hierarchy and the profiles lie. */
export const CA_CONFIG = path.resolve(import.meta.dirname, "../../ca-config");

/** Only a demo knows the profile of sample data. */
export const knownProfiles = ({ mode }: Config): { readonly withSample: boolean } => ({
  withSample: mode === "demo",
});

/** What the signer is told; it reads neither environment nor configuration files. */
export function signerSettings(
  config: Config,
  { caConfig, databaseUrl }: { readonly caConfig: CaConfig; readonly databaseUrl: string },
): SignerSettings {
  return {
    databaseUrl,
    journalFolder: config.journalDir,
    keyFolder: config.keyStoreDir,
    kekFile: config.kekFile,
    mayMakeKek: config.kekMayBeMade,
    mayMakeCa: config.mode === "demo",
    mayKeepRoot: config.mode === "demo",
    vaFolder: path.join(config.dataDir, "va"),
    vaUrl: config.va.url,
    trustDomain: config.trustDomain,
    timeZone: config.timeZone,
    hierarchy: caConfig.hierarchy,
    profiles: [...caConfig.profiles.values()],
  };
}

export interface FoundationOptions {
  readonly config: Config;
  readonly roles: Roles;
  readonly system: System;
  readonly log: Logger;
  readonly undoing: Undoing;
  /** Something below is gone though nobody stopped it: the service cannot go on. */
  readonly onFatal: (error: Error) => void;
}

/** The data folder is ours alone, or each of our roles in it is. */
async function lockRoles({ config, roles, undoing }: FoundationOptions): Promise<void> {
  const { dataDir } = config;
  makeDataFolder(config);
  if (isWhole(roles)) {
    const lock = await lockDataFolder(dataDir);
    undoing.add(() => lock.release());
  }
  for (const role of roles) {
    try {
      const lock = await lockDataFolder(dataDir, rolePart(role));
      undoing.add(() => lock.release());
    } catch (error) {
      if (!(error instanceof DataFolderInUseError)) throw error;
      throw new DataFolderInUseError(
        `another suido process has the role ${role} with the data folder ${dataDir}: stop it first, or choose another folder`,
        { cause: error },
      );
    }
  }
}

/** The database with its schema. Processes that share the work share a server of the site's. */
async function openDatabase(options: FoundationOptions): Promise<string> {
  const { config, roles, log, undoing, onFatal } = options;
  if (config.databaseUrl === undefined) {
    if (!isWhole(roles))
      throw new CommandError(
        "--role needs DATABASE_URL: the embedded PostgreSQL is for a single process with all roles",
      );
    const { startEmbedded } = await import("../storage/embedded.ts");
    const embedded = await startEmbedded({ dataDir: config.dataDir, log, onExit: onFatal });
    undoing.add(() => embedded.stop());
    await prepareDatabase({ url: embedded.url, log });
    return embedded.url;
  }
  const url = config.databaseUrl;
  await namingDatabase(config, async () => {
    try {
      await prepareDatabase({ url, log });
    } catch (error) {
      // A VA by itself answers from its disk's copies until the database is there.
      const isVaAlone = roles.size === 1 && roles.has("va");
      if (!isVaAlone || !(error instanceof DatabaseUnavailableError)) throw error;
      log.warn({ err: error }, "the database is away: the VA starts from what it has on disk");
    }
  });
  return url;
}

/**
 * The signer, which on a demo's first start holds the ceremony: in a process of its own, which this one is where it has no
 * other role. Other processes reach it by a socket, as this one does where another has the role.
 */
async function openSigner(options: FoundationOptions, databaseUrl: string): Promise<SignerClient> {
  const { config, roles, system, log, undoing, onFatal } = options;
  if (!roles.has("signer")) {
    const signer = connectSigner({ path: signerSocketPath(config), log });
    undoing.add(() => signer.close());
    return signer;
  }
  makeSignerFolders(config);
  const { loadCaConfig } = await import("../config/ca-config.ts");
  const caConfig = loadCaConfig(CA_CONFIG, knownProfiles(config));
  const settings = signerSettings(config, { caConfig, databaseUrl });
  let signer: SignerClient;
  if (roles.size === 1) {
    const { runOwnSigner } = await import("./own-signer.ts");
    signer = await runOwnSigner({ system, settings, log, onFatal });
  } else {
    signer = await forkSigner({ entry: new URL("./signer.ts", import.meta.url), settings, log });
  }
  undoing.add(() => signer.close());
  if (!isWhole(roles)) {
    const socket = await serveSocket({ path: signerSocketPath(config), signer, log });
    undoing.add(() => socket.close());
  }
  return signer;
}

/** Lays the foundation, from the ground up. Throws the sentence that whoever started it must read. */
export async function layFoundation(options: FoundationOptions): Promise<Foundation> {
  await lockRoles(options);
  await tryDoors(options.config, options.roles);
  const databaseUrl = await openDatabase(options);
  return { databaseUrl, signer: await openSigner(options, databaseUrl) };
}
