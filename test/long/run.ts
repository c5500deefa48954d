import { seedOf } from "../support/dice.ts";
import { KillCampaign, type Report } from "../support/kill-campaign.ts";
import { Service } from "../support/service.ts";
import { firefox } from "./firefox.ts";

/** What is too long for each run, or needs what is too large for it: `npm run test:long [kill | firefox]`. */
const CAMPAIGNS: Readonly<Record<string, () => Promise<readonly Pick<Report, "faults">[]>>> = {
  kill,
  firefox,
};

/** Rounds before a fresh service takes over: what each round checks grows with all that was ever issued. */
const ROUNDS_A_SERVICE = 50;
const SERVICES = 10;

/** kill -9, 500 times. Prints its seed first, and its report as JSON last. */
async function kill(): Promise<readonly Report[]> {
  const seed = seedOf();
  console.log(`kill: SUIDO_TEST_SEED=${seed}`);
  const reports: Report[] = [];
  for (let number = 0; number < SERVICES; number++) {
    const service = await Service.open({ SUIDO_LOG_LEVEL: "warn" });
    try {
      const campaign = await KillCampaign.begin(service, seed + number * 1_000);
      for (let round = 0; round < ROUNDS_A_SERVICE; round++) await campaign.round();
      const report = await campaign.end();
      console.log(JSON.stringify(report));
      reports.push(report);
    } finally {
      await service.dispose();
    }
  }
  return reports;
}

const wanted = process.argv.slice(2);
let isWhole = true;
for (const name of wanted.length === 0 ? Object.keys(CAMPAIGNS) : wanted) {
  const campaign = CAMPAIGNS[name];
  if (campaign === undefined) throw new Error(`there is no campaign "${name}"`);
  const reports = await campaign();
  isWhole &&= reports.every(({ faults }) => faults.length === 0);
}
process.exitCode = isWhole ? 0 : 1;
