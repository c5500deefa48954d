import { once } from "node:events";
import {
  copyFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { freePorts } from "../../../src/cli/instance.ts";
import { BundleMaker, BundleServer, certificatesPem, listsPem } from "../../support/bundles.ts";
import { createRoot } from "../../support/certificates.ts";
import { GateProcess } from "../../support/gate-process.ts";

const made = new BundleMaker(new Date());
const { issuing, root } = made;
const [fingerprint = ""] = made.roots;
const good = made.bundles();

/** Both CAs with lists of this number. */
const numbered = (number: bigint): ReturnType<BundleMaker["bundles"]> =>
  made.bundles({ lists: [made.list(root, { number }), made.list(issuing, { number })] });

let server: BundleServer;
let gate: GateProcess;

beforeAll(async () => {
  server = await BundleServer.open(good);
});

afterAll(() => server.close());

beforeEach(() => {
  server.bundles = good;
  server.instead = () => false;
  server.seen.length = 0;
  gate = new GateProcess(["--va", server.url, "--root", fingerprint]);
});

afterEach(() => gate.dispose());

/** A command that writes a line for each time that it runs. */
function counter(name = "reloads"): { command: string; count: () => number } {
  const file = gate.file(name);
  return {
    command: `/bin/sh -c "echo once >>${file}"`,
    count: () => (existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").length : 0),
  };
}

describe("suido gate --once", () => {
  it("puts both files in place, as anybody may read them, and says so", async () => {
    const { code, stdout } = await gate.once("--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, generation: 1, inForce: { by: "files" } });
    expect(readlinkSync(gate.file("current"))).toBe("generations/1");
    expect(gate.current("ca.pem")).toBe(Buffer.from(good.certificates).toString());
    expect(gate.current("lists.pem")).toBe(Buffer.from(good.lists).toString());
    expect(statSync(gate.file("current", "lists.pem")).mode & 0o777).toBe(0o644);
    expect(statSync(gate.file("current")).mode & 0o777).toBe(0o755);
  });

  it("asks for nothing that it has, and keeps the last two generations", async () => {
    await gate.once();
    expect((await gate.once()).code).toBe(0);
    expect(server.seen.map(({ status }) => status)).toEqual([200, 200, 304, 304]);
    expect(readdirSync(gate.file("generations"))).toEqual(["1"]);
    for (const number of [101n, 102n, 103n]) {
      server.bundles = numbered(number);
      expect((await gate.once()).code).toBe(0);
    }
    expect(readdirSync(gate.file("generations")).toSorted()).toEqual(["3", "4"]);
    expect(readlinkSync(gate.file("current"))).toBe("generations/4");
  });

  it("needs no package: src and Node are enough", async () => {
    const checkout = gate.file("checkout");
    cpSync("src", path.join(checkout, "src"), { recursive: true });
    copyFileSync("package.json", path.join(checkout, "package.json"));
    const options = ["--va", server.url, "--root", fingerprint];
    const bare = new GateProcess(
      options,
      gate.file("proxy"),
      path.join(checkout, "src/cli/suido.js"),
    );
    expect(await bare.once()).toMatchObject({ code: 0 });
    expect((await bare.check()).code).toBe(0);
  });

  it("says what is missing with exit code 2", async () => {
    const { code, stderr } = await gate.once("--interval", "0");
    expect(code).toBe(2);
    expect(stderr).toContain("--interval is a number of seconds from 1 to 3600");
  });
});

describe("a bad fetch replaces nothing", () => {
  const stranger = createRoot("P-256");
  const rootList = made.list(root, { number: 101n });
  const pem = listsPem(rootList, made.list(issuing)).toString();
  const withLists = (lists: string | Buffer): typeof good => ({
    certificates: good.certificates,
    lists: Buffer.from(lists),
  });

  it.for([
    { code: "list-older", bundles: numbered(99n) },
    { code: "list-missing", bundles: withLists(listsPem(rootList)) },
    { code: "malformed-pem", bundles: withLists(pem.slice(0, -100)) },
    {
      code: "root-missing",
      bundles: { ...good, certificates: certificatesPem(stranger.certificate) },
    },
  ])("$code", async ({ bundles, code }) => {
    await gate.once();
    server.bundles = bundles;
    const { code: exitCode, stdout } = await gate.once("--json");
    expect(exitCode).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ generation: 1, lastError: { code } });
    expect(gate.current("lists.pem")).toBe(Buffer.from(good.lists).toString());
    expect(readdirSync(gate.file("generations"))).toEqual(["1"]);
  });

  it.for([
    { name: "a redirect", status: 302, headers: { location: "http://127.0.0.1:1/" } },
    { name: "an error", status: 503, headers: {} },
    { name: "an encoded body", status: 200, headers: { "content-encoding": "gzip" } },
  ])("$name is no answer", async ({ headers, status }) => {
    await gate.once();
    server.instead = (_, response) => {
      response.writeHead(status, headers).end("x");
      return true;
    };
    const { code, stdout } = await gate.once("--json");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ lastError: { code: "unexpected-answer" } });
  });

  it("a body that ends too early, or never, is none either", async () => {
    await gate.once();
    server.instead = (_, response) => {
      response.writeHead(200, { "content-length": "100000" });
      response.write("-----BEGIN");
      setTimeout(() => response.destroy(), 50);
      return true;
    };
    const cutOff = await gate.once("--json");
    expect(JSON.parse(cutOff.stdout)).toMatchObject({ lastError: { code: "unreachable" } });
    server.instead = (_, response) => {
      response.writeHead(200, { "content-length": String(2 ** 40) }).write("x");
      return true;
    };
    const endless = await gate.once("--json");
    expect(JSON.parse(endless.stdout)).toMatchObject({ lastError: { code: "too-large" } });
    expect(gate.current("lists.pem")).toBe(Buffer.from(good.lists).toString());
  });

  it("keeps what is in force while Suido is away, and says that it is", async () => {
    await gate.once();
    await server.close();
    try {
      const { code, stdout } = await gate.once("--json");
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({
        ok: true,
        lastError: { code: "unreachable" },
        lists: [{ number: "100" }, { number: "100" }],
      });
      expect((await gate.check()).code).toBe(0);
    } finally {
      await server.listen();
    }
  });
});

