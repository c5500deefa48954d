import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkLists } from "../../../src/ca/list-check.ts";
import { type BegunCheck, publishLists } from "../../../src/ca/list-publishing.ts";
import type { PreparedLists } from "../../../src/ca/signer-client.ts";
import type { Signer } from "../../../src/ca/signer.ts";
import { createListCheck } from "../../../src/cli/list-check.ts";
import { createSystem } from "../../../src/cli/system.ts";
import type { Serial } from "../../../src/pki/serial.ts";
import type { Database } from "../../../src/storage/database.ts";
import { system, TestCa } from "../../support/signer.ts";

const ISSUER = "issuing-g1";

describe("the check of lists that begins before they are there", () => {
  let ca: TestCa;
  let signer: Signer;
  let worker: Database;

  beforeAll(async () => {
    ca = await TestCa.create();
    signer = await ca.start();
    worker = ca.connect("suido_worker");
  });
  afterAll(async () => {
    await signer.close();
    await worker.close();
    await ca.drop();
  });

  const publish = () =>
    publishLists(ISSUER, { signer, database: worker, clock: ca.clock, verify: system.verify });

  async function issued(): Promise<Serial> {
    const serial = await ca.reserve();
    await signer.issue([serial]);
    return serial;
  }

  const findingsOf = (prepared: PreparedLists) =>
    checkLists(worker, prepared.lists, {
      issuerId: ISSUER,
      watermark: prepared.watermark,
      now: ca.clock(),
      verify: system.verify,
    });

  /** In a thread of its own, however short the lists are. */
  const begin = (databaseUrl = ca.fresh.url) =>
    createListCheck({
      system: createSystem(),
      database: worker,
      databaseUrl,
      gives: false,
      smallOctets: 0,
    });

  it("finds in a thread of its own what the check in place finds", async () => {
    const serial = await issued();
    const prepared = await signer.prepareLists(ISSUER);
    const seq = await ca.stop(serial, 1);
    const apart = begin();
    const { lists, watermark } = prepared;
    const context = { issuerId: ISSUER, watermark, now: ca.clock() };
    const checked = async (given: Parameters<BegunCheck["finish"]>[1]) => {
      const check = await apart(given.issuerId);
      try {
        return await check.finish(lists, given);
      } finally {
        await check.abandon();
      }
    };
    expect(await checked(context)).toEqual([]);
    const findings = await findingsOf({ ...prepared, watermark: seq });
    expect(findings.join()).toContain(`R16 ${serial} must be on the list`);
    expect(await checked({ ...context, watermark: seq })).toEqual(findings);
    await expect(checked({ ...context, issuerId: "none" })).resolves.toEqual([
      "there is no issuer none",
    ]);
  });
  it("goes by what has changed after it has begun", async () => {
    const [first, second] = [await issued(), await issued()];
    await ca.stop(first, 1);
    const check = await begin()(ISSUER);
    // What it has read by now is of no use: others publish, somebody is revoked, and that one is on the lists to come.
    await setTimeout(500);
    await publish();
    const seq = await ca.stop(second, 1);
    const { lists, watermark } = await signer.prepareLists(ISSUER);
    expect(watermark).toBe(seq);
    const context = { issuerId: ISSUER, watermark, now: ca.clock() };
    expect(await check.finish(lists, context)).toEqual([]);
    await check.abandon();

    const late = await begin()(ISSUER);
    const stale = await signer.prepareLists(ISSUER);
    await setTimeout(500);
    const missed = await issued();
    const after = await ca.stop(missed, 1);
    const findings = await late.finish(stale.lists, { ...context, watermark: after });
    expect(findings.join()).toContain(`R16 ${missed} must be on the list and is not`);
    await late.abandon();
  });
  it("says so where it does not reach the database, and nothing is published", async () => {
    const apart = begin("postgres://nobody@127.0.0.1:1/none");
    await expect(
      publishLists(ISSUER, {
        signer,
        database: worker,
        clock: ca.clock,
        verify: system.verify,
        beginCheck: apart,
      }),
    ).rejects.toThrow("database");
  });
});
