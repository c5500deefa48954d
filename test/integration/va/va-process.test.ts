import { fork, type ChildProcess } from "node:child_process";
import path from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { readOcspResponse } from "../../../src/pki/ocsp-reader.ts";
import type { Serial } from "../../../src/pki/serial.ts";
import { VaDatabase } from "../../support/va-database.ts";
import type { FromVa, ToVa } from "../../support/va-process.ts";

let world: VaDatabase;
let child: ChildProcess;
const answers = new Map<number, (body: Uint8Array) => void>();

const tell = (message: ToVa): boolean => child.send(message);

beforeAll(async () => {
  world = await VaDatabase.open();
  const script = path.join(import.meta.dirname, "../../support/va-process.ts");
  child = fork(script, { serialization: "advanced" });
  const ready = Promise.withResolvers<void>();
  child.on("message", (message: FromVa) => {
    switch (message.kind) {
      case "delegate":
        tell({
          kind: "delegate",
          certificate: world.ca.delegateCertificate(message.issuerId, message.spki),
        });
        return;
      case "ready":
        ready.resolve();
        return;
      case "answer":
        answers.get(message.id)?.(message.body);
    }
  });
  tell({ kind: "start", url: world.url, folder: world.folder });
  await ready.promise;
});

afterAll(async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  child.once("exit", () => resolve());
  child.disconnect();
  await promise;
  await world.close();
});

async function ask(serial: Serial, id: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  answers.set(id, resolve);
  tell({ kind: "ask", id, request: world.ca.request(serial) });
  const { basic, status } = readOcspResponse(new Uint8Array(await promise));
  return basic?.responses[0]?.status ?? status;
}

it("of 2,000 certificates none is unknown in another process the moment after its commit", async () => {
  const said = new Map<string, number>();
  for (let n = 0; n < 2_000;) {
    // Single certificates and batches, as the signer has them.
    for (const serial of await world.issue(n % 3 === 0 ? 1 : 7)) {
      const status = await ask(serial, n++);
      said.set(status, (said.get(status) ?? 0) + 1);
    }
  }
  expect([...said.keys()]).toEqual(["good"]);
});

it("a revocation is known in another process within a second", async () => {
  const [serial] = await world.issue();
  if (serial === undefined) throw new Error("no serial");
  expect(await ask(serial, 10_000)).toBe("good");
  const times: number[] = [];
  for (let n = 0; n < 20; n++) {
    const [next] = await world.issue();
    if (next === undefined) throw new Error("no serial");
    await ask(next, 20_000 + n);
    await world.setState(next, "revoked", 1);
    const committed = performance.now();
    let asked = 30_000 + n * 1_000;
    while ((await ask(next, asked++)) !== "revoked" && performance.now() - committed < 2_000);
    times.push(performance.now() - committed);
  }
  expect(Math.max(...times)).toBeLessThan(1_000);
});
