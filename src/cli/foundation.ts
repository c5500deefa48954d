import { mkdirSync } from "node:fs";
import path from "node:path";

import type { Logger } from "pino";
import { type ForkedSigner, forkSigner } from "../ca/signer-fork.ts";
import type { SignerSettings } from "../ca/signer-process.ts";
import { type CaConfig, loadCaConfig } from "../config/ca-config.ts";
import type { Config } from "../config/environment.ts";
import { prepareDatabase } from "../storage/bootstrap.ts";
import { lockDataFolder } from "../storage/data-folder-lock.ts";
import { startEmbedded } from "../storage/embedded.ts";

/** What must stand before any room opens: the data folder, the database with its schema, the signer. */
export interface Foundation {
  readonly caConfig: CaConfig;
  readonly databaseUrl: string;
  readonly signer: ForkedSigner;
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
  readonly log: Logger;
  readonly undoing: Undoing;
  /** The embedded database is gone though nobody stopped it: the service cannot go on. */
  readonly onDatabaseExit: (error: Error) => void;
}

/** Lays the foundation, from the ground up. Throws the sentence that whoever started it must read. */
export async function layFoundation(options: FoundationOptions): Promise<Foundation> {
  const { config, log, undoing, onDatabaseExit } = options;
  const caConfig = loadCaConfig(CA_CONFIG);
  // 1. The data folder is ours alone.
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const lock = await lockDataFolder(config.dataDir);
  undoing.add(() => lock.release());
  // 2. The database, and its schema.
  let databaseUrl = config.databaseUrl;
  if (databaseUrl === undefined) {
    const embedded = await startEmbedded({ dataDir: config.dataDir, log, onExit: onDatabaseExit });
    undoing.add(() => embedded.stop());
    databaseUrl = embedded.url;
  }
  await prepareDatabase({ url: databaseUrl, log });
  // 3. The signer, which on a demo's first start holds the ceremony.
  const signer = await forkSigner({
    entry: new URL("./signer.ts", import.meta.url),
    settings: signerSettings(config, { caConfig, databaseUrl }),
    log,
  });
  undoing.add(() => signer.close());
  return { caConfig, databaseUrl, signer };
}
