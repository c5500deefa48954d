import { execFileSync } from "node:child_process";

import { expect, it } from "vitest";

import { isForChecks, ownNames } from "../../../src/cli/check-names.ts";
import { loadConfig } from "../../../src/config/environment.ts";

it.for([
  { name: "by default", env: {}, names: ["localhost", "*.check.localhost"] },
  {
    name: "under a name of the site's",
    env: { SUIDO_MTLS_URL: "https://suido.example.jp:8443" },
    names: ["localhost", "suido.example.jp", "*.check.localhost", "*.check.suido.example.jp"],
  },
  {
    name: "with checks elsewhere",
    env: { SUIDO_CHECK_URL: "https://c.example.jp" },
    names: ["localhost", "*.check.localhost", "*.c.example.jp"],
  },
  {
    name: "at an address",
    env: { SUIDO_MTLS_LISTEN: "192.0.2.1:8443" },
    names: ["localhost", "*.check.localhost"],
  },
])("$name it is for $names", ({ env, names }) => {
  expect(ownNames(loadConfig(env))).toEqual(names);
});

function certificateFor(names: string): string {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const of = ["-subj", "/CN=site", "-addext", `subjectAltName=${names}`, "-keyout", "/dev/null"];
  return execFileSync("openssl", ["req", "-x509", ...key, ...of], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
}

it.for([
  { names: "DNS:*.check.example.jp", isIt: true },
  { names: "DNS:prove.example.jp,DNS:*.check.example.jp", isIt: true },
  { names: "DNS:check.example.jp", isIt: false },
  { names: "DNS:*.example.jp", isIt: false },
])("a certificate for $names is for checks: $isIt", ({ names, isIt }) => {
  expect(isForChecks(certificateFor(names), "https://check.example.jp")).toBe(isIt);
});
