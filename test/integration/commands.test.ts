import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";

import { runSuido } from "../../src/cli/instance.ts";
import { type Issued, sentencesOf, Service } from "../support/service.ts";

let service: Service;
let issued: Issued;

beforeAll(async () => {
  service = await Service.open({ SUIDO_LOG_LEVEL: "warn" });
  issued = await service.issue(await service.world());
});

afterAll(() => service.dispose());

const run = (...words: string[]): ReturnType<typeof runSuido> => runSuido(words, service.env);

const text = (pattern: RegExp): string => expect.stringMatching(pattern) as string;
const number = expect.any(Number) as number;

describe("commands beside the running service", () => {
  it("api-key create, list, revoke", async () => {
    const words = ["api-key", "create", "--role", "auditor", "--label", "a test"];
    const made = await service.command<{ id: string; key: string }>(...words);
    expect(made).toEqual({
      id: text(/^[0-9a-f-]{36}$/),
      role: "auditor",
      key: text(/^suido_aud_/),
    });
    const route = `/v1/certificates/${issued.serialNumber}`;
    expect(await service.call("GET", route, { key: made.key })).toMatchObject({ status: 200 });
    const { items } = await service.command<{ items: object[] }>("api-key", "list");
    expect(items).toContainEqual(
      expect.objectContaining({ id: made.id, role: "auditor", label: "a test" }),
    );
    expect(JSON.stringify(items)).not.toContain(made.key);
    expect(await service.command("api-key", "revoke", made.id)).toEqual({
      id: made.id,
      revoked: true,
    });
  });

  it("cert show, cert revoke, crl publish", async () => {
    const { serialNumber } = issued;
    expect(await service.command("cert", "show", serialNumber)).toMatchObject({
      serialNumber,
      status: "good",
      certificate: issued.certificate,
    });
    const words = ["cert", "revoke", serialNumber, "--reason", "superseded"];
    expect(await service.command(...words)).toMatchObject({
      serialNumber,
      status: "revoked",
      reason: "superseded",
      journaled: true,
    });
    const { lists } = await service.command<{ lists: object[] }>("crl", "publish");
    expect(lists).toEqual([{ issuerId: "issuing-g1", number: text(/^\d+$/), entries: 1 }]);
  });

  it("ca show", async () => {
    const { issuers } = await service.command<{ issuers: object[] }>("ca", "show");
    const facts = { fingerprint: text(/^[0-9a-f]{64}$/), state: "active", hasKey: true };
    expect(issuers).toEqual([
      expect.objectContaining({ id: "root-g1", kind: "root", ...facts }),
      expect.objectContaining({ id: "issuing-g1", kind: "issuing", ...facts }),
    ]);
  });

  it("audit verify, audit invariants", async () => {
    const whole = { ok: true, entries: number, faults: [] };
    const root = text(/^[0-9a-f]{64}$/);
    expect(await service.command("audit", "verify")).toMatchObject({ ...whole, root });
    expect(await service.command("audit", "invariants", "--http")).toMatchObject(whole);
  });

  it("db url", async () => {
    expect(await service.command("db", "url")).toEqual({
      url: text(/^postgres:\/\/suido:[^@]+@127\.0\.0\.1:\d+\/suido$/),
      reachable: true,
    });
  });
});

describe("exit code 0 for those who ask for help", () => {
  it.for([
    [],
    ["--help"],
    ["-h"],
    ["help"],
    ["--version"],
    ["api-key", "create", "--help"],
    ["serve", "-h"],
  ])("suido %s", async (words) => {
    expect(await run(...words)).toMatchObject({ code: 0, stdout: text(/suido/), stderr: "" });
  });

  it("suido --version says the version, and nothing else", async () => {
    expect((await run("--version")).stdout).toMatch(/^suido \d+\.\d+\.\d+\n$/);
  });
});

describe("exit code 1 and a sentence for what cannot be done", () => {
  it.for([
    { words: ["cert", "show", "41c39e07b25d4f6a8c10e7725f3d8d12"], says: /certificate|serial/ },
    { words: ["api-key", "revoke", "0190a1b2-0000-7000-8000-000000000000"], says: /API key|api/ },
    { words: ["ca", "rewrap"], says: /the service is running: stop it first/ },
    { words: ["journal", "adopt", "--by", "a,b"], says: /the service is running: stop it first/ },
  ])("suido $words", async ({ words, says }) => {
    const { code, stderr, stdout } = await run(...words);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(sentencesOf(stderr)).toEqual([text(says)]);
  });
});

describe("exit code 2 for wrong usage", () => {
  it.for([
    ["nonsense"],
    ["api-key", "create"],
    ["api-key", "create", "--role", "king"],
    ["api-key", "create", "--colour", "red"],
    ["cert", "show"],
    ["cert", "show", "no serial"],
    ["cert", "revoke", "00"],
    ["api-key", "revoke", "no id"],
    ["cert", "revoke", "41c39e07b25d4f6a8c10e7725f3d8d12", "--reason", "boredom"],
    ["journal", "adopt"],
  ])("suido %s", async (...[words]) => {
    const { code, stderr, stdout } = await run(...words);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain('"suido --help" lists the commands');
  });
});

describe("a DATABASE_URL that leads nowhere", () => {
  const good = new URL(inject("adminUrl"));
  const spoiled = (spoil: (url: URL) => void): string => {
    const url = new URL(good);
    spoil(url);
    return url.href;
  };
  it.for([
    { why: /refused/, url: spoiled((url) => (url.port = "1")) },
    { why: /host was not found/, url: spoiled((url) => (url.hostname = "no-such-host.invalid")) },
    { why: /no such database/, url: spoiled((url) => (url.pathname = "/no_such_database")) },
  ])("$why", async ({ why, url }) => {
    const env = { ...service.env, DATABASE_URL: url };
    const { code, stderr } = await runSuido(["api-key", "list"], env);
    expect([code, sentencesOf(stderr)]).toEqual([1, [text(why)]]);
    expect(stderr).toContain("DATABASE_URL");
  });
});
