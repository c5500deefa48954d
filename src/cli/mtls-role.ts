import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { type Authority, readAuthorities } from "../ca/authorities.ts";
import { SignerUnavailableError } from "../ca/errors.ts";
import { createIdentify } from "../ca/identification.ts";
import {
  openServerCertificate,
  type ServerCertificate as Own,
  type Validity,
} from "../ca/server-certificate.ts";
import { createSuccessorOf } from "../ca/successor.ts";
import { createVisitCheck } from "../lifecycle/proof.ts";
import { createRenewalStart, type RenewalStart } from "../lifecycle/renewal-start.ts";
import { createScriptSecrets } from "../lifecycle/script-secrets.ts";
import { type AskRenewal, createAskRenewal } from "../lifecycle/scripted-renewal.ts";
import { createMtlsServer, type ServerCertificate } from "../http/mtls-app.ts";
import { pemEncode } from "../pki/pem.ts";
import type { Database } from "../storage/database.ts";
import { listen } from "../storage/listen.ts";
import type { Authorizer } from "../va/authorizer.ts";
import type { Va } from "../va/va.ts";
import { isForChecks, ownNames } from "./check-names.ts";
import { listenOn } from "./door.ts";
import { openGuesses } from "./guesses.ts";
import type { Opening } from "./opening.ts";

/** The database says that CAs have come, gone or changed their state. */
const ISSUERS = "suido_issuer";

export interface MtlsRole {
  /** The life of the certificate that it shows; undefined where the site brings its own. */
  readonly validity: () => Validity | undefined;
  /** Takes a new certificate when this one's time has come. */
  readonly renewIfDue: () => Promise<void>;
}

type Shown = Pick<Authority, "kind" | "state" | "certificate">;

export interface MtlsRoleDeps {
  /** As suido_app. */
  readonly database: Database;
  readonly va: Va | undefined;
  readonly authorizer: Authorizer;
}

/** Whoever is started together with the signer gives it time for its first start. */
const SIGNER_PATIENCE_MS = 60_000;
const SIGNER_RETRY_MS = 500;

/** Tries again while the signer is not there yet. */
async function whenSignerIsThere<T>(work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + SIGNER_PATIENCE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof SignerUnavailableError) || performance.now() > deadline) throw error;
      await sleep(SIGNER_RETRY_MS);
    }
  }
}

const pem = ({ certificate }: Shown): string => pemEncode("CERTIFICATE", certificate);

function hasSigned({ kind, certificate }: Shown, server: string): boolean {
  if (kind !== "issuing" || server === "") return false;
  return new X509Certificate(server).checkIssued(new X509Certificate(certificate));
}

/** From the database, or as the VA has kept them while it is away. */
async function authoritiesOf(database: Database, va: Va | undefined): Promise<readonly Shown[]> {
  try {
    return await readAuthorities(database);
  } catch (error) {
    if (va === undefined) throw error;
    return va.repository.issuers();
  }
}

/** The certificate of our own CA, where the site brings none. */
async function openOwn({ config, system, foundation }: Opening): Promise<Own | undefined> {
  if (config.mtlsCertificate !== undefined) return undefined;
  return whenSignerIsThere(() =>
    openServerCertificate({
      ...system,
      signer: foundation.signer,
      folder: path.join(config.dataDir, "mtls"),
      dnsNames: ownNames(config),
    }),
  );
}

/** What the listener shows now. */
async function shown(
  { config }: Opening,
  { database, va }: MtlsRoleDeps,
  own: Own | undefined,
): Promise<ServerCertificate> {
  const all = await authoritiesOf(database, va);
  const authorities = all.filter(({ state }) => state !== "ended").map(pem);
  const given = config.mtlsCertificate;
  if (given !== undefined) {
    return {
      key: readFileSync(given.keyFile, "utf8"),
      certificate: readFileSync(given.certFile, "utf8"),
      authorities,
    };
  }
  const { key, certificate } = own?.current() ?? { key: "", certificate: "" };
  // The one that has signed it, which is not the active one where a successor has taken over since.
  const issuing = all.find((one) => hasSigned(one, certificate));
  return {
    key,
    certificate: certificate + (issuing === undefined ? "" : pem(issuing)),
    authorities,
  };
}

/** A certificate of a revoked CA is none, however long it lives: the successor, once there is one, gives another. */
async function isDistrusted(database: Database, own: Own): Promise<boolean> {
  const all = await readAuthorities(database);
  const isReplaced = all.some(({ kind, state }) => kind === "issuing" && state === "active");
  const { certificate } = own.current();
  return isReplaced && all.some((one) => one.isRevoked && hasSigned(one, certificate));
}

/** Hears when CAs come, go or change their state. */
function hearOfIssuers({ log, undoing, foundation }: Opening, refresh: () => Promise<void>): void {
  const hear = async (): Promise<void> => {
    try {
      await refresh();
    } catch (error) {
      log.warn({ err: error }, "news of CAs are not taken up yet");
    }
  };
  const listener = listen({
    url: foundation.databaseUrl,
    role: "suido_app",
    channels: [ISSUERS],
    onNotify: () => void hear(),
    onConnect: () => undefined,
    onError: (error) => log.warn({ err: error }, "news of CAs are not heard"),
  });
  undoing.add(() => listener.close());
}

/** Renewal by whoever shows an old certificate: a person at a browser, or a script. */
function openRenewal(
  opening: Opening,
  database: Database,
): { readonly renewalStart: RenewalStart; readonly askRenewal: AskRenewal } {
  const { config, system } = opening;
  const own = { ...system, database, guesses: openGuesses(opening, database) };
  const renewalStart = createRenewalStart(own);
  const scriptSecrets = createScriptSecrets(own);
  const { timeZone } = config;
  return {
    renewalStart,
    askRenewal: createAskRenewal({ ...own, timeZone, renewalStart, scriptSecrets }),
  };
}

/** The mTLS listener, with the site's certificate or one of our own CA. */
export async function openMtlsRole(opening: Opening, deps: MtlsRoleDeps): Promise<MtlsRole> {
  const { config, system, log, undoing } = opening;
  const { database } = deps;
  const own = await openOwn(opening);
  const certificate = await shown(opening, deps, own);
  if (!isForChecks(certificate.certificate, config.checkUrl))
    log.warn(
      { checkUrl: config.checkUrl },
      "the certificate of SUIDO_MTLS_CERT is for no name below SUIDO_CHECK_URL: browsers will refuse every check",
    );
  const identify = createIdentify({ ...system, database });
  const server = await createMtlsServer({
    ...system,
    log,
    identify,
    visitCheck: createVisitCheck({ ...system, database, identify }),
    checkUrl: config.checkUrl,
    timeZone: config.timeZone,
    certificate,
    authorizer: deps.authorizer,
    appUrl: config.app.url,
    mtlsUrl: config.mtls.url,
    ...openRenewal(opening, database),
    successorOf: createSuccessorOf({ ...system, database }),
    site: opening.site,
  });
  undoing.add(() => server.app.close());
  await listenOn(server.app, config.mtls, "SUIDO_MTLS_LISTEN");
  const refresh = async (): Promise<void> => {
    await own?.renewIfDue(() => isDistrusted(database, own));
    // A site's own files may have been replaced by whoever renews them, and CAs come and go: all is read again.
    server.setCertificate(await shown(opening, deps, own));
  };
  hearOfIssuers(opening, refresh);
  return { validity: () => own?.validity(), renewIfDue: refresh };
}
