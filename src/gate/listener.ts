import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";

import { withoutBigints } from "./manifest.ts";

export interface Telling {
  /** The health and the figures as they are at the moment of the question. */
  readonly health: () => { readonly ok: boolean };
  readonly metrics: () => string;
}

export interface Listening {
  readonly port: number;
  close(): Promise<void>;
}

function send(response: ServerResponse, status: number, [type, body]: [string, string]): void {
  response.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    connection: "close",
  });
  response.end(body);
}

/** Answers `GET /health` (200, or 503 where something is not fine) and `GET /metrics`. */
export async function listen(
  { host, port }: { readonly host: string; readonly port: number },
  { health, metrics }: Telling,
): Promise<Listening> {
  const server = createServer((request, response) => {
    const isGet = request.method === "GET" || request.method === "HEAD";
    if (isGet && request.url === "/health") {
      const found = health();
      const body = `${JSON.stringify(found, withoutBigints)}\n`;
      send(response, found.ok ? 200 : 503, ["application/json", body]);
    } else if (isGet && request.url === "/metrics") {
      send(response, 200, ["text/plain; version=0.0.4; charset=utf-8", metrics()]);
    } else send(response, 404, ["text/plain; charset=utf-8", "/health or /metrics\n"]);
  });
  Object.assign(server, { headersTimeout: 5_000, requestTimeout: 5_000, maxConnections: 32 });
  server.listen(port, host);
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
