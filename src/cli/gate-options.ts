import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";

import { type Acknowledgements, readKey } from "../gate/acknowledge.ts";
import { CERTIFICATES_FILE, GateFolder, LISTS_FILE } from "../gate/folder.ts";
import type { GateOptions } from "../gate/gate.ts";
import type { Haproxy } from "../gate/haproxy.ts";
import { type Words, wordsOf } from "../gate/reload.ts";
import { toHex } from "../pki/bytes.ts";
import { MalformedPemError } from "../pki/errors.ts";
import { pemFile } from "../pki/pem.ts";
import { CommandError, type Given, textOption, textOptions, UsageError } from "./command.ts";
import type { System } from "./system.ts";

/** A text that has to be given. Throws UsageError. */
function needed(given: Given, name: string): string {
  const text = textOption(given, name);
  if (text === undefined) throw new UsageError(`--${name} is missing`);
  return text;
}

function address(text: string, name: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new UsageError(`--${name} is an http or https address`);
  return url;
}

/** Whole seconds of an option. Throws UsageError. */
export function secondsOption(
  given: Given,
  name: string,
  [from, to]: readonly [number, number],
): number | undefined {
  const text = textOption(given, name);
  if (text === undefined) return undefined;
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (seconds >= from && seconds <= to) return seconds;
  throw new UsageError(`--${name} is a number of seconds from ${from} to ${to}`);
}

function readPem(file: string, digest: System["digest"]): string[] {
  try {
    const ders = pemFile(readFileSync(file, "latin1"), "CERTIFICATE");
    return ders.map((der) => toHex(digest("sha256", new X509Certificate(der).raw)));
  } catch (error) {
    if (!(error instanceof MalformedPemError)) throw error;
    throw new CommandError(`${file}: ${error.message}`, { cause: error });
  }
}

function fingerprint(text: string): string {
  const hex = text
    .replace(/^sha256:/i, "")
    .replaceAll(":", "")
    .toLowerCase();
  if (/^[0-9a-f]{64}$/.test(hex)) return hex;
  throw new UsageError("--root is a certificate's SHA-256 in hex, as `suido ca show` has it");
}

function rootsOf(given: Given, digest: System["digest"]): ReadonlySet<string> {
  const named = (textOptions(given, "root") ?? []).map(fingerprint);
  const files = textOptions(given, "root-file") ?? [];
  const roots = new Set([...named, ...files.flatMap((file) => readPem(file, digest))]);
  if (roots.size === 0)
    throw new UsageError("--root or --root-file says which root is trusted: nothing else does");
  return roots;
}

function reloadsOf(given: Given): Words[] {
  return (textOptions(given, "reload") ?? []).map((line) => {
    const words = wordsOf(line);
    if (words === undefined)
      throw new UsageError(`--reload is a program with its arguments, without a shell: ${line}`);
    return words;
  });
}

/** HAProxy's command line has neither quotes nor escapes for us. */
function plainName(given: Given, option: string, otherwise: string): string {
  const name = textOption(given, option) ?? otherwise;
  if (/^[^\s;<\\]+$/.test(name)) return name;
  throw new UsageError(`--${option} is the file's name as HAProxy's configuration has it`);
}

function bufferOf(given: Given): number {
  const text = textOption(given, "haproxy-buffer") ?? "16384";
  if (/^\d{4,9}$/.test(text)) return Number(text);
  throw new UsageError("--haproxy-buffer is HAProxy's tune.bufsize in octets");
}

function haproxyOf(given: Given, folder: GateFolder): Haproxy | undefined {
  const socket = textOption(given, "haproxy");
  if (socket === undefined) return undefined;
  const standard = (name: string): string => folder.file(path.join("current", name));
  return {
    socket,
    certificatesName: plainName(given, "ca-file", standard(CERTIFICATES_FILE)),
    listsName: plainName(given, "crl-file", standard(LISTS_FILE)),
    bufferOctets: bufferOf(given),
  };
}

function acknowledgementsOf(given: Given): Acknowledgements | undefined {
  const app = textOption(given, "app");
  const keyFile = textOption(given, "key-file");
  if (app === undefined && keyFile === undefined) return undefined;
  if (app === undefined || keyFile === undefined)
    throw new UsageError("--app and --key-file belong together");
  const acknowledgements = { app: address(app, "app"), keyFile };
  try {
    readKey(keyFile);
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error), {
      cause: error,
    });
  }
  return acknowledgements;
}

/** The folder that the gate keeps. Throws UsageError. */
export const folderOf = (given: Given): GateFolder => new GateFolder(needed(given, "folder"));

/** Where the health file is. */
export const healthFileOf = (given: Given, folder: GateFolder): string =>
  textOption(given, "health") ?? folder.file("health.json");

/** Everything that `suido gate` was told. Throws UsageError, and CommandError for files that are not as they should be. */
export function gateOptionsOf(given: Given, { digest }: System): GateOptions {
  const folder = folderOf(given);
  const haproxy = haproxyOf(given, folder);
  const acknowledgements = acknowledgementsOf(given);
  const metricsFile = textOption(given, "metrics");
  return {
    va: address(needed(given, "va"), "va"),
    folder,
    roots: rootsOf(given, digest),
    intervalMs: (secondsOption(given, "interval", [1, 3_600]) ?? 30) * 1_000,
    reload: reloadsOf(given),
    healthFile: healthFileOf(given, folder),
    leavesOutRevoked: given.options["leave-out-revoked"] === true,
    ...(haproxy !== undefined && { haproxy }),
    ...(acknowledgements !== undefined && { acknowledgements }),
    ...(metricsFile !== undefined && { metricsFile }),
  };
}

/** Host and port of `--listen`. Throws UsageError. */
export function listenOf(
  given: Given,
): { readonly host: string; readonly port: number } | undefined {
  const text = textOption(given, "listen");
  if (text === undefined) return undefined;
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65_535)
    throw new UsageError("--listen is host:port, for example 127.0.0.1:9180");
  return { host, port: Number(port) };
}
