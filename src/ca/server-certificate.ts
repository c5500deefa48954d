import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { Clock } from "../pki/clock.ts";
import { pemEncode } from "../pki/pem.ts";
import { replaceFileSync } from "../storage/durable-file.ts";
import type { SignerClient } from "./signer-client.ts";

/** A TLS server's key and certificate, PEM. */
export interface ServerIdentity {
  readonly key: string;
  /** The server's own certificate alone; its issuer's goes behind it in the handshake. */
  readonly certificate: string;
}

export interface Validity {
  readonly from: Date;
  readonly until: Date;
}

export interface ServerCertificateDeps {
  readonly signer: Pick<SignerClient, "serverCertificate">;
  readonly clock: Clock;
  /** Where key and certificate lie between two starts. */
  readonly folder: string;
  readonly dnsNames: readonly string[];
}

/** The server certificate of our own CA, for a site that brings none. */
export interface ServerCertificate {
  current(): ServerIdentity;
  validity(): Validity;
  /** Takes a new one when two thirds of this one's life are over, or nobody may trust it. Returns whether it did. */
  renewIfDue(isDistrusted?: () => Promise<boolean>): Promise<boolean>;
}

const FILE = "server.pem";

function validityOf({ certificate }: ServerIdentity): Validity {
  const { validFrom, validTo } = new X509Certificate(certificate);
  return { from: new Date(validFrom), until: new Date(validTo) };
}

/** Whether it is for these names and in the first two thirds of its life. */
function isFresh(identity: ServerIdentity, dnsNames: readonly string[], now: Date): boolean {
  const { from, until } = validityOf(identity);
  const names = dnsNames.map((name) => `DNS:${name}`).join(", ");
  const renewAt = from.getTime() + ((until.getTime() - from.getTime()) * 2) / 3;
  const { subjectAltName } = new X509Certificate(identity.certificate);
  return subjectAltName === names && now.getTime() < renewAt;
}

function readIdentity(file: string): ServerIdentity | undefined {
  if (!existsSync(file)) return undefined;
  const [key, certificate] = readFileSync(file, "utf8").split(/(?=-----BEGIN CERTIFICATE-----)/);
  return key === undefined || certificate === undefined ? undefined : { key, certificate };
}

async function issue({ signer, dnsNames, folder }: ServerCertificateDeps): Promise<ServerIdentity> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ format: "der", type: "spki" });
  const der = await signer.serverCertificate(spki, dnsNames);
  const identity = {
    key: privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
    certificate: pemEncode("CERTIFICATE", der),
  };
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  replaceFileSync(
    join(folder, FILE),
    new TextEncoder().encode(identity.key + identity.certificate),
  );
  return identity;
}

/** Reads the certificate that an earlier start has left, or takes a new one from the signer. */
export async function openServerCertificate(
  deps: ServerCertificateDeps,
): Promise<ServerCertificate> {
  const { clock, dnsNames, folder } = deps;
  const left = readIdentity(join(folder, FILE));
  let identity = left !== undefined && isFresh(left, dnsNames, clock()) ? left : await issue(deps);
  return {
    current: () => identity,
    validity: () => validityOf(identity),
    renewIfDue: async (isDistrusted = () => Promise.resolve(false)) => {
      if (isFresh(identity, dnsNames, clock()) && !(await isDistrusted())) return false;
      identity = await issue(deps);
      return true;
    },
  };
}
