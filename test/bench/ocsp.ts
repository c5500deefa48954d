import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

import { isInstalled } from "./figures.ts";
import { printRates, Rates, type Server, startServer } from "./servers.ts";

/**
 * P1, P2, P3 of OCSP: our responder in one process beside `cfssl ocspserve` (which has its answers ready) and an empty
 * Fastify route with the same bytes; wrk asks, in short rounds that alternate; the medians are printed.
 */
const ROUNDS = Number(process.argv[2] ?? 5);
const MILLION = 1_000_000;
/** Different requests in P3: more than a round sends, so that each is signed. */
const DIFFERENT = 200_000;

interface OcspServer extends Server {
  readonly requests: readonly string[];
  readonly answer: string;
}

const folder = mkdtempSync(path.join(tmpdir(), "suido-bench-ocsp-"));
const started: ChildProcess[] = [];

async function start(...args: string[]): Promise<OcspServer> {
  const server = await startServer<OcspServer>("ocsp-server.ts", args);
  started.push(server.process);
  return server;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function startCfssl(answers: readonly string[]): Promise<Server> {
  const file = path.join(folder, "responses");
  writeFileSync(file, `${answers.join("\n")}\n`);
  const port = await freePort();
  const args = ["ocspserve", "-address", "127.0.0.1", "-port", String(port), "-responses", file];
  const child = spawn("cfssl", [...args, "-loglevel", "5"], { stdio: "ignore" });
  started.push(child);
  await once(child, "spawn");
  await new Promise((resolve) => setTimeout(resolve, 500));
  return { process: child, url: `http://127.0.0.1:${port}` };
}

/**
 * A script that posts the next of these at each request; each round goes on where the last one ended. The requests differ
 * in their serials alone, so they are of one length. (cfssl reads no GET: it leaves the path's slash in the base64.)
 */
function posting(name: string, requests: readonly string[]): (round: number) => string {
  const bodies = requests.map((request) => Buffer.from(request, "base64"));
  const length = bodies[0]?.length ?? 0;
  const list = path.join(folder, `${name}.der`);
  writeFileSync(list, Buffer.concat(bodies));
  return (round) => {
    const script = path.join(folder, `${name}-${round}.lua`);
    const from = Math.floor((bodies.length / ROUNDS) * round);
    writeFileSync(
      script,
      `local all = io.open("${list}", "rb"):read("*a")
local at, count = ${from}, ${bodies.length}
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/ocsp-request"
request = function()
  at = (at + 1) % count
  return wrk.format(nil, nil, nil, all:sub(at * ${length} + 1, (at + 1) * ${length}))
end
`,
    );
    return script;
  };
}

try {
  const cached = await start("va", "1000", "1000");
  const empty = await start("empty", "1", "1");
  const million = await start("va", String(MILLION), String(DIFFERENT));
  const cfssl = isInstalled("cfssl") ? await startCfssl([cached.answer]) : undefined;
  const ready = encodeURIComponent(cached.requests[0] ?? "");
  const same = posting("same", cached.requests.slice(0, 1));
  const next = posting("different", million.requests);
  const posted = new Rates();
  const got = new Rates();
  const plain = new Rates();
  const prepared = new Rates();
  const signed = new Rates();
  for (let round = 0; round < ROUNDS; round++) {
    await posted.ask(cached.process, `${cached.url}/ocsp`, same(round));
    if (cfssl !== undefined) await prepared.ask(cfssl.process, `${cfssl.url}/`, same(round));
    await signed.ask(million.process, `${million.url}/ocsp`, next(round));
    await got.ask(cached.process, `${cached.url}/ocsp/${ready}`);
    await plain.ask(empty.process, `${empty.url}/ocsp/${ready}`);
  }
  const beside = { rates: prepared, peer: "cfssl-ocspserve" };
  printRates("P1-ocsp-cached", posted, beside);
  printRates("P2-ocsp-cached", got, { rates: plain, peer: "empty-fastify" });
  printRates("P3-ocsp-signed", signed, beside);
} finally {
  for (const child of started) child.kill();
  rmSync(folder, { recursive: true });
}
