import { randomBytes, X509Certificate } from "node:crypto";
import { cpSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { parseCertificate } from "../../src/pki/certificate-view.ts";
import { buildOcspRequest } from "../../src/pki/ocsp-client.ts";
import { parseSerial } from "../../src/pki/serial.ts";
import { digest } from "../support/certificates.ts";
import { type Certificate, Service, type World } from "../support/service.ts";
import { VaChild } from "../support/va-child.ts";

const CERTIFICATES = 2_000;
const CLIENTS = 16;

let service: Service;
let world: World;
let child: VaChild;
const undo: (() => Promise<unknown>)[] = [];

const delegate = (): never => {
  throw new Error("the first one's folder has the delegates");
};

/** A second VA beside the service's own: a process on another host that was given the first one's folder to begin with. */
beforeAll(async () => {
  service = await Service.open({ SUIDO_LOG_LEVEL: "warn" });
  undo.push(() => service.dispose());
  world = await service.world();
  const folder = mkdtempSync(path.join(tmpdir(), "suido-second-va-"));
  undo.push(() => rm(folder, { recursive: true }));
  cpSync(path.join(service.dataDir, "va"), folder, { recursive: true });
  const { url } = await service.command<{ url: string }>("db", "url");
  child = await VaChild.start({ url, folder, delegate });
  undo.push(() => child.end());
});

afterAll(async () => {
  for (const step of undo.toReversed()) await step();
});

/** What the second VA says of a certificate. */
function ask({ chain, serialNumber }: Certificate): Promise<string> {
  const issuer = new X509Certificate(chain[0] ?? "");
  const spki = new Uint8Array(issuer.publicKey.export({ type: "spki", format: "der" }));
  const question = {
    issuerName: parseCertificate(new Uint8Array(issuer.raw)).view.subject,
    issuerSpki: spki,
    serial: parseSerial(serialNumber),
    digestName: "sha1",
    nonce: randomBytes(16),
  } as const;
  return child.status(buildOcspRequest(question, digest));
}

it(
  `of ${CERTIFICATES} certificates issued over the API none is unknown at another VA the moment it is handed out`,
  { timeout: 120_000 },
  async () => {
    const said: Record<string, number> = {};
    let asked = 0;
    const client = async (): Promise<void> => {
      while (asked < CERTIFICATES) {
        asked++;
        const status = await ask(await service.issue(world));
        said[status] = (said[status] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    expect(said).toEqual({ good: CERTIFICATES });
  },
);
