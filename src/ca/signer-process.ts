import { existsSync } from "node:fs";
import type { Logger } from "pino";
import type { CaConfig, Hierarchy } from "../config/ca-config.ts";
import type { Clock } from "../pki/clock.ts";
import type { Digest, Random, Verify } from "../pki/crypto.ts";
import { createProfile, type ProfileFields } from "../pki/profile.ts";
import type { NewId } from "../pki/uuid.ts";
import { type Database, openDatabase } from "../storage/database.ts";
import { listen } from "../storage/listen.ts";
import { checkFrozenVaUrl, performCeremony, type RootDelegate } from "./ceremony.ts";
import { CeremonyError, SignerUnavailableError } from "./errors.ts";
import { openFileKeyStore } from "./file-key-store.ts";
import { readIssuers } from "./issuer.ts";
import { IssuerKeys } from "./issuer-keys.ts";
import { lockJournal } from "./journal-lock.ts";
import { makeKek, readKeks } from "./kek.ts";
import type { KeyStore } from "./key-store.ts";
import { openLedger } from "./ledger-open.ts";
import type { SignerClient } from "./signer-client.ts";
import { takeSignerLock } from "./signer-lock.ts";
import { quarantinedSigner, RESERVED_CHANNEL, Signer } from "./signer.ts";

/** Connections for work, beside the one of the lock and the one that listens. */
const CONNECTIONS = 4;

/** What the database says on its own: a status has changed; an issuer, or an order about issuers, is new. */
const CHANGES = "suido_change";
const ISSUERS = "suido_issuer";

/** All that the signer is told when it starts: plain data, which an IPC channel can carry. */
export interface SignerSettings {
  readonly databaseUrl: string;
  readonly journalFolder: string;
  readonly keyFolder: string;
  readonly kekFile: string;
  /** A demo makes its key-encryption key and its CA on the first start. Production never does. */
  readonly mayMakeKek: boolean;
  readonly mayMakeCa: boolean;
  /** Whether a root's key may lie in this key store. In production it lies there for the ceremony only. */
  readonly mayKeepRoot: boolean;
  /** Where the VA of this machine keeps what it needs. */
  readonly vaFolder: string;
  readonly vaUrl: string;
  readonly trustDomain: string;
  readonly timeZone: string;
  readonly hierarchy: Hierarchy;
  readonly profiles: readonly ProfileFields[];
}

export interface SignerProcessDeps {
  readonly settings: SignerSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: NewId;
  readonly digest: Digest;
  readonly verify: Verify;
  readonly log: Logger;
  readonly storeRootDelegate: (delegate: RootDelegate) => Promise<void>;
  readonly hasRootDelegate: (issuerId: string) => Promise<boolean>;
  /** The lists that the VA has kept on disk, for the case that the database was restored. */
  readonly publishedLists?: () => Promise<readonly Uint8Array[]>;
  /** Told of what only a new start can mend: the process must end. */
  readonly onFatal: (error: Error) => void;
}

/** The settings' CA configuration, checked anew: it has come over a channel. */
function caConfigOf({ hierarchy, profiles }: SignerSettings): CaConfig {
  return {
    hierarchy,
    profiles: new Map(profiles.map((fields) => [fields.name, createProfile(fields)])),
  };
}

function openKeys({ settings, random, log }: SignerProcessDeps) {
  const { kekFile, keyFolder, mayMakeKek } = settings;
  if (mayMakeKek && !existsSync(kekFile)) {
    makeKek(kekFile, random);
    log.warn({ kekFile }, "made a key-encryption key: keep a copy of it away from the keys");
  }
  return openFileKeyStore({ folder: keyFolder, keks: readKeks(kekFile), random });
}

/** Undoes what was set up, the last first. */
type Undo = () => Promise<void> | void;

async function undoAll(undos: readonly Undo[]): Promise<void> {
  for (const undo of undos.toReversed()) await undo();
}

/**
 * The signer from nothing to work: locks, keys, ledger, on a demo's first start the ceremony, then issuing. What it returns
 * does what it is asked, until it is closed. Throws what a person must read, with everything undone.
 */
export async function runSigner(deps: SignerProcessDeps): Promise<SignerClient> {
  const undos: Undo[] = [];
  try {
    return await compose(deps, undos);
  } catch (error) {
    await undoAll(undos);
    throw error;
  }
}

