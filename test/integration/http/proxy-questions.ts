import { expect, vi } from "vitest";

import type { Serial } from "../../../src/pki/serial.ts";
import { newCsr } from "../ca/app-side.ts";
import type { Answer, Call, HttpWorld, Tenant } from "./world.ts";

export interface Certificate {
  readonly pem: string;
  readonly der: Buffer;
  readonly serialNumber: Serial;
}

const derOf = (pem: string): Buffer =>
  Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");

/** Issues a certificate for a key of its own. */
export async function issue(
  world: HttpWorld,
  { accountId, deviceId }: Tenant,
): Promise<Certificate> {
  const body = { accountId, deviceId, csr: newCsr() };
  const answer = await world.call("POST", "/v1/certificates", { body });
  expect(answer.status).toBe(201);
  const { certificate: pem, serialNumber } = answer.body;
  return { pem, der: derOf(pem), serialNumber: serialNumber as Serial };
}

export interface Told {
  readonly decision?: string;
  readonly stage?: string;
  readonly deviceId?: string;
  readonly wouldRefuse?: { readonly reason: string; readonly deviceId?: string };
  readonly banner?: { readonly ja: string; readonly en: string };
  readonly installUrl?: string;
  readonly type?: string;
  readonly help?: string;
  readonly errors?: readonly { readonly field: string }[];
}

export interface Reply extends Omit<Answer, "body"> {
  readonly body: Told;
}

/** Asks as a proxy, and checks the answer against the document. */
export async function askAs(
  world: HttpWorld,
  key: string,
  headers: Call["headers"] = {},
): Promise<Reply> {
  const answer = await world.call("GET", "/v1/authorize", { key, headers });
  return { ...answer, body: answer.body as unknown as Told };
}

/** The certificate as HAProxy and Caddy hand it on. */
export const shown = (der: Uint8Array): Record<string, string> => ({
  "x-ssl-client-der": Buffer.from(der).toString("base64"),
});

/** Waits until it is so; a second is promised. */
export function soon(holds: () => Promise<void>): Promise<void> {
  return vi.waitFor(holds, { timeout: 1_000, interval: 20 });
}
