import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, it } from "vitest";

import { CommandError, type Given, UsageError } from "../../../src/cli/command.ts";
import { gateOptionsOf, listenOf } from "../../../src/cli/gate-options.ts";
import { createSystem } from "../../../src/cli/system.ts";
import { createRoot } from "../../support/certificates.ts";

const folder = mkdtempSync(path.join(tmpdir(), "suido-gate-"));
const root = new X509Certificate(createRoot("P-256").certificate);
const ROOT = "ab".repeat(32);

afterAll(() => rmSync(folder, { recursive: true }));

const given = (options: Given["options"]): Given => ({
  positionals: [],
  options: { va: "http://va.example.jp", folder, root: [ROOT], ...options },
});

const optionsOf = (options: Given["options"]): ReturnType<typeof gateOptionsOf> =>
  gateOptionsOf(given(options), createSystem());

const file = (name: string, content: string, mode = 0o600): string => {
  const at = path.join(folder, name);
  writeFileSync(at, content, { mode });
  return at;
};

it("is what was given, and what goes without saying", () => {
  const options = optionsOf({ reload: ["nginx -t", "nginx -s reload"], haproxy: "/run/h.sock" });
  expect(options).toMatchObject({
    intervalMs: 30_000,
    reload: [
      ["nginx", "-t"],
      ["nginx", "-s", "reload"],
    ],
    haproxy: {
      certificatesName: path.join(folder, "current/ca.pem"),
      listsName: path.join(folder, "current/lists.pem"),
      bufferOctets: 16_384,
    },
    healthFile: path.join(folder, "health.json"),
  });
  expect([...options.roots]).toEqual([ROOT]);
});

it.for([
  { name: "with colons, in capitals", text: "AB:".repeat(31) + "AB" },
  { name: "with its algorithm", text: `sha256:${ROOT}` },
])("takes a fingerprint $name", ({ text }) => {
  expect([...optionsOf({ root: [text] }).roots]).toEqual([ROOT]);
});

it("takes the root itself", () => {
  const { roots } = optionsOf({ root: [], "root-file": [file("root.pem", root.toString())] });
  expect([...roots]).toEqual([root.fingerprint256.replaceAll(":", "").toLowerCase()]);
});

it.for([
  { name: "no address", options: { va: undefined } },
  { name: "an address of another kind", options: { va: "ftp://va.example.jp" } },
  { name: "no folder", options: { folder: undefined } },
  { name: "no root", options: { root: [] } },
  { name: "a fingerprint that is cut off", options: { root: [ROOT.slice(2)] } },
  { name: "an interval of nothing", options: { interval: "0" } },
  { name: "an interval in words", options: { interval: "1m" } },
  { name: "an unclosed quote", options: { reload: ['nginx "-t'] } },
  { name: "an empty command", options: { reload: [" "] } },
  { name: "a name with blanks", options: { haproxy: "/run/h.sock", "crl-file": "a b" } },
  { name: "a name with a second command", options: { haproxy: "/run/h.sock", "ca-file": "a;b" } },
  { name: "a buffer in words", options: { haproxy: "/run/h.sock", "haproxy-buffer": "16k" } },
  { name: "an app without a key", options: { app: "http://localhost:8000" } },
  { name: "a key without an app", options: { "key-file": "/etc/key" } },
])("is wrong usage with $name", ({ options }) => {
  expect(() => optionsOf(options)).toThrow(UsageError);
});

describe("files that are not as they should be", () => {
  it.for([
    { name: "a key that others read", key: () => file("open", "k", 0o640) },
    { name: "an empty key", key: () => file("empty", "\n") },
    { name: "no key", key: () => path.join(folder, "none") },
  ])("fail: $name", ({ key }) => {
    const options = { app: "http://localhost:8000", "key-file": key() };
    expect(() => optionsOf(options)).toThrow(CommandError);
  });

  it("fail: a root that is none", () => {
    expect(() => optionsOf({ "root-file": [file("no.pem", "x")] })).toThrow(CommandError);
  });
});

it.for([
  { text: "127.0.0.1:9180", at: { host: "127.0.0.1", port: 9180 } },
  { text: "[::1]:9180", at: { host: "::1", port: 9180 } },
  { text: "localhost:0", at: { host: "localhost", port: 0 } },
])("listens at $text", ({ at, text }) => {
  expect(listenOf(given({ listen: text }))).toEqual(at);
});

it.for([{ text: "9180" }, { text: ":9180" }, { text: "::1:9180" }, { text: "localhost:70000" }])(
  "cannot listen at $text",
  ({ text }) => {
    expect(() => listenOf(given({ listen: text }))).toThrow(UsageError);
  },
);