describe("suido gate", () => {
  it("reloads when something is new, at most once a minute, also after it was killed", async () => {
    const { command, count } = counter();
    gate.start("--interval", "1", "--reload", command);
    await gate.until(({ inForce }) => inForce?.generation === 1);
    for (const number of [101n, 102n]) {
      server.bundles = numbered(number);
      await gate.until(
        ({ lists: [list], generation }) =>
          generation === Number(number - 99n) && list !== undefined,
      );
    }
    expect(gate.health()).toMatchObject({ generation: 3, inForce: { generation: 1 } });
    await gate.stop("SIGKILL");
    gate.start("--interval", "1", "--reload", command);
    await gate.until(({ lastContact }) => lastContact !== undefined);
    await sleep(1_500);
    expect(count()).toBe(1);
    expect(readdirSync(gate.file("generations")).toSorted()).toEqual(["1", "2", "3"]);
    await gate.stop();
    gate.forgetReload();
    expect((await gate.once("--reload", command)).code).toBe(0);
    expect(count()).toBe(2);
    expect(gate.health()).toMatchObject({ ok: true, inForce: { generation: 3 } });
  });

  it("runs commands in their order, and counts nothing as in force before all have succeeded", async () => {
    const first = counter("first");
    const second = counter("second");
    const commands = [
      "--reload",
      first.command,
      "--reload",
      "/bin/false",
      "--reload",
      second.command,
    ];
    const { code, stdout } = await gate.once("--json", ...commands);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      generation: 1,
      lastError: { code: "reload-failed", message: '"/bin/false" ended with 1' },
      findings: ["nothing is in force yet"],
    });
    expect([first.count(), second.count()]).toEqual([1, 0]);
    gate.forgetReload();
    const again = await gate.once("--reload", first.command, "--reload", second.command);
    expect(again.code).toBe(0);
    expect([first.count(), second.count()]).toEqual([2, 1]);
  });

  it("ends at SIGTERM with exit code 0, and lets no second gate into its folder", async () => {
    gate.start("--interval", "1");
    await gate.until(({ ok }) => ok);
    const { code, stderr } = await gate.once();
    expect(code).toBe(1);
    expect(stderr).toContain("another gate works on");
    expect(await gate.stop()).toBe(0);
  });

  it("answers /health and /metrics, and writes the figures", async () => {
    const file = gate.file("suido.prom");
    const [port = 0] = await freePorts(1);
    gate.start("--listen", `127.0.0.1:${port}`, "--metrics", file);
    await gate.until(({ ok }) => ok);
    const health = await fetch(`http://127.0.0.1:${port}/health`);
    expect(health.status).toBe(200);
    expect(await health.json()).toMatchObject({ ok: true, generation: 1 });
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(metrics).toContain(
      'suido_gate_list_next_update_seconds{issuer="Suido Test Issuing G1"}',
    );
    expect(metrics).toContain('suido_gate_fetches_total{outcome="new"} 1');
    expect(readFileSync(file, "utf8")).toContain("suido_gate_in_force 1");
  });
});

