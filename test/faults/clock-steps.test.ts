import path from "node:path";

import { pino } from "pino";
import { afterAll, beforeAll, expect, it, vi } from "vitest";

import { checkInvariants } from "../../src/ca/invariants.ts";
import { type Issuer, readIssuer } from "../../src/ca/issuer.ts";
import { publishLists } from "../../src/ca/list-publishing.ts";
import type { Signer } from "../../src/ca/signer.ts";
import { readCrl } from "../../src/pki/crl-reader.ts";
import { buildOcspRequest, judgeOcspResponse } from "../../src/pki/ocsp-client.ts";
import { readOcspResponse } from "../../src/pki/ocsp-reader.ts";
import type { Serial } from "../../src/pki/serial.ts";
import type { Database } from "../../src/storage/database.ts";
import { listen } from "../../src/storage/listen.ts";
import { octetsOf } from "../../src/va/responder.ts";
import { createVa, type Va } from "../../src/va/va.ts";
import { eventually } from "../support/service.ts";
import { system, TestCa } from "../support/signer.ts";

const ISSUER = "issuing-g1";
const HOUR_MS = 3_600_000;

let ca: TestCa;
let signer: Signer;
let worker: Database;
let vaDatabase: Database;
let issuer: Issuer;
let va: Va;

/** Everything of this machine: signer, worker and VA share its clock, and so its steps. */
beforeAll(async () => {
  ca = await TestCa.create();
  signer = await ca.start();
  worker = ca.connect("suido_worker");
  vaDatabase = ca.connect("suido_va");
  const found = await readIssuer(ca.database, ISSUER);
  if (found === undefined) throw new Error("no issuer");
  issuer = found;
  va = await createVa({
    ...system,
    clock: ca.clock,
    database: vaDatabase,
    subscribe: (subscription) => listen({ url: ca.fresh.url, role: "suido_va", ...subscription }),
    requestDelegate: (issuerId, spki) => signer.delegate(issuerId, spki),
    folder: path.join(ca.folder, "va"),
    maxStaleMs: 24 * HOUR_MS,
    log: pino({ level: "silent" }),
  });
  await eventually(async () => va.ready(), Boolean, 5_000);
});

afterAll(async () => {
  await va.close();
  await signer.close();
  await worker.close();
  await vaDatabase.close();
  await ca.drop();
});

async function issued(): Promise<Serial> {
  const serial = await ca.reserve();
  await signer.issue([serial]);
  return serial;
}

/** What a careful relying party, whose clock is right by this machine's, makes of the VA's answer. */
async function believed(serial: Serial): Promise<string | undefined> {
  const { facts, spki } = issuer;
  const question = {
    issuerName: facts.subject,
    issuerSpki: spki,
    serial,
    digestName: "sha256",
  } as const;
  const answer = await va.responder.answer(buildOcspRequest(question, system.digest));
  const { basic } = readOcspResponse(octetsOf(answer));
  if (basic === undefined) throw new Error(answer.outcome);
  const { digest, verify } = system;
  const judged = judgeOcspResponse(basic, question, { digest, verify, now: ca.clock() });
  if (judged.findings.length > 0) return judged.findings.join("; ");
  return judged.answer?.status;
}

const publish = (): ReturnType<typeof publishLists> =>
  publishLists(ISSUER, { ...system, clock: ca.clock, signer, database: worker });

/** The full list that the VA gives out. */
const served = (): { number: bigint; thisUpdate: Date; nextUpdate: Date; serials: Serial[] } => {
  const view = readCrl(va.repository.get(`crl/${ISSUER}.crl`)?.body ?? new Uint8Array());
  const { nextUpdate, number = 0n, thisUpdate } = view;
  return { number, thisUpdate, nextUpdate, serials: [...view.entries()].map((one) => one.serial) };
};

const untilServed = (number: bigint): Promise<void> =>
  vi.waitFor(() => expect(served().number).toBe(number), 5_000);

it("R18 R19 O14 the clock steps an hour forward and back, and nothing contradicts anything", async () => {
  const good = await issued();
  const early = await issued();
  await ca.stop(early, 1);
  await untilServed((await publish()).number);
  expect(await believed(good)).toBe("good");

  // Forward: work goes on, and what is signed is true by the clock of then.
  ca.offset = HOUR_MS;
  await vi.waitFor(async () => expect(await believed(good)).toBe("good"), 5_000);
  const ahead = await issued();
  const late = await issued();
  await ca.stop(late, 1);
  const { number } = await publish();
  await untilServed(number);
  expect(await believed(late)).toBe("revoked");
  const before = served();

  // Back: the journal's last record lies in the future. The signer signs nothing, and says why; OCSP knows it all.
  ca.offset = 0;
  expect(await believed(good)).toBe("good");
  expect(await believed(late)).toBe("revoked");
  await vi.waitFor(
    () => expect(va.status().knownAt?.getTime()).toBeLessThan(Date.now() + 1),
    5_000,
  );
  await expect(publish()).rejects.toMatchObject({ code: "clock-behind" });
  const between = await ca.reserve();
  await expect(signer.issue([between])).rejects.toMatchObject({ code: "clock-behind" });
  await ca.stop(ahead, 1);
  await vi.waitFor(async () => expect(await believed(ahead)).toBe("revoked"), 5_000);
  // The last good list stays as it is: no lower number, no earlier thisUpdate, nobody has left it.
  expect(served()).toEqual(before);

  // The time has come again: everything goes on by itself, and nothing was lost.
  ca.offset = HOUR_MS + 1_000;
  expect(await believed(ahead)).toBe("revoked");
  const after = await publish();
  expect(after.number).toBeGreaterThan(number);
  await untilServed(after.number);
  expect(served().thisUpdate.getTime()).toBeGreaterThanOrEqual(before.thisUpdate.getTime());
  expect(served().nextUpdate.getTime()).toBeGreaterThan(before.nextUpdate.getTime());
  expect(served().serials).toEqual(expect.arrayContaining([early, late, ahead]));
  expect(await believed(await issued())).toBe("good");
  await signer.journal(await ca.lastChange());
  // What could not be signed in time is closed by the next start, as ever.
  await signer.close();
  signer = await ca.start();
  expect(await ca.row(between)).toMatchObject({ state: "abandoned" });
  const { digest, verify } = system;
  const report = await checkInvariants({
    database: worker,
    journalFolder: ca.journalFolder,
    now: ca.clock(),
    digest,
    scope: { verify },
  });
  expect(report.faults).toEqual([]);
  expect(ca.fatal).toEqual([]);
});
