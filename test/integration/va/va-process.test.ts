import { afterAll, beforeAll, expect, it } from "vitest";

import type { Serial } from "../../../src/pki/serial.ts";
import { VaChild } from "../../support/va-child.ts";
import { VaDatabase } from "../../support/va-database.ts";

let world: VaDatabase;
let child: VaChild;

beforeAll(async () => {
  world = await VaDatabase.open();
  child = await VaChild.start({
    url: world.url,
    folder: world.folder,
    delegate: (issuerId, spki) => world.ca.delegateCertificate(issuerId, spki),
  });
});

afterAll(async () => {
  await child.end();
  await world.close();
});

const ask = (serial: Serial): Promise<string> => child.status(world.ca.request(serial));

it("of 2,000 certificates none is unknown in another process the moment after its commit", async () => {
  const said = new Map<string, number>();
  for (let n = 0; n < 2_000;) {
    // Single certificates and batches, as the signer has them.
    for (const serial of await world.issue(n % 3 === 0 ? 1 : 7)) {
      const status = await ask(serial);
      n++;
      said.set(status, (said.get(status) ?? 0) + 1);
    }
  }
  expect([...said.keys()]).toEqual(["good"]);
});

it("a revocation is known in another process within a second", async () => {
  const [serial] = await world.issue();
  if (serial === undefined) throw new Error("no serial");
  expect(await ask(serial)).toBe("good");
  const times: number[] = [];
  for (let n = 0; n < 20; n++) {
    const [next] = await world.issue();
    if (next === undefined) throw new Error("no serial");
    await ask(next);
    await world.setState(next, "revoked", 1);
    const committed = performance.now();
    while ((await ask(next)) !== "revoked" && performance.now() - committed < 2_000);
    times.push(performance.now() - committed);
  }
  expect(Math.max(...times)).toBeLessThan(1_000);
});
