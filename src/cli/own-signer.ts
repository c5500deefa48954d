import type { Logger } from "pino";
import type { SignerClient } from "../ca/signer-client.ts";
import { runSigner, type SignerSettings } from "../ca/signer-process.ts";
import { hasRootDelegate, storeRootDelegate } from "../va/delegate-file.ts";
import { keptLists } from "../va/kept-lists.ts";
import type { System } from "./system.ts";

export interface OwnSignerOptions {
  readonly system: System;
  readonly settings: SignerSettings;
  readonly log: Logger;
  readonly onFatal: (error: Error) => void;
}

/** A signer in this very process, with what this machine's VA keeps on disk. */
export function runOwnSigner({
  system,
  settings,
  log,
  onFatal,
}: OwnSignerOptions): Promise<SignerClient> {
  const { vaFolder } = settings;
  return runSigner({
    ...system,
    settings,
    log,
    storeRootDelegate: (delegate) => storeRootDelegate(vaFolder, delegate, system.random),
    hasRootDelegate: (issuerId) => hasRootDelegate(vaFolder, issuerId, system.random),
    publishedLists: () => keptLists(vaFolder),
    onFatal,
  });
}
