import { isIP } from "node:net";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";

import {
  addresses,
  batchLines,
  durationMs,
  hostAndPort,
  issuerUrl,
  keyStore,
  mailAddress,
  mailDomain,
  moreDevices,
  oneLine,
  oneOf,
  overlapDays,
  perMonth,
  places,
  publicUrl,
  socketPath,
  timeZone,
  trustDomain,
  urlOf,
} from "./setting-values.ts";

/** Where a listener binds, and the address that is written into certificates, mails and pages. */
export interface Listener {
  readonly host: string;
  readonly port: number;
  readonly url: string;
}

/** A certificate with its chain, and its key, as PEM files. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** The OpenID Connect provider with which the site's people sign in. */
export interface SignInProvider {
  /** As it stands in the provider's tokens. */
  readonly issuer: string;
  readonly clientId: string;
  /** Where a file holds it, `clientSecretFile`; a client without either is a public one, which PKCE protects. */
  readonly clientSecret: string | undefined;
  readonly clientSecretFile: string | undefined;
}

/** Everything the environment decides, validated and frozen. */
export interface Config {
  /** `demo` makes a CA on the first start; `production` refuses what a demo takes for granted. */
  readonly mode: "demo" | "production";
  readonly dataDir: string;
  /** Absent: an embedded PostgreSQL under the data folder. */
  readonly databaseUrl: string | undefined;
  /** Absent: the queue lives in PostgreSQL. */
  readonly redisUrl: string | undefined;
  readonly va: Listener;
  readonly app: Listener;
  readonly mtls: Listener;
  /** Below its host each check of an installation has a host name of its own, which the mTLS listener serves. */
  readonly checkUrl: string;
  /** Absent: mails become `.eml` files under `<data>/outbox`. */
  readonly mailUrl: string | undefined;
  readonly mailFrom: string;
  /** The domain to which mails come back, each to an address of its own; absent: all to `mailFrom`. */
  readonly mailBounceDomain: string | undefined;
  /** Who is told of what needs an operator. Absent: nobody by mail, the metrics still show it. */
  readonly operatorMail: string | undefined;
  /** Names, colours, support and products in one file (`loadSite`). Absent: people meet Suido under its own name. */
  readonly siteFile: string | undefined;
  /** Whom people call, with hours, on one line, where there is no such file or it does not say. */
  readonly support: string | undefined;
  /** Whether a code to their own address says who somebody is. A demo has no support that could be called. */
  readonly identifyByMail: boolean;
  /** Absent: nobody signs in, and people are identified in the other ways. */
  readonly signInProvider: SignInProvider | undefined;
  /** So many more devices a person may ask for in a day, from one that they have finished. */
  readonly moreDevices: number;
  /** In so many places (Windows users, stores of browsers) a device may have a certificate. */
  readonly placesPerDevice: number;
  readonly keyStoreDir: string;
  readonly kekFile: string;
  /** Whether the key-encryption key may be made up on the first start. */
  readonly kekMayBeMade: boolean;
  /** Seals the secrets of people's authenticators; made up on the first start where there is none. */
  readonly factorKeyFile: string;
  readonly journalDir: string;
  /** The Unix socket between a signer and roles in other processes; absent: one that the data folder names. */
  readonly signerSocket: string | undefined;
  /** How many processes answer on the VA's port. */
  readonly vaProcesses: number;
  readonly trustDomain: string;
  /** How old the last known status may be before OCSP answers tryLater, in milliseconds. */
  readonly maxStaleMs: number;
  /** How long an old certificate works on beside a proven successor that no product reports, in days. */
  readonly renewalOverlapDays: number;
  /** How many lines a file of invitations may have. */
  readonly batchLines: number;
  /** How often in a month a pharmacy's machine may be stood in for at night. */
  readonly emergenciesPerMonth: number;
  /** How long an enrolment that came to nothing is kept after its end, in milliseconds. */
  readonly keepEnrolmentsMs: number;
  /** How long an enrolment is evidence after the end of its last certificate, in milliseconds. */
  readonly keepEvidenceMs: number;
  /** The server certificate of the mTLS listener; absent: one of Suido's own CA. */
  readonly mtlsCertificate: CertificateFiles | undefined;
  /** Who signs the profiles of Apple's devices; absent: they go out unsigned. */
  readonly profileCertificate: CertificateFiles | undefined;
  readonly trustedProxies: readonly string[];
  readonly timeZone: string;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;

/** All that is wrong with the environment, one line a fault, each with the variable's name and never its value. */
export class ConfigurationError extends Error {
  readonly faults: readonly string[];
  constructor(faults: readonly string[]) {
    super(`the configuration is not usable:\n${faults.map((fault) => `  ${fault}`).join("\n")}`);
    this.faults = faults;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads variables one by one and collects what is wrong with them, so that all faults are told at once. */
class Reader {
  readonly faults: string[] = [];
  readonly #seen = new Set<string>();
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** The value read by `parse`, or `fallback` where the variable is absent, empty or wrong. `parse` throws what would be right. */
  read<T>(name: string, fallback: T, parse: (text: string) => T): T {
    this.#seen.add(name);
    const text = this.#env[name]?.trim();
    if (text === undefined || text === "") return fallback;
    try {
      return parse(text);
    } catch (error) {
      this.fault(name, error instanceof Error ? error.message : "is wrong");
      return fallback;
    }
  }

  fault(name: string, sentence: string): void {
    this.faults.push(`${name} ${sentence}`);
  }

  /** A misspelt setting must not be ignored in silence. */
  refuseUnknown(): void {
    for (const name of Object.keys(this.#env)) {
      if (name.startsWith("SUIDO_") && !this.#seen.has(name))
        this.fault(name, "is not a setting of Suido");
    }
  }
}

/** What of the machine decides how many processes may share a port. */
interface Machine {
  readonly platform: NodeJS.Platform;
  readonly cores: number;
}

const thisMachine = (): Machine => ({ platform: process.platform, cores: availableParallelism() });

const MOST_PROCESSES = 64;

function vaProcesses({ cores, platform }: Machine): (text: string) => number {
  return (text) => {
    // Only Linux spreads connections over the processes that listen on one port (socket(7), SO_REUSEPORT).
    const most = platform === "linux" ? MOST_PROCESSES : 1;
    if (text === "auto") return Math.min(cores, most);
    if (!/^[1-9]\d?$/.test(text) || Number(text) > MOST_PROCESSES)
      throw new Error(
        `must be a number from 1 to ${MOST_PROCESSES}, or auto for as many as there are cores`,
      );
    if (Number(text) > most)
      throw new Error("must be 1 or auto here: only Linux lets several processes share a port");
    return Number(text);
  };
}

function readListener(
  reader: Reader,
  name: "VA" | "APP" | "MTLS",
  defaults: { host: string; port: number; scheme: string },
): Listener {
  const { host, port } = reader.read(`SUIDO_${name}_LISTEN`, defaults, hostAndPort);
  // A listener on every address is reached by its loopback name from this machine.
  const named = host === "0.0.0.0" || host === "::" ? defaults.host : host;
  const own = `${defaults.scheme}//${named.includes(":") ? `[${named}]` : named}:${port}`;
  return Object.freeze({
    host,
    port,
    url: reader.read(
      `SUIDO_${name}_URL`,
      own,
      publicUrl(name === "VA" ? ["http:", "https:"] : [defaults.scheme, "https:"]),
    ),
  });
}

/** A name below the mTLS listener's. An IP address has none: checks are then below `localhost`. */
function ownCheckUrl({ url }: Listener): string {
  const { protocol, hostname, port } = new URL(url);
  const parent = isIP(hostname) !== 0 || hostname.startsWith("[") ? "localhost" : hostname;
  return `${protocol}//check.${parent}${port === "" ? "" : `:${port}`}`;
}

/** Each check is a label before its host, so it is a name, and nothing stands behind it. */
function checkUrl(text: string): string {
  const url = new URL(publicUrl(["https:"])(text));
  if (url.pathname !== "/" || isIP(url.hostname) !== 0 || url.hostname.startsWith("["))
    throw new Error("must be https and the host name below which each check gets one of its own");
  return text.replace(/\/+$/, "");
}

const LOOPBACK = /^(?:localhost|.+\.localhost|127(?:\.\d+){3}|\[::1\])$/;
const isLoopback = (host: string): boolean => LOOPBACK.test(host);

function isLoopbackOrBareIp(url: string): boolean {
  const host = new URL(url).hostname;
  return isLoopback(host) || host.startsWith("[") || /^\d+\.\d+\.\d+\.\d+$/.test(host);
}

function refuseDemoHabits(reader: Reader, config: Config, given: { kek: boolean }): void {
  if (config.va.url.startsWith("https:"))
    reader.fault(
      "SUIDO_VA_URL",
      "must be http in production: a client that checks a certificate cannot first check ours (RFC 5280 §8)",
    );
  if (isLoopbackOrBareIp(config.va.url))
    reader.fault(
      "SUIDO_VA_URL",
      "must have a host name in production: it is written into every certificate for years",
    );
  if (!given.kek)
    reader.fault(
      "SUIDO_KEK_FILE",
      "must be set in production: the key-encryption key is yours to make and to keep",
    );
  if (config.mtlsCertificate === undefined) {
    reader.fault(
      "SUIDO_MTLS_CERT",
      "must be set in production: devices do not trust our root, so the host that proves and renews needs a public certificate",
    );
  }
}

function readCertificate(reader: Reader, use: "MTLS" | "PROFILE"): CertificateFiles | undefined {
  const [cert, key] = [`SUIDO_${use}_CERT`, `SUIDO_${use}_KEY`] as const;
  const [certFile, keyFile] = [reader.read(cert, "", resolve), reader.read(key, "", resolve)];
  if (certFile === "" && keyFile === "") return undefined;
  if (certFile === "") reader.fault(cert, `must be set where ${key} is`);
  if (keyFile === "") reader.fault(key, `must be set where ${cert} is`);
  return { certFile, keyFile };
}

/** Secrets cross plain http only where nothing lies between, and never in production. */
function refuseOpenProvider(reader: Reader, issuer: string, mode: Config["mode"]): void {
  const { hostname, protocol } = new URL(issuer);
  if (protocol === "https:" || (mode === "demo" && isLoopback(hostname))) return;
  reader.fault(
    "SUIDO_OIDC_ISSUER",
    "must begin with https://, but for one on this machine in a demo",
  );
}

function readSignInProvider(reader: Reader, mode: Config["mode"]): SignInProvider | undefined {
  const text = (name: string): string | undefined =>
    reader.read<string | undefined>(`SUIDO_OIDC_${name}`, undefined, oneLine);
  const issuer = reader.read<string | undefined>("SUIDO_OIDC_ISSUER", undefined, issuerUrl);
  const [clientId, clientSecret] = [text("CLIENT_ID"), text("CLIENT_SECRET")];
  const clientSecretFile = reader.read<string | undefined>(
    "SUIDO_OIDC_CLIENT_SECRET_FILE",
    undefined,
    resolve,
  );
  if (clientSecret !== undefined && clientSecretFile !== undefined)
    reader.fault("SUIDO_OIDC_CLIENT_SECRET", "must not be set where the file of it is named");
  if (issuer === undefined) {
    if (clientId !== undefined)
      reader.fault("SUIDO_OIDC_ISSUER", "must be set where SUIDO_OIDC_CLIENT_ID is");
    return undefined;
  }
  refuseOpenProvider(reader, issuer, mode);
  if (clientId === undefined)
    reader.fault("SUIDO_OIDC_CLIENT_ID", "must be set where SUIDO_OIDC_ISSUER is");
  return { issuer, clientId: clientId ?? "", clientSecret, clientSecretFile };
}

function readKeeping(reader: Reader): Pick<Config, "keepEnrolmentsMs" | "keepEvidenceMs"> {
  return {
    keepEnrolmentsMs: reader.read("SUIDO_KEEP_ENROLMENTS", durationMs("90d"), durationMs),
    keepEvidenceMs: reader.read("SUIDO_KEEP_EVIDENCE", durationMs("1827d"), durationMs),
  };
}

/** How mails go out, and come back. */
function readMail(
  reader: Reader,
): Pick<Config, "mailUrl" | "mailFrom" | "mailBounceDomain" | "operatorMail"> {
  const optional = (name: string, parse: (text: string) => string): string | undefined =>
    reader.read<string | undefined>(name, undefined, parse);
  return {
    mailUrl: optional("SUIDO_MAIL_URL", urlOf(["smtp:", "smtps:"])),
    mailFrom: reader.read("SUIDO_MAIL_FROM", "Suido <no-reply@suido.localhost>", mailAddress),
    mailBounceDomain: optional("SUIDO_MAIL_BOUNCE_DOMAIN", mailDomain),
    operatorMail: optional("SUIDO_OPERATOR_MAIL", mailAddress),
  };
}

/** How much people may ask for. */
function readLimits(
  reader: Reader,
): Pick<Config, "moreDevices" | "placesPerDevice" | "batchLines" | "emergenciesPerMonth"> {
  return {
    moreDevices: reader.read("SUIDO_MORE_DEVICES", 10, moreDevices),
    placesPerDevice: reader.read("SUIDO_PLACES_PER_DEVICE", 5, places),
    batchLines: reader.read("SUIDO_BATCH_LINES", 5_000, batchLines),
    emergenciesPerMonth: reader.read("SUIDO_EMERGENCIES_PER_MONTH", 2, perMonth),
  };
}

function refuseSharedPorts(reader: Reader, config: Config): void {
  const taken = new Map<number, string>();
  for (const name of ["va", "app", "mtls"] as const) {
    const variable = `SUIDO_${name.toUpperCase()}_LISTEN`;
    const before = taken.get(config[name].port);
    if (before !== undefined) reader.fault(variable, `has the same port as ${before}`);
    taken.set(config[name].port, variable);
  }
}

/**
 * The configuration that the environment describes. Called once, by `src/cli`; nothing else reads the environment.
 * Throws ConfigurationError with every fault at once.
 */
export function loadConfig(env: Environment, machine: Machine = thisMachine()): Config {
  const reader = new Reader(env);
  const dataDir = reader.read("SUIDO_DATA_DIR", resolve("data"), resolve);
  const under = (name: string): string => join(dataDir, name);
  const mode = reader.read("SUIDO_MODE", "demo" as const, oneOf(["demo", "production"]));
  const kekFile = reader.read("SUIDO_KEK_FILE", "", resolve);
  const mtls = readListener(reader, "MTLS", { host: "localhost", port: 8443, scheme: "https:" });
  const config: Config = {
    mode,
    dataDir,
    databaseUrl: reader.read<string | undefined>(
      "DATABASE_URL",
      undefined,
      urlOf(["postgres:", "postgresql:"]),
    ),
    redisUrl: reader.read<string | undefined>("REDIS_URL", undefined, urlOf(["redis:", "rediss:"])),
    va: readListener(reader, "VA", { host: "127.0.0.1", port: 8080, scheme: "http:" }),
    app: readListener(reader, "APP", { host: "localhost", port: 8000, scheme: "http:" }),
    mtls,
    checkUrl: reader.read("SUIDO_CHECK_URL", ownCheckUrl(mtls), checkUrl),
    ...readMail(reader),
    siteFile: reader.read<string | undefined>("SUIDO_SITE_FILE", undefined, resolve),
    support: reader.read<string | undefined>("SUIDO_SUPPORT", undefined, oneLine),
    identifyByMail: reader.read(
      "SUIDO_IDENTIFY_BY_MAIL",
      mode === "demo",
      (text) => oneOf(["yes", "no"])(text) === "yes",
    ),
    signInProvider: readSignInProvider(reader, mode),
    keyStoreDir: resolve(reader.read("SUIDO_KEY_STORE", "", keyStore) || under("keys")),
    kekFile: kekFile === "" ? under("kek") : kekFile,
    kekMayBeMade: mode === "demo" && kekFile === "",
    factorKeyFile: reader.read("SUIDO_FACTOR_KEY_FILE", under("factor-key"), resolve),
    journalDir: reader.read("SUIDO_JOURNAL_DIR", under("journal"), resolve),
    signerSocket: reader.read<string | undefined>("SUIDO_SIGNER_SOCKET", undefined, socketPath),
    trustDomain: reader.read("SUIDO_TRUST_DOMAIN", "suido.localhost", trustDomain),
    vaProcesses: reader.read("SUIDO_VA_PROCESSES", 1, vaProcesses(machine)),
    maxStaleMs: reader.read("SUIDO_MAX_STALE", durationMs("24h"), durationMs),
    renewalOverlapDays: reader.read("SUIDO_RENEWAL_OVERLAP", 7, overlapDays),
    ...readLimits(reader),
    ...readKeeping(reader),
    mtlsCertificate: readCertificate(reader, "MTLS"),
    profileCertificate: readCertificate(reader, "PROFILE"),
    trustedProxies: reader.read("SUIDO_TRUSTED_PROXIES", [], addresses),
    timeZone: reader.read("SUIDO_TZ", "Asia/Tokyo", timeZone),
    logLevel: reader.read("SUIDO_LOG_LEVEL", "info" as const, oneOf(LOG_LEVELS)),
  };
  refuseSharedPorts(reader, config);
  if (mode === "production") refuseDemoHabits(reader, config, { kek: kekFile !== "" });
  reader.refuseUnknown();
  if (reader.faults.length > 0) throw new ConfigurationError(reader.faults);
  return Object.freeze(config);
}
