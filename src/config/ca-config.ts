import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { parse } from "yaml";

import {
  createProfile,
  EMERGENCY_PROFILE,
  type Profile,
  type ProfileFields,
} from "../pki/profile.ts";

/** One certification authority of the hierarchy; its generations differ by the `g<n>` after the names. */
export interface Authority {
  /** Stands in the names of files and addresses: `<name>-g<generation>`. */
  readonly name: string;
  readonly commonName: string;
  readonly key: "P-256" | "P-384";
  readonly profile: string;
}

/** The certification authorities that a ceremony makes. */
export interface Hierarchy {
  /** `O=` of every name, the same over all generations: browser policies pick certificates by it. */
  readonly organization: string;
  readonly root: Authority;
  readonly issuing: Authority;
}

/** What `ca-config/` says, read, checked and frozen. */
export interface CaConfig {
  readonly hierarchy: Hierarchy;
  readonly profiles: ReadonlyMap<string, Profile>;
}

/** A file of `ca-config/` is not what its schema or the RFCs allow. */
export class CaConfigError extends Error {}

/** The profiles that the program itself asks for by name. */
const NEEDED = ["root-ocsp", "ocsp", "server", "device-client", EMERGENCY_PROFILE] as const;

/** The profile of sample data, which has a ceiling of its own. */
export const SAMPLE_PROFILE = "device-sample";

function validator(ajv: Ajv2020, folder: string, name: string): ValidateFunction {
  const schema: unknown = JSON.parse(readFileSync(join(folder, name), "utf8"));
  return ajv.compile(schema as object);
}

function readYaml(file: string, valid: ValidateFunction): unknown {
  const value: unknown = parse(readFileSync(file, "utf8"));
  if (!valid(value)) {
    const faults = (valid.errors ?? []).map(
      ({ instancePath, message }) => `${instancePath === "" ? "/" : instancePath} ${message ?? ""}`,
    );
    throw new CaConfigError(`${file}: ${faults.join("; ")}`);
  }
  return value;
}

function readProfiles(folder: string, valid: ValidateFunction): ReadonlyMap<string, Profile> {
  const profiles = new Map<string, Profile>();
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".yaml"))) {
    const fields = readYaml(join(folder, file), valid) as ProfileFields;
    if (`${fields.name}.yaml` !== file) {
      throw new CaConfigError(`${join(folder, file)} names its profile "${fields.name}"`);
    }
    profiles.set(fields.name, createProfile(fields));
  }
  return profiles;
}

/**
 * Reads the hierarchy and the profiles from the folder `ca-config`; the one of sample data only where it is asked for.
 * Throws CaConfigError, or InvalidProfileError where a profile contradicts itself.
 */
export function loadCaConfig(
  folder: string,
  { withSample = false }: { readonly withSample?: boolean } = {},
): CaConfig {
  const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
  const hierarchy = readYaml(
    join(folder, "hierarchy.yaml"),
    validator(ajv, folder, "hierarchy.schema.json"),
  ) as Hierarchy;
  const all = readProfiles(join(folder, "profiles"), validator(ajv, folder, "profile.schema.json"));
  const profiles = new Map([...all].filter(([name]) => withSample || name !== SAMPLE_PROFILE));
  for (const name of [...NEEDED, hierarchy.root.profile, hierarchy.issuing.profile]) {
    if (!profiles.has(name)) throw new CaConfigError(`${folder}: there is no profile "${name}"`);
  }
  return Object.freeze({ hierarchy, profiles });
}
