import type { AppServerOptions } from "../../../src/http/api-app.ts";
import { createCountEnrolments } from "../../../src/lifecycle/enrolment-figures.ts";
import { createNoteStep } from "../../../src/lifecycle/enrolment-steps.ts";
import { createEnrolmentVisits } from "../../../src/lifecycle/enrolment-visits.ts";
import { createNewMachines } from "../../../src/lifecycle/new-machines.ts";
import { createRenewalStart } from "../../../src/lifecycle/renewal-start.ts";
import { createScriptSecrets } from "../../../src/lifecycle/script-secrets.ts";
import { createCertifyScript } from "../../../src/lifecycle/scripted-way.ts";
import { createWays, type WaysDeps } from "../../../src/lifecycle/ways.ts";
import { createWrongGuesses } from "../../../src/lifecycle/wrong-guesses.ts";
import type { System } from "../../../src/cli/system.ts";

type Own = System & Pick<WaysDeps, "database" | "issuance" | "revocation" | "checks">;

/** What people do who put a certificate on a device themselves, over one count of wrong guesses. */
export function wayRooms(
  own: Own,
): Pick<
  AppServerOptions,
  | "enrolmentVisits"
  | "newMachines"
  | "renewalStart"
  | "ways"
  | "countEnrolments"
  | "noteStep"
  | "scriptSecrets"
  | "certifyScript"
> {
  const guesses = createWrongGuesses({ ...own, log: { warn: () => undefined } });
  const settings = {
    identifyByMail: true,
    moreDevices: 2,
    placesPerDevice: 3,
    appUrl: "http://localhost:8000",
  };
  const deps = { ...own, ...settings, guesses };
  const ways = createWays(deps);
  const noteStep = createNoteStep(deps);
  const scriptSecrets = createScriptSecrets(deps);
  return {
    enrolmentVisits: createEnrolmentVisits(deps),
    renewalStart: createRenewalStart(deps),
    ways,
    scriptSecrets,
    certifyScript: createCertifyScript({ scriptSecrets, ways, noteStep }),
    newMachines: createNewMachines(deps),
    countEnrolments: createCountEnrolments(deps),
    noteStep,
  };
}
