import { readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { type Authority, readAuthorities } from "../ca/authorities.ts";
import { SignerUnavailableError } from "../ca/errors.ts";
import { createIdentify } from "../ca/identification.ts";
import { openServerCertificate, type Validity } from "../ca/server-certificate.ts";
import { createMtlsServer, type ServerCertificate } from "../http/mtls-app.ts";
import { pemEncode } from "../pki/pem.ts";
import type { Database } from "../storage/database.ts";
import type { Va } from "../va/va.ts";
import { listenOn } from "./door.ts";
import type { Opening } from "./opening.ts";

/** Names that the mTLS listener's own certificate is for: checks of an installation need a fresh host name each time. */
const OWN_NAMES = ["localhost", "*.check.localhost"];

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

/** The mTLS listener, with the site's certificate or one of our own CA. */
export async function openMtlsRole(
  opening: Opening,
  { database, va }: MtlsRoleDeps,
): Promise<MtlsRole> {
  const { config, system, log, undoing, foundation } = opening;
  const given = config.mtlsCertificate;
  const own =
    given === undefined
      ? await whenSignerIsThere(() =>
          openServerCertificate({
            ...system,
            signer: foundation.signer,
            folder: path.join(config.dataDir, "mtls"),
            dnsNames: OWN_NAMES,
          }),
        )
      : undefined;
  const shown = async (): Promise<ServerCertificate> => {
    const all: readonly Shown[] = va?.repository.issuers() ?? (await readAuthorities(database));
    const authorities = all.map(pem);
    if (given !== undefined) {
      return {
        key: readFileSync(given.keyFile, "utf8"),
        certificate: readFileSync(given.certFile, "utf8"),
        authorities,
      };
    }
    const { key, certificate } = own?.current() ?? { key: "", certificate: "" };
    const issuing = all.find(({ kind, state }) => kind === "issuing" && state === "active");
    const chain = issuing === undefined ? "" : pem(issuing);
    return { key, certificate: certificate + chain, authorities };
  };
  const server = await createMtlsServer({
    ...system,
    log,
    identify: createIdentify({ ...system, database }),
    certificate: await shown(),
  });
  undoing.add(() => server.app.close());
  await listenOn(server.app, config.mtls, "SUIDO_MTLS_LISTEN");
  return {
    validity: () => own?.validity(),
    renewIfDue: async () => {
      // A site's own files may have been replaced by whoever renews them: they are read again.
      if (own === undefined || (await own.renewIfDue())) server.setCertificate(await shown());
    },
  };
}
