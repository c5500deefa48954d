import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { beforeAll, describe, expect, it } from "vitest";
import { Language, type Node, Parser } from "web-tree-sitter";

import { SCRIPT_WORDS } from "../../../src/web/messages/script-words.ts";
import { windowsScript } from "../../../src/web/script/windows-script.ts";

const FACTS = {
  secret: "0123456789abcdef0123456789abcdef",
  appUrl: "https://portal.example.jp",
  mtlsUrl: "https://renew.example.jp",
  siteName: "みずきシステム サポート",
  deviceName: "受付1号機",
  pharmacyName: "みずき薬局 本店",
} as const;

const require = createRequire(import.meta.url);

let parser: Parser;
beforeAll(async () => {
  await Parser.init();
  const grammar = await Language.load(
    readFileSync(require.resolve("tree-sitter-powershell/tree-sitter-powershell.wasm")),
  );
  parser = new Parser();
  parser.setLanguage(grammar);
});

function parsed(text: string): Node {
  const tree = parser.parse(text.replace("\uFEFF", ""));
  if (tree === null) throw new Error("nothing was parsed");
  return tree.rootNode;
}

const of = (root: Node, type: string): readonly Node[] =>
  root.descendantsOfType(type).filter((each) => each !== null);

/** What is called, and on what: all that names could add to. */
const calls = (root: Node): readonly string[] => [
  ...of(root, "command_name").map(({ text }) => text),
  ...of(root, "sub_expression").map(({ text }) => text),
  ...of(root, "invokation_expression").map(({ text }) => text),
];

/** By its grammar each of these would be more than a text, somewhere. */
const HOSTILE = [
  "'; Remove-Item -Recurse C:\\ #",
  "’; Remove-Item -Recurse C:\\ #",
  "‘‚‛’'",
  "$(Remove-Item C:\\)",
  '`$(Remove-Item C:\\)`n`"',
  '"; Remove-Item C:\\; "',
  "a\nRemove-Item C:\\\r\nb",
  "a\u2028Remove-Item C:\\\u0085\0",
  "@'\nRemove-Item\n'@",
  "#> Remove-Item <#",
  "$& $1 $$ $`",
  "{0} {1}",
  "#{settings}",
  "\u202Ecod.exe",
];

/** What a PowerShell of the same rules reads in a string of single quotes (about_Quoting_Rules). */
const unquoted = (literal: string): string =>
  literal.slice(1, -1).replaceAll(/(['‘’‚‛])['‘’‚‛]/g, "$1");

describe("the script for Windows", () => {
  it.for(["ja", "en"] as const)("is a whole script in the eyes of a parser, in %s", (language) => {
    const root = parsed(windowsScript(FACTS, language));
    expect(root.hasError).toBe(false);
    expect(of(root, "function_statement").length).toBeGreaterThan(15);
    expect(parsed("function {").hasError).toBe(true);
  });

  it("begins with the mark by which Windows PowerShell 5.1 knows UTF-8, and ends lines as Windows does", () => {
    const text = windowsScript(FACTS, "ja");
    expect(Buffer.from(text).subarray(0, 3).toString("hex")).toBe("efbbbf");
    expect(text.replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
    expect(text).not.toContain("#{");
  });

  it.for(HOSTILE)("has a name for a text and for nothing else: %j", (name) => {
    const facts = { ...FACTS, siteName: name, deviceName: name, pharmacyName: name };
    const root = parsed(windowsScript(facts, "ja"));
    expect(root.hasError).toBe(false);
    expect(calls(root)).toEqual(calls(parsed(windowsScript(FACTS, "ja"))));
    const expected = name.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, " ");
    const literals = of(root, "verbatim_string_characters").map(({ text }) => unquoted(text));
    expect(literals).toContain(`${expected} ${expected} (${expected})`);
    expect(literals).toContain(SCRIPT_WORDS.ja.task(expected));
  });

  it("asks for a key that cannot be exported, of the current user, in the TPM first", () => {
    const text = windowsScript(FACTS, "en");
    for (const line of [
      "'Exportable = FALSE'",
      "'MachineKeySet = FALSE'",
      "'KeyAlgorithm = ECDSA_P256'",
      "-new -user -q",
      "[Net.SecurityProtocolType]::Tls12",
    ])
      expect(text).toContain(line);
    expect(text.indexOf("Microsoft Platform Crypto Provider")).toBeLessThan(
      text.indexOf("Microsoft Software Key Storage Provider"),
    );
    // Certificates of servers are looked at, always.
    expect(text).not.toMatch(/ServerCertificateValidationCallback|SkipCertificateCheck/i);
    expect(text).not.toMatch(/Invoke-Expression|\biex\b/i);
  });

  it("has the secret in one place, and never where it is shown or written down", () => {
    const root = parsed(windowsScript(FACTS, "ja"));
    expect(root.text.split(FACTS.secret)).toHaveLength(2);
    const uses = of(root, "variable").filter(({ text }) => /^\$(Secret|OneTime)$/i.test(text));
    const lines = uses.map(({ startPosition }) => root.text.split("\n")[startPosition.row]?.trim());
    expect(lines).toEqual([
      `$Secret = '${FACTS.secret}'`,
      "param([string]$OneTime)",
      "$body = @{ secret = $OneTime; csr = $key.Csr; keyClaim = $key.Claim }",
      "$made = New-OwnCertificate $Secret",
      "$text = [IO.File]::ReadAllText($PSCommandPath).Replace($Secret, '')",
    ]);
  });

  it("has a text for each word that it says, and each word that it has is said", () => {
    const template = readFileSync("src/web/script/windows.ps1", "utf8");
    const said = new Set(Array.from(template.matchAll(/\$Words\.(\w+)/g), ([, word]) => word));
    expect(said).toEqual(new Set(Object.keys(SCRIPT_WORDS.ja.script)));
    expect(Object.keys(SCRIPT_WORDS.en.script)).toEqual(Object.keys(SCRIPT_WORDS.ja.script));
  });
});
