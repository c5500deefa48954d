import { isIP } from "node:net";
import { resolve } from "node:path";

/** What the text of one setting means: each throws an Error that says what would be right, as the end of a sentence. */

/** One of these words. */
export function oneOf<const T extends string>(choices: readonly T[]): (text: string) => T {
  return (text) => {
    const found = choices.find((choice) => choice === text);
    if (found === undefined) throw new Error(`must be one of ${choices.join(", ")}`);
    return found;
  };
}

/** An address with one of these schemes, as it stands. */
export function urlOf(schemes: readonly string[]): (text: string) => string {
  return (text) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url === undefined || !schemes.includes(url.protocol)) {
      throw new Error(
        `must be an address that begins with ${schemes.map((scheme) => `${scheme}//`).join(" or ")}`,
      );
    }
    return text;
  };
}

/** RFC 3986 §2: what may stand in an address; `%` only before two hex digits. Query and fragment are refused anyway. */
const ADDRESS = /^(?:[\w\-.~:/[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*$/;

/**
 * An address that others are given: no query, no fragment, no credentials, and no slash at its end. It is written as it
 * stands, so it has to be what every reader makes of it.
 */
export function publicUrl(schemes: readonly string[]): (text: string) => string {
  return (text) => {
    const url = new URL(urlOf(schemes)(text));
    if (url.search !== "" || url.hash !== "" || url.username !== "" || url.password !== "") {
      throw new Error("must be a plain address without query, fragment or credentials");
    }
    const plain = text.replace(/\/+$/, "");
    if (url.href.replace(/\/+$/, "") !== plain || !ADDRESS.test(plain)) {
      throw new Error(
        "must be spelled as it goes over the wire: host in lower case (xn-- where it is not ASCII), no default port, and only what RFC 3986 allows",
      );
    }
    return plain;
  };
}

/** The issuer of an OpenID Connect provider, as it stands: a slash at its end is part of it (Discovery 1.0 §3). */
export function issuerUrl(text: string): string {
  const { search, hash, username } = new URL(urlOf(["https:", "http:"])(text));
  if (search !== "" || hash !== "" || username !== "")
    throw new Error("must be the provider's issuer, without query, fragment or credentials");
  return text;
}

/** Host and port of `host:port`, an IPv6 address in brackets. */
export function hostAndPort(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s/]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65535)
    throw new Error("must be host:port, for example 127.0.0.1:8080");
  return { host: match[1] ?? match[2] ?? "", port };
}

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A duration such as 30m, 24h or 7d, in milliseconds. */
export function durationMs(text: string): number {
  const match = /^(\d{1,6})([smhd])$/.exec(text);
  if (match === null || Number(match[1]) === 0)
    throw new Error("must be a duration such as 30m, 24h or 7d");
  return Number(match[1]) * (UNITS[match[2] ?? ""] ?? 0);
}

/** A number of days from 0 to 30. */
export function overlapDays(text: string): number {
  if (!/^(?:[12]?\d|30)$/.test(text)) throw new Error("must be a number of days from 0 to 30");
  return Number(text);
}

/** A number of lines from 1 to 20,000: more would not be written within the time that one transaction has. */
export function batchLines(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text) || Number(text) > 20_000)
    throw new Error("must be a number of lines from 1 to 20000");
  return Number(text);
}

/** How often in a month, from never to each day. */
export function perMonth(text: string): number {
  if (!/^(?:[12]?\d|3[01])$/.test(text)) throw new Error("must be a number from 0 to 31");
  return Number(text);
}

/** So many more devices in a day, from 0 to 50. */
export function moreDevices(text: string): number {
  if (!/^(?:[1-4]?\d|50)$/.test(text)) throw new Error("must be a number of devices from 0 to 50");
  return Number(text);
}

/** In how many places a device may have a certificate, from 1 to 20. */
export function places(text: string): number {
  if (!/^(?:[1-9]|1\d|20)$/.test(text)) throw new Error("must be a number of places from 1 to 20");
  return Number(text);
}

/** The IANA name of a time zone, as Node spells it. */
export function timeZone(text: string): string {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: text }).resolvedOptions().timeZone;
  } catch {
    throw new Error("must be an IANA time zone, for example Asia/Tokyo");
  }
}

/** A SPIFFE trust domain. */
export function trustDomain(text: string): string {
  // SPIFFE-ID §2.1: lower-case letters, digits, dots, dashes and underscores, as a host's name of RFC 3986.
  if (text.length > 255 || !/^[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?$/.test(text)) {
    throw new Error(
      "must be a SPIFFE trust domain: lower-case letters, digits, dots and dashes, with a letter or digit at both ends",
    );
  }
  return text;
}

/** One mail address, with or without a name before it. */
export function mailAddress(text: string): string {
  if (
    !/^(?:[^<>\r\n,;:"]+ <[^\s@<>,;:"]+@[^\s@<>,;:"]+>|[^\s@<>,;:"]+@[^\s@<>,;:"]+)$/.test(text)
  ) {
    throw new Error("must be one mail address, with or without a name before it");
  }
  return text;
}

/** The domain of mail addresses (RFC 5321 §4.1.2), without a literal. */
export function mailDomain(text: string): string {
  const label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
  if (text.length > 200 || !new RegExp(`^${label}(?:\\.${label})*$`, "i").test(text))
    throw new Error("must be the domain of mail addresses, for example bounces.example.jp");
  return text.toLowerCase();
}

/** One line of at most 200 characters. */
export function oneLine(text: string): string {
  if (text.length > 200 || /\p{Cc}/u.test(text))
    throw new Error("must be one line of at most 200 characters");
  return text;
}

/** Bits of an address, by what `isIP` calls its kind. */
const ADDRESS_BITS: Readonly<Record<number, number>> = { 4: 32, 6: 128 };

function isNetwork(text: string): boolean {
  const [address = "", prefix, ...rest] = text.split("/");
  const bits = ADDRESS_BITS[isIP(address)];
  if (bits === undefined || rest.length > 0) return false;
  return prefix === undefined || (/^(?:0|[1-9]\d{0,2})$/.test(prefix) && Number(prefix) <= bits);
}

/** IP addresses and networks, separated by commas. */
export function addresses(text: string): readonly string[] {
  const all = text.split(",").map((part) => part.trim());
  if (!all.every(isNetwork)) {
    throw new Error("must be IP addresses or networks, separated by commas");
  }
  return all;
}

/** The folder of a `file:` key store. */
export function keyStore(text: string): string {
  if (/^(?:pkcs11|awskms):/.test(text))
    throw new Error("names a key store that this version does not have; it has file:");
  if (!text.startsWith("file:")) throw new Error("must begin with file:");
  return text.slice("file:".length);
}

/** The absolute path of a Unix socket. */
export function socketPath(text: string): string {
  const path = resolve(text);
  // unix(7): sun_path has 108 octets, one of them the zero at its end.
  if (Buffer.byteLength(path) > 107)
    throw new Error("must be a path of 107 octets at most, because sockets have no longer ones");
  return path;
}