describe("suido gate check", () => {
  it("says 1 while nothing is in force, 2 for wrong usage", async () => {
    expect((await gate.check()).code).toBe(1);
    expect((await gate.check("--max-age", "never")).code).toBe(2);
  });

  it.for([
    { name: "older than half of its life", days: [-4, 3], finding: "older than half of its life" },
    { name: "still in its first half", days: [-3, 4], finding: undefined },
  ])("a list that is $name", async ({ days: [from = 0, to = 0], finding }) => {
    const dates = {
      thisUpdate: made.ago(-from * 86_400_000),
      nextUpdate: made.ago(-to * 86_400_000),
    };
    server.bundles = made.bundles({ lists: [made.list(root), made.list(issuing, dates)] });
    await gate.once();
    const { code, stdout } = await gate.check();
    expect(code).toBe(Number(finding !== undefined));
    expect(stdout).toContain(finding ?? "");
  });

  it("knows how long Suido has not been heard", async () => {
    await gate.once();
    expect((await gate.check("--max-age", "60")).code).toBe(0);
    const file = gate.file("health.json");
    const old = readFileSync(file, "utf8").replace(/"lastContact": "\d{4}/, '"lastContact": "2000');
    writeFileSync(file, old);
    const { code, stdout } = await gate.check("--max-age", "60");
    expect(code).toBe(1);
    expect(stdout).toContain("Suido was last heard at 2000-");
  });
});

it("works on after kill -9, whenever it comes", async () => {
  for (let round = 0; round < 6; round++) {
    server.bundles = numbered(BigInt(200 + round));
    gate.start("--interval", "1");
    await sleep(120 + 40 * round);
    await gate.stop("SIGKILL");
  }
  expect((await gate.once()).code).toBe(0);
  expect(gate.current("lists.pem")).toBe(Buffer.from(server.bundles.lists).toString());
  const left = readdirSync(gate.file("generations")).filter((name) => name.endsWith(".new"));
  expect(left).toEqual([]);
});

/** A file with an API key. */
function keyFile(mode: number): string {
  const file = gate.file("key");
  writeFileSync(file, "suido_secret\n", { mode });
  return file;
}

describe("acknowledgements", () => {
  let app: Server;
  let url: string;
  const heard: { readonly path: string; readonly key: string; readonly body: unknown }[] = [];

  beforeAll(async () => {
    app = createServer((request, response) => {
      const answer = async (): Promise<void> => {
        const body: unknown = JSON.parse(await text(request));
        const { authorization: key = "" } = request.headers;
        heard.push({ path: `${request.method} ${request.url}`, key, body });
        response.writeHead(200).end("{}");
      };
      void answer();
    }).listen(0, "127.0.0.1");
    await once(app, "listening");
    url = `http://127.0.0.1:${(app.address() as AddressInfo).port}`;
  });

  afterAll(() => {
    app.close();
  });

  it("tells Suido what is in force, with the key", async () => {
    const { code, stdout } = await gate.once("--json", "--app", url, "--key-file", keyFile(0o600));
    expect(code).toBe(0);
    const { lists } = JSON.parse(stdout) as { lists: { issuer: string; number: string }[] };
    expect(heard.splice(0)).toEqual([
      {
        path: "POST /v1/acknowledgements",
        key: "Bearer suido_secret",
        body: {
          certificates: lists.map(({ issuer }) => issuer),
          lists: lists.map(({ issuer, number }) => ({ issuer, number })),
        },
      },
    ]);
    expect(lists.map(({ number }) => number)).toEqual(["100", "100"]);
  });

  it("tells nothing of what the proxy has not taken over", async () => {
    const options = ["--app", url, "--key-file", keyFile(0o600)];
    await gate.once("--reload", "/bin/true", ...options);
    server.bundles = numbered(101n);
    gate.forgetReload();
    expect((await gate.once("--reload", "/bin/false", ...options)).code).toBe(1);
    expect(heard.splice(0)).toMatchObject([
      { body: { lists: [{ number: "100" }, { number: "100" }] } },
      { body: { lists: [{ number: "100" }, { number: "100" }] } },
    ]);
  });

  it("keeps the files true when Suido does not listen", async () => {
    const options = ["--app", "http://127.0.0.1:1", "--key-file", keyFile(0o600)];
    const { code, stdout } = await gate.once("--json", ...options);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, lastError: { code: "not-acknowledged" } });
  });

  it("wants a key that nobody else may read", async () => {
    const { code, stderr } = await gate.once("--app", url, "--key-file", keyFile(0o644));
    expect(code).toBe(1);
    expect(stderr).toContain("may be read by others");
  });
});
