import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { buffer } from "node:stream/consumers";

import { parseCertificate } from "../../src/pki/certificate-view.ts";
import { buildOcspRequest } from "../../src/pki/ocsp-client.ts";
import { readOcspResponse } from "../../src/pki/ocsp-reader.ts";
import { parseSerial } from "../../src/pki/serial.ts";
import { digest } from "./certificates.ts";

/** An OCSP request about a certificate as the API has issued it: its number, and who issued it in PEM. */
export function requestAbout(serialNumber: string, issuerPem: string): Uint8Array {
  const issuer = new X509Certificate(issuerPem);
  const question = {
    issuerName: parseCertificate(new Uint8Array(issuer.raw)).view.subject,
    issuerSpki: new Uint8Array(issuer.publicKey.export({ type: "spki", format: "der" })),
    serial: parseSerial(serialNumber),
    digestName: "sha1",
  } as const;
  return buildOcspRequest(question, digest);
}

interface Told {
  readonly status: string;
  /** The delegate's certificate in hex: each process has its own. */
  readonly by: string;
  readonly connection: string | undefined;
}

/** A connection to one of the processes that answer on the VA's port; to which, the kernel decides when it opens. */
export class VaLine {
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(vaUrl: string) {
    this.#url = `${vaUrl}/ocsp`;
  }

  /** Rejects when no whole answer comes. */
  async ask(body: Uint8Array): Promise<Told> {
    const sent = request(this.#url, {
      method: "POST",
      agent: this.#agent,
      headers: { "content-type": "application/ocsp-request" },
    });
    sent.end(body);
    const [response] = (await once(sent, "response")) as [IncomingMessage];
    const { basic, status } = readOcspResponse(new Uint8Array(await buffer(response)));
    return {
      status: basic?.responses[0]?.status ?? status,
      by: Buffer.from(basic?.certificates[0] ?? []).toString("hex"),
      connection: response.headers.connection,
    };
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** So many connections find each of a few processes; the chance to miss one of three is below 10⁻²⁰. */
const ATTEMPTS = 128;

/** One line to each of `count` processes, in the order of nothing in particular. Throws when there are fewer. */
export async function lineToEach(
  vaUrl: string,
  body: Uint8Array,
  count: number,
): Promise<ReadonlyMap<string, VaLine>> {
  const lines = new Map<string, VaLine>();
  for (let i = 0; i < ATTEMPTS && lines.size < count; i++) {
    const line = new VaLine(vaUrl);
    const { by } = await line.ask(body);
    if (by === "" || lines.has(by)) line.close();
    else lines.set(by, line);
  }
  if (lines.size < count) throw new Error(`${lines.size} processes answer instead of ${count}`);
  return lines;
}
