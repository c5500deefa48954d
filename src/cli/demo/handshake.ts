import { request } from "node:https";

/** What the mTLS listener answered to a device. */
export interface Seen {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export interface HandshakeOptions {
  readonly mtlsUrl: string;
  /** CA certificates that the client believes, PEM. */
  readonly ca: string;
  /** The device's certificate with the issuing CA's behind it, PEM. */
  readonly certificate: string;
  readonly privateKey: string;
}

/** A TLS handshake with the device's certificate, and `GET /v1/whoami` over it. No session is kept or resumed. */
export function handshake({
  mtlsUrl,
  ca,
  certificate,
  privateKey,
}: HandshakeOptions): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${mtlsUrl}/v1/whoami`,
      { ca, cert: certificate, key: privateKey, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8");
          resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Seen["body"] });
        });
        response.on("error", reject);
      },
    );
    sent.setTimeout(10_000, () => sent.destroy(new Error("no answer within 10 s")));
    sent.on("error", reject);
    sent.end();
  });
}
