import { readFileSync } from "node:fs";
import path from "node:path";

import type { Registry } from "prom-client";
import { openServerCertificate, type Validity } from "../ca/server-certificate.ts";
import type { Listener } from "../config/environment.ts";
import { createAppServer } from "../http/api-app.ts";
import { createHttpMetrics } from "../http/http-metrics.ts";
import { createMtlsServer, type MtlsServer, type ServerCertificate } from "../http/mtls-app.ts";
import type { Readiness } from "../http/routes-operations.ts";
import { createVaApp } from "../http/va-app.ts";
import { toHex } from "../pki/bytes.ts";
import { commonNameOf } from "../pki/name.ts";
import { pemEncode } from "../pki/pem.ts";
import type { Va } from "../va/va.ts";
import type { AuthorityFacts } from "../web/console-page.ts";
import type { Opening, Rooms } from "./rooms.ts";
import type { System } from "./system.ts";
import { version } from "./version.ts";

/** A Fastify app, as far as one needs to open and close its door. */
interface Door {
  listen(options: { host: string; port: number }): Promise<string>;
  close(): Promise<unknown>;
}

/** Opens a door; a port in use or a host that is not ours is told in a sentence. */
async function listenOn(door: Door, { host, port }: Listener, variable: string): Promise<void> {
  try {
    await door.listen({ host, port });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    const why =
      code === "EADDRINUSE"
        ? "something else listens there already"
        : `it cannot be opened (${code})`;
    throw Object.assign(new Error(`${variable} is ${host}:${port}, but ${why}`, { cause: error }), {
      code: "listener",
    });
  }
}

/** The VA's listener. */
export async function openVaListener(
  { config, system, log, undoing }: Opening,
  va: Va,
): Promise<void> {
  const app = await createVaApp({
    responder: va.responder,
    counts: va.counts,
    publication: (name) => va.repository.get(name),
    notReady: () => va.status().reasons,
    clock: system.clock,
    log,
  });
  undoing.add(() => app.close());
  await listenOn(app, config.va, "SUIDO_VA_LISTEN");
}

/** What the VA publishes of its authorities. */
function authoritiesOf(va: Va, { digest }: Pick<System, "digest">): readonly AuthorityFacts[] {
  const full = new Map(
    va.repository
      .lists()
      .filter(({ scope }) => scope === "full")
      .map((list) => [list.issuerId, list]),
  );
  return va.repository.issuers().map(({ id, kind, subject, certificate, notAfter }) => {
    const fingerprint = toHex(digest("sha256", certificate));
    const facts: AuthorityFacts = {
      id,
      kind,
      name: commonNameOf(subject) ?? id,
      fingerprint,
      notAfter,
    };
    const list = full.get(id);
    if (list === undefined) return facts;
    const { number, thisUpdate, nextUpdate, entryCount: entries } = list;
    return Object.assign(facts, {
      list: { number: number.toString(), thisUpdate, nextUpdate, entries },
    });
  });
}

export interface AppListenerDeps {
  readonly rooms: Rooms;
  readonly va: Va;
  readonly metrics: Registry;
  readonly readiness: () => Promise<Readiness>;
}

/** The app's listener. */
export async function openAppListener(opening: Opening, deps: AppListenerDeps): Promise<void> {
  const { config, system, log, undoing } = opening;
  const { rooms, va, metrics, readiness } = deps;
  const app = await createAppServer({
    ...rooms,
    ...system,
    log,
    authenticate: (presented) => rooms.apiKeys.authenticate(presented),
    metrics,
    counters: createHttpMetrics(metrics),
    version,
    urls: { app: config.app.url, va: config.va.url, mtls: config.mtls.url },
    timeZone: config.timeZone,
    readiness,
    authorities: async () => authoritiesOf(va, system),
  });
  undoing.add(() => app.close());
  await listenOn(app, config.app, "SUIDO_APP_LISTEN");
}

/** Names that the mTLS listener's own certificate is for: checks of an installation need a fresh host name each time. */
const OWN_NAMES = ["localhost", "*.check.localhost"];

export interface MtlsListener {
  readonly server: MtlsServer;
  /** The life of the certificate that it shows; undefined where the site brings its own. */
  readonly validity: () => Validity | undefined;
  /** Takes a new certificate when this one's time has come. */
  readonly renewIfDue: () => Promise<void>;
}

/** The mTLS listener, with the site's certificate or one of our own CA. */
export async function openMtlsListener(
  opening: Opening,
  { rooms, va }: { readonly rooms: Rooms; readonly va: Va },
): Promise<MtlsListener> {
  const { config, system, log, undoing, foundation } = opening;
  const given = config.mtlsCertificate;
  const own =
    given === undefined
      ? await openServerCertificate({
          ...system,
          signer: foundation.signer,
          folder: path.join(config.dataDir, "mtls"),
          dnsNames: OWN_NAMES,
        })
      : undefined;
  const authorities = (): string[] =>
    va.repository.issuers().map(({ certificate }) => pemEncode("CERTIFICATE", certificate));
  const issuing = (): string => {
    const found = va.repository
      .issuers()
      .find(({ kind, state }) => kind === "issuing" && state === "active");
    return found === undefined ? "" : pemEncode("CERTIFICATE", found.certificate);
  };
  const shown = (): ServerCertificate => {
    if (given !== undefined) {
      return {
        key: readFileSync(given.keyFile, "utf8"),
        certificate: readFileSync(given.certFile, "utf8"),
        authorities: authorities(),
      };
    }
    const { key, certificate } = own?.current() ?? { key: "", certificate: "" };
    return { key, certificate: certificate + issuing(), authorities: authorities() };
  };
  const server = await createMtlsServer({
    ...system,
    log,
    identify: rooms.identify,
    certificate: shown(),
  });
  undoing.add(() => server.app.close());
  await listenOn(server.app, config.mtls, "SUIDO_MTLS_LISTEN");
  return {
    server,
    validity: () => own?.validity(),
    renewIfDue: async () => {
      // A site's own files may have been replaced by whoever renews them: they are read again.
      if (own === undefined || (await own.renewIfDue())) server.setCertificate(shown());
    },
  };
}