async function refuseOnlineRoot(database: Database, keyStore: KeyStore): Promise<void> {
  for (const { id, kind } of await readIssuers(database)) {
    if (kind !== "root" || !(await keyStore.has(id))) continue;
    throw new CeremonyError(
      `the root's key "${id}" lies in the online key store, which production refuses: take it out with: suido ca root seal <folder>`,
    );
  }
}

/** What the worker goes by: with a root's key elsewhere, its lists are a root session's matter. */
async function noteRootKeys(database: Database, keyStore: KeyStore): Promise<void> {
  for (const { id, kind } of await readIssuers(database)) {
    if (kind !== "root") continue;
    const isAway = !(await keyStore.has(id));
    await database.query(
      "update ca.issuer set is_key_away = $2 where id = $1 and is_key_away <> $2",
      [id, isAway],
    );
  }
}

/** What is announced is looked for at once; the signer finds it anyway. */
function heard(signer: Signer, channel: string): void {
  if (channel === ISSUERS) signer.issuersChanged();
  else if (channel === RESERVED_CHANNEL) signer.reserved();
  else signer.changed();
}

async function compose(deps: SignerProcessDeps, undos: Undo[]): Promise<SignerClient> {
  const { settings, log, onFatal } = deps;
  const { databaseUrl: url, journalFolder, trustDomain, timeZone } = settings;
  const onError = (error: Error): void => log.warn({ err: error }, "the database connection broke");
  const connect = (max: number, applicationName: string) => {
    const database = openDatabase({ url, role: "suido_signer", max, applicationName, onError });
    undos.push(() => database.close());
    return database;
  };
  // 1. Nobody else works with this journal, nor with this database.
  const journalLock = await lockJournal(journalFolder);
  undos.push(() => journalLock.release());
  const lock = await takeSignerLock(connect(1, "suido-signer-lock"), onFatal);
  if (lock === undefined)
    throw new SignerUnavailableError("another signer works with this database");
  undos.push(() => lock.release());
  // 2. The keys, then journal and database together.
  const keyStore = openKeys(deps);
  const database = connect(CONNECTIONS, "suido-signer");
  const opened = await openLedger({ ...deps, database, journalFolder });
  if (opened.state === "quarantine") {
    const { reason, faults } = opened;
    log.error({ reason, faults }, "quarantine: nothing is issued or released");
    return closing(quarantinedSigner(database, opened.reason), undos);
  }
  if (opened.found === "database-old")
    log.warn("the database was older than the journal, and has been brought up to it");
  // 3. The CA, which a demo makes and production finds.
  const { ledger } = opened;
  const caConfig = caConfigOf(settings);
  const work = { ...deps, database, ledger, trustDomain, timeZone, checkpoint: () => undefined };
  if (settings.mayMakeCa)
    await performCeremony({ ...work, caConfig, keyStore, vaUrl: settings.vaUrl });
  await checkFrozenVaUrl(database, settings.vaUrl);
  if (!settings.mayKeepRoot) await refuseOnlineRoot(database, keyStore);
  await noteRootKeys(database, keyStore);
  const keys = await IssuerKeys.open(database, keyStore);
  if (!keys.all.some(({ kind }) => kind === "issuing"))
    throw new CeremonyError("there is no CA yet; make one with: suido ca init");
  // 4. Work.
  const signer = await Signer.start({
    ...work,
    keys,
    keyStore,
    caConfig,
    vaUrl: settings.vaUrl,
    profiles: caConfig.profiles,
  });
  undos.push(() => signer.close());
  const listener = listen({
    url,
    role: "suido_signer",
    channels: [CHANGES, ISSUERS, RESERVED_CHANNEL],
    onNotify: (channel) => heard(signer, channel),
    onConnect: () => {
      signer.changed();
      signer.issuersChanged();
    },
    onError,
  });
  undos.push(() => listener.close());
  return closing(signer, undos);
}

/** The signer whose `close` closes everything that was opened for it. */
function closing(signer: SignerClient, undos: readonly Undo[]): SignerClient {
  return {
    issue: (serials) => signer.issue(serials),
    journal: (changeSeq) => signer.journal(changeSeq),
    prepareLists: (issuerId) => signer.prepareLists(issuerId),
    commitLists: (batchId, sha256) => signer.commitLists(batchId, sha256),
    delegate: (issuerId, spki) => signer.delegate(issuerId, spki),
    serverCertificate: (spki, dnsNames) => signer.serverCertificate(spki, dnsNames),
    status: () => signer.status(),
    close: () => undoAll(undos),
  };
}
