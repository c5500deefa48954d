import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { instanceEnvironment, runSuido, startInstance } from "../../src/cli/instance.ts";
import { mustRun } from "../support/openssl-ca.ts";

/** The way to production of docs/operations.md, step by step; each test stands on the one before. */
const folder = mkdtempSync(path.join(tmpdir(), "suido-production-"));
const kek = path.join(folder, "kek");
const vault = path.join(folder, "vault");
let env: Record<string, string>;

beforeAll(async () => {
  const cert = path.join(folder, "mtls.pem");
  const key = path.join(folder, "mtls.key");
  const subject = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj";
  mustRun("openssl", [...subject.split(" "), "/CN=prove.example.jp", "-keyout", key, "-out", cert]);
  env = await instanceEnvironment({
    dataDir: path.join(folder, "data"),
    env: {
      SUIDO_MODE: "production",
      SUIDO_VA_URL: "http://va.example.jp",
      SUIDO_APP_URL: "https://suido.example.jp",
      SUIDO_MTLS_URL: "https://prove.example.jp",
      SUIDO_MTLS_CERT: cert,
      SUIDO_MTLS_KEY: key,
      SUIDO_KEK_FILE: kek,
    },
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const serveOnce = () => runSuido(["serve"], env);

it("does not start without its key-encryption key", async () => {
  const { code, stderr } = await serveOnce();
  expect([code, stderr]).toEqual([1, expect.stringContaining("there is no key-encryption key")]);
}, 60_000);

it("does not make a CA by starting", async () => {
  expect((await runSuido(["ca", "make-kek", kek], env)).code).toBe(0);
  const { code, stderr } = await serveOnce();
  expect([code, stderr]).toEqual([1, expect.stringContaining("suido ca init")]);
}, 60_000);

it("makes one on demand, and refuses to serve while the root's key is online", async () => {
  const { code, stdout } = await runSuido(["ca", "init", "--json"], env);
  expect(code).toBe(0);
  const made = JSON.parse(stdout) as { issuers: { id: string }[] };
  expect(made.issuers.map(({ id }) => id)).toEqual(["root-g1", "issuing-g1"]);
  const served = await serveOnce();
  expect([served.code, served.stderr]).toEqual([1, expect.stringContaining("suido ca root seal")]);
}, 90_000);

it("serves once the root is sealed away", async () => {
  expect((await runSuido(["ca", "root", "seal", vault], env)).code).toBe(0);
  expect(readdirSync(vault)).toHaveLength(2 + 2 * 5);
  const pages = [1, 2, 3, 4, 5].map((n) => path.join(vault, `share-${n}.txt`));
  const checked = await runSuido(["ca", "root", "check", ...pages, "--json"], { PATH: "" });
  expect(checked.code).toBe(0);
  expect(JSON.parse(checked.stdout)).toMatchObject({
    shares: pages.map((file, i) => ({ file, index: i + 1, total: 5, threshold: 3 })),
  });
  expect(existsSync(path.join(folder, "data/keys"))).toBe(true);
  const instance = await startInstance({ dataDir: path.join(folder, "data"), env });
  try {
    const { SUIDO_APP_LISTEN: listen = "" } = env;
    const answer = await fetch(`http://${listen}/health/ready`);
    expect(await answer.json()).toMatchObject({ ready: true });
    expect(instance.urls.va).toBe("http://va.example.jp");
  } finally {
    expect(await instance.stop()).toBe(0);
  }
}, 90_000);

it("refuses another VA address than the one in its certificates", async () => {
  const { code, stderr } = await runSuido(["serve"], {
    ...env,
    SUIDO_VA_URL: "http://other.example.jp",
  });
  expect([code, stderr]).toEqual([1, expect.stringContaining("SUIDO_VA_URL")]);
}, 60_000);

it("takes no sample data", async () => {
  const { code, stderr } = await runSuido(["seed", "--certificates", "1"], env);
  expect([code, stderr]).toEqual([1, expect.stringContaining("not for SUIDO_MODE=production")]);
}, 60_000);
