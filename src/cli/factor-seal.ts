import { existsSync } from "node:fs";

import { makeKek, readKek } from "../ca/kek.ts";
import { createFactorSeal, type FactorSeal } from "../lifecycle/factors/seal.ts";
import type { Opening } from "./opening.ts";

/**
 * The seal of authenticators' secrets, whose key is made where there is none. Without it people enrol their apps anew, and
 * nothing else is lost, so a production may make it up too.
 */
export function openFactorSeal({ config, log, system }: Opening): FactorSeal {
  const { factorKeyFile } = config;
  if (!existsSync(factorKeyFile)) {
    makeKek(factorKeyFile, system.random);
    log.warn({ factorKeyFile }, "made a key for the secrets of authenticators: keep a copy of it");
  }
  return createFactorSeal(readKek(factorKeyFile).key, system.random);
}
