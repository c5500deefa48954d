import { parseMailbox } from "../delivery/mailer.ts";
import { createEmergencies, type Emergencies } from "../lifecycle/emergency/emergencies.ts";
import { createFactorVisits, type FactorVisits } from "../lifecycle/factors/factor-visits.ts";
import { createSecondFactors, type SecondFactors } from "../lifecycle/factors/second-factors.ts";
import type { Database } from "../storage/database.ts";
import { openFactorSeal } from "./factor-seal.ts";
import type { Opening } from "./opening.ts";

/** The rooms in which people confirm who they are by themselves. */
export interface PeoplesRooms {
  readonly secondFactors: SecondFactors;
  readonly factorVisits: FactorVisits;
  readonly emergencies: Emergencies;
}

/** Opens them; the database is suido_app's. */
export function openPeoplesRooms(opening: Opening, database: Database): PeoplesRooms {
  const { config, site, system } = opening;
  const factors = {
    ...system,
    database,
    seal: openFactorSeal(opening),
    site: { name: site.name.ja, url: config.app.url },
  };
  const { operatorMail, timeZone } = config;
  return {
    secondFactors: createSecondFactors(factors),
    factorVisits: createFactorVisits(factors),
    emergencies: createEmergencies({
      ...factors,
      timeZone,
      perMonth: config.emergenciesPerMonth,
      operator:
        operatorMail === undefined
          ? undefined
          : { address: parseMailbox(operatorMail).address, language: "ja" },
    }),
  };
}
