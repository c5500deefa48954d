import { createFactorVisits, type FactorVisits } from "../lifecycle/factors/factor-visits.ts";
import { createSecondFactors, type SecondFactors } from "../lifecycle/factors/second-factors.ts";
import type { Database } from "../storage/database.ts";
import { openFactorSeal } from "./factor-seal.ts";
import type { Opening } from "./opening.ts";

/** The rooms in which people confirm who they are by themselves. */
export interface PeoplesRooms {
  readonly secondFactors: SecondFactors;
  readonly factorVisits: FactorVisits;
}

/** Opens them; the database is suido_app's. */
export function openPeoplesRooms(opening: Opening, database: Database): PeoplesRooms {
  const { config, site, system } = opening;
  const own = { ...system, database };
  const seal = openFactorSeal(opening);
  return {
    secondFactors: createSecondFactors(own),
    factorVisits: createFactorVisits({
      ...own,
      seal,
      site: { name: site.name.ja, url: config.app.url },
    }),
  };
}
