import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { median, print } from "./figures.ts";
import { printRates, Rates, type Server, startServer } from "./servers.ts";

/**
 * `/v1/authorize` as a proxy asks it: each request with the next of a thousand certificates in its header, among 100,000
 * and among a million, beside an empty Fastify route that is sent the same requests and returns the same bytes; in short
 * rounds that alternate. And the memory of who stands behind a certificate.
 */
const ROUNDS = Number(process.argv[2] ?? 3);
const SIZES = [100_000, 1_000_000];
const SHOWN = 1_000;
const MOST_OCTETS = 160;

type Authorize = Server & {
  readonly key: string;
  readonly certificates: readonly string[];
  readonly octets: number;
};

const folder = mkdtempSync(path.join(tmpdir(), "suido-bench-authorize-"));
const started: Server[] = [];

async function start(kind: "authorize" | "empty", size: number): Promise<Authorize> {
  const server = await startServer<Authorize>("authorize-server.ts", [
    kind,
    String(size),
    String(Math.min(SHOWN, size)),
  ]);
  started.push(server);
  return server;
}

/** A script whose every request has the next of the certificates. */
function asking(name: string, { certificates, key }: Authorize): string {
  const list = path.join(folder, `${name}.txt`);
  const script = path.join(folder, `${name}.lua`);
  writeFileSync(list, `${certificates.join("\n")}\n`);
  writeFileSync(
    script,
    `local all, at = {}, 0
for line in io.lines("${list}") do all[#all + 1] = line end
request = function()
  at = at % #all + 1
  return wrk.format("GET", "/v1/authorize", { ["Authorization"] = "Bearer ${key}", ["X-SSL-Client-DER"] = all[at] })
end
`,
  );
  return script;
}

try {
  const empty = await start("empty", 1_000);
  const bare = asking("empty", empty);
  for (const size of SIZES) {
    const server = await start("authorize", size);
    const script = asking(String(size), server);
    const answers = new Rates();
    const plain = new Rates();
    for (let round = 0; round < ROUNDS; round++) {
      await answers.ask(server.process, server.url, script);
      await plain.ask(empty.process, empty.url, bare);
    }
    const name = `authorize-${size}`;
    printRates(name, answers, { rates: plain, peer: "empty-fastify" });
    const [ours, theirs] = [answers, plain].map(
      (rates) => 1_000_000 / median(rates.perProcessorSecond),
    );
    print({ name: `${name}-work`, value: (ours ?? 0) - (theirs ?? 0), unit: "µs" });
    print({
      name: `${name}-memory`,
      value: server.octets,
      unit: "octets/certificate",
      beside: { peer: "limit", value: MOST_OCTETS },
    });
    server.process.kill();
  }
} finally {
  for (const { process: child } of started) child.kill();
  rmSync(folder, { recursive: true });
}
