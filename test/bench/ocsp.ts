import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

/**
 * P1, P2, P3 of OCSP: our responder in one process beside `cfssl ocspserve` (which has its answers ready) and an empty
 * Fastify route with the same bytes; wrk asks, in short rounds that alternate. Prints `name value unit ratio peer`.
 */
const ROUNDS = Number(process.argv[2] ?? 5);
const SECONDS = 2;
const CONNECTIONS = 16;
const MILLION = 1_000_000;
/** Different requests in P3: more than a round sends, so that each is signed. */
const DIFFERENT = 200_000;

interface Server {
  readonly process: ChildProcess;
  readonly url: string;
  readonly requests: readonly string[];
  readonly answer: string;
}

const folder = mkdtempSync(path.join(tmpdir(), "suido-bench-ocsp-"));
const started: ChildProcess[] = [];

async function start(...args: string[]): Promise<Server> {
  const script = path.join(import.meta.dirname, "ocsp-server.ts");
  const child = spawn(process.execPath, [script, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  started.push(child);
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { process: child, ...(JSON.parse(line) as Omit<Server, "process">) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

async function startCfssl(answers: readonly string[]): Promise<string> {
  const file = path.join(folder, "responses");
  writeFileSync(file, `${answers.join("\n")}\n`);
  const port = await freePort();
  const args = ["ocspserve", "-address", "127.0.0.1", "-port", String(port), "-responses", file];
  const child = spawn("cfssl", [...args, "-loglevel", "5"], { stdio: "ignore" });
  started.push(child);
  await once(child, "spawn");
  await new Promise((resolve) => setTimeout(resolve, 500));
  return `http://127.0.0.1:${port}`;
}

async function wrk(url: string, script?: string): Promise<number> {
  const args = [
    "-t1",
    `-c${CONNECTIONS}`,
    `-d${SECONDS}s`,
    ...(script === undefined ? [] : ["-s", script]),
  ];
  const child = spawn("wrk", [...args, url], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (part: Buffer) => (text += part.toString()));
  await once(child, "close");
  const rate = /Requests\/sec:\s+([\d.]+)/.exec(text)?.[1];
  if (rate === undefined || text.includes("Non-2xx")) throw new Error(`wrk: ${text}`);
  return Number(rate);
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

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

function print(name: string, value: number, beside: { rate: number; peer: string }): void {
  const ratio = (value / beside.rate).toFixed(2);
  console.log(`${name} ${value.toFixed(0)} requests/s ${ratio} ${beside.peer}`);
}

try {
  const cached = await start("va", "1000", "1000");
  const empty = await start("empty", "1", "1");
  const million = await start("va", String(MILLION), String(DIFFERENT));
  const cfssl = await startCfssl([cached.answer]);
  const ready = encodeURIComponent(cached.requests[0] ?? "");
  const same = posting("same", cached.requests.slice(0, 1));
  const next = posting("different", million.requests);
  const rates: Record<"posted" | "got" | "empty" | "cfssl" | "signed", number[]> = {
    posted: [],
    got: [],
    empty: [],
    cfssl: [],
    signed: [],
  };
  for (let round = 0; round < ROUNDS; round++) {
    rates.posted.push(await wrk(`${cached.url}/ocsp`, same(round)));
    rates.cfssl.push(await wrk(`${cfssl}/`, same(round)));
    rates.signed.push(await wrk(`${million.url}/ocsp`, next(round)));
    rates.got.push(await wrk(`${cached.url}/ocsp/${ready}`));
    rates.empty.push(await wrk(`${empty.url}/ocsp/${ready}`));
  }
  const peer = { rate: median(rates.cfssl), peer: "cfssl-ocspserve" };
  print("P1-ocsp-cached", median(rates.posted), peer);
  print("P2-ocsp-cached", median(rates.got), { rate: median(rates.empty), peer: "empty-fastify" });
  print("P3-ocsp-signed", median(rates.signed), peer);
} finally {
  for (const child of started) child.kill();
  rmSync(folder, { recursive: true });
}
