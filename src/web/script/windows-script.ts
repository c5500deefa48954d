import { readFileSync } from "node:fs";

import type { Language } from "../language.ts";
import { PROBLEMS_EN, type ShownCode } from "../messages/problems-en.ts";
import { PROBLEMS_JA } from "../messages/problems-ja.ts";
import { SCRIPT_WORDS } from "../messages/script-words.ts";

/** What a script is made for. */
export interface ScriptFacts {
  /** 32 hexadecimal digits. */
  readonly secret: string;
  readonly appUrl: string;
  readonly mtlsUrl: string;
  readonly siteName: string;
  readonly deviceName: string;
  readonly pharmacyName: string;
}

/** How the file is called, wherever it is downloaded. */
export const SCRIPT_FILE = "certificate-setup.ps1";

const TEMPLATE = readFileSync(new URL("windows.ps1", import.meta.url), "utf8");

/** What a script may meet on its way, with its texts for people. */
const CODES = [
  "script-spent",
  "not-identified",
  "too-many-bundles",
  "invalid-state",
  "not-renewable",
  "not-a-member",
  "key-in-use",
  "key-compromised",
  "unsupported-key",
  "malformed-csr",
  "lint-failed",
  "no-client-certificate",
  "certificate-expired",
  "certificate-revoked",
  "certificate-on-hold",
  "device-retired",
  "account-disabled",
  "membership-ended",
  "database-unavailable",
  "signer-unavailable",
  "issuing-stopped",
  "quarantine",
] as const satisfies readonly ShownCode[];

const PROBLEMS = { ja: PROBLEMS_JA, en: PROBLEMS_EN } as const;

/** One line, of characters that show: none that turns the reading direction or hides. */
const plain = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ");

/**
 * A string in which PowerShell expands nothing. Its grammar takes five characters for a single quote
 * (about_Quoting_Rules), and any of them twice for itself.
 */
const quoted = (text: string): string =>
  `'${plain(text).replaceAll(/['\u2018\u2019\u201A\u201B]/g, "$&$&")}'`;

const table = (name: string, entries: readonly (readonly [string, string])[]): string =>
  [
    `$${name} = @{`,
    ...entries.map(([key, text]) => `  ${quoted(key)} = ${quoted(text)}`),
    "}",
  ].join("\n");

/**
 * The script for Windows that makes the key, gets the certificate, proves and renews it: `windows.ps1` with what it is for. UTF-8
 * with the mark by which Windows PowerShell 5.1 knows it (about_Character_Encoding), and lines that end as Windows' do.
 */
export function windowsScript(facts: ScriptFacts, language: Language): string {
  const { header, script, task } = SCRIPT_WORDS[language];
  const { deviceName, pharmacyName, siteName } = facts;
  const problems = PROBLEMS[language];
  const settings = [
    `$Secret = ${quoted(facts.secret)}`,
    `$Portal = ${quoted(facts.appUrl)}`,
    `$Mtls = ${quoted(facts.mtlsUrl)}`,
    table("Names", [
      ["certificate", `${siteName} ${deviceName} (${pharmacyName})`],
      ["task", task(deviceName)],
    ]),
    table("Words", Object.entries(script)),
    table(
      "Problems",
      CODES.map((code) => [code, `${problems[code].title} ${problems[code].remedy}`]),
    ),
  ].join("\n");
  const comments = header(siteName).map((line) => `# ${plain(line)}`);
  const parts: Readonly<Record<string, string>> = { header: comments.join("\n"), settings };
  // In one pass, and by a function: what a name says is not looked at again.
  const text = TEMPLATE.replaceAll(/#\{(\w+)\}/g, (_, part: string) => parts[part] ?? "");
  return `\uFEFF${text.replaceAll("\n", "\r\n")}`;
}
