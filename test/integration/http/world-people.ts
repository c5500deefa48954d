import { createSecretKey, randomBytes } from "node:crypto";

import type { System } from "../../../src/cli/system.ts";
import {
  createEmergencies,
  type Emergencies,
} from "../../../src/lifecycle/emergency/emergencies.ts";
import {
  createFactorVisits,
  type FactorVisits,
} from "../../../src/lifecycle/factors/factor-visits.ts";
import { createFactorSeal } from "../../../src/lifecycle/factors/seal.ts";
import {
  createSecondFactors,
  type SecondFactors,
} from "../../../src/lifecycle/factors/second-factors.ts";
import type { Database } from "../../../src/storage/database.ts";

/** The rooms in which people confirm who they are by themselves. */
export function peoplesRooms(own: System & { readonly database: Database }): {
  readonly secondFactors: SecondFactors;
  readonly factorVisits: FactorVisits;
  readonly emergencies: Emergencies;
} {
  const factors = {
    ...own,
    seal: createFactorSeal(createSecretKey(randomBytes(32)), own.random),
    site: { name: "Suido", url: "http://localhost:8000" },
  };
  const emergencies = createEmergencies({
    ...factors,
    timeZone: "Asia/Tokyo",
    perMonth: 2,
    operator: { address: "operators@suido.example", language: "en" },
  });
  const factorVisits = createFactorVisits(factors);
  return { secondFactors: createSecondFactors(own), factorVisits, emergencies };
}
