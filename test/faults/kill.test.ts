import { afterAll, beforeAll, expect, it } from "vitest";

import { seedOf } from "../support/dice.ts";
import { KillCampaign, type Report } from "../support/kill-campaign.ts";
import { Service } from "../support/service.ts";

/** Hundreds of them are in the long run. */
const ROUNDS = 12;

let service: Service;

beforeAll(async () => {
  service = await Service.open({ SUIDO_LOG_LEVEL: "warn" });
});

afterAll(() => service.dispose());

it(
  "kill -9 under load: nothing acknowledged is lost, no serial is signed twice, everything signed can be revoked",
  { timeout: 300_000 },
  async () => {
    const seed = seedOf();
    console.log(`SUIDO_TEST_SEED=${seed}`);
    const campaign = await KillCampaign.begin(service, seed);
    for (let round = 0; round < ROUNDS; round++) await campaign.round();
    const report: Report = await campaign.end();
    console.log(JSON.stringify(report));
    expect(report.faults).toEqual([]);
    expect(report.slowestReadyMs).toBeLessThan(30_000);
    // The blows fell on a service that was at work.
    expect(report.certificates).toBeGreaterThan(ROUNDS * 10);
  },
);
