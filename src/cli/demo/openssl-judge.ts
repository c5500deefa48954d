import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import type { Evidence, Judge } from "./judge.ts";

const run = promisify(execFile);

/** Runs OpenSSL with the evidence in files. Its exit code is no error: the words are what is asked for. */
async function openssl(args: readonly string[], evidence: Evidence): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "suido-judge-"));
  try {
    for (const name of ["leaf", "issuing", "root", "lists"] as const) {
      await writeFile(join(folder, `${name}.pem`), evidence[name]);
    }
    const { stdout, stderr } = await run("openssl", [...args], {
      cwd: folder,
      timeout: 20_000,
    }).catch((error: unknown) => error as { stdout: string; stderr: string });
    return `${stdout}\n${stderr}`;
  } finally {
    await rm(folder, { recursive: true });
  }
}

const lineWith = (text: string, pattern: RegExp): string =>
  text
    .split("\n")
    .find((line) => pattern.test(line))
    ?.trim() ?? text.trim().slice(0, 200);

const CHAIN = [
  "verify",
  "-x509_strict",
  "-crl_check_all",
  "-CAfile",
  "root.pem",
  "-untrusted",
  "issuing.pem",
  "-CRLfile",
  "lists.pem",
  "leaf.pem",
];

const judgeCalled = (version: string): Judge => ({
  name: version,
  chain: async (evidence) => {
    const text = await openssl(CHAIN, evidence);
    const accepted = text.includes("leaf.pem: OK");
    return { accepted, words: lineWith(text, accepted ? /leaf\.pem: OK/ : /error \d+ at/) };
  },
  ocsp: async (evidence) => {
    const text = await openssl(
      [
        "ocsp",
        "-issuer",
        "issuing.pem",
        "-cert",
        "leaf.pem",
        "-CAfile",
        "root.pem",
        "-url",
        `${evidence.vaUrl}/ocsp`,
      ],
      evidence,
    );
    const status = /^leaf\.pem: (\w+)/m.exec(text)?.[1] ?? "nothing";
    return {
      accepted: text.includes("Response verify OK"),
      status,
      words: lineWith(text, /^leaf\.pem:/),
    };
  },
});

/** The machine's OpenSSL, or undefined where it has none. */
export async function findOpenssl(): Promise<Judge | undefined> {
  try {
    const { stdout } = await run("openssl", ["version"]);
    return judgeCalled(stdout.trim());
  } catch {
    return undefined;
  }
}
