import { once } from "node:events";
import { readFileSync, statSync } from "node:fs";
import type { IncomingMessage } from "node:http";

import { request } from "./download.ts";
import { NotAcknowledgedError } from "./errors.ts";
import type { ListFacts } from "./manifest.ts";

/** Where Suido wants to hear what is in force, and the file with the API key. */
export interface Acknowledgements {
  readonly app: URL;
  readonly keyFile: string;
}

const SILENCE_MS = 10_000;

/** The API key in a file that only its owner may read. Throws Error with a sentence. */
export function readKey(file: string): string {
  const { mode } = statSync(file);
  if ((mode & 0o077) !== 0) throw new Error(`${file} may be read by others: chmod 600 it`);
  const key = readFileSync(file, "utf8").trim();
  if (!/^[\x21-\x7e]+$/.test(key)) throw new Error(`${file} holds no API key`);
  return key;
}

async function post(url: URL, key: string, body: string): Promise<number> {
  const sent = await request(url, {
    method: "POST",
    timeout: SILENCE_MS,
    signal: AbortSignal.timeout(SILENCE_MS),
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
    },
  });
  sent.end(body);
  try {
    const [{ statusCode = 0 }] = (await once(sent, "response")) as [IncomingMessage];
    return statusCode;
  } finally {
    sent.destroy();
  }
}

/** Tells Suido which CAs and lists are in force at this proxy. Throws NotAcknowledgedError. */
export async function acknowledge(
  { app, keyFile }: Acknowledgements,
  lists: readonly ListFacts[],
): Promise<void> {
  const url = new URL("v1/acknowledgements", app.href.endsWith("/") ? app : `${app.href}/`);
  const body = JSON.stringify({
    certificates: lists.map(({ issuer }) => issuer),
    lists: lists.map(({ issuer, number }) => ({ issuer, number: number.toString() })),
  });
  let status: number;
  try {
    // Read each time, so that a key can be replaced without a restart.
    status = await post(url, readKey(keyFile), body);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new NotAcknowledgedError(`${url.href}: ${why}`, { cause: error });
  }
  if (status !== 200) throw new NotAcknowledgedError(`${url.href} answered with ${status}`);
}
