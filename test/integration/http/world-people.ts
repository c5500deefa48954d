import { createSecretKey, randomBytes } from "node:crypto";

import type { System } from "../../../src/cli/system.ts";
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
} {
  const factors = {
    ...own,
    seal: createFactorSeal(createSecretKey(randomBytes(32)), own.random),
    site: { name: "Suido", url: "http://localhost:8000" },
  };
  return { secondFactors: createSecondFactors(own), factorVisits: createFactorVisits(factors) };
}
