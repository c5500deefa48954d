import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";

import type { Config } from "../config/environment.ts";

const hostOf = (url: string): string => new URL(url).hostname;

/**
 * The names that the mTLS listener's own certificate is for: its own, and with a wildcard those of checks. A wildcard right
 * below `localhost` would be refused by browsers. IP addresses are not among them: devices go by names.
 */
export function ownNames({ mtls, checkUrl }: Pick<Config, "mtls" | "checkUrl">): readonly string[] {
  const host = hostOf(mtls.url);
  const named = isIP(host) === 0 && !host.startsWith("[") ? [host] : [];
  return [...new Set(["localhost", ...named, "*.check.localhost", `*.${hostOf(checkUrl)}`])];
}

/** Whether a browser takes this certificate, PEM, for the host name of a check. */
export function isForChecks(certificate: string, checkUrl: string): boolean {
  const anyNonce = `${"0".repeat(32)}.${hostOf(checkUrl)}`;
  return new X509Certificate(certificate).checkHost(anyNonce) !== undefined;
}
