import { TLSSocket } from "node:tls";

import type { FastifyRequest } from "fastify";

/**
 * The certificate of the handshake in DER, which proves possession of its key; undefined where the client showed none.
 * Nothing else of TLS's opinion is used, and no header: whatever `Client-Cert` says here was said by the client.
 */
export function handshakeCertificate({ raw }: FastifyRequest): Uint8Array | undefined {
  return raw.socket instanceof TLSSocket ? raw.socket.getPeerX509Certificate()?.raw : undefined;
}
