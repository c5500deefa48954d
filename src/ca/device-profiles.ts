import { EMERGENCY_PROFILE, type Profile } from "../pki/profile.ts";
import { ProfileUnknownError } from "./errors.ts";

/** The profile of who names none. */
export const DEFAULT_PROFILE = "device-client";

interface Profiles {
  readonly profiles: ReadonlyMap<string, Profile>;
}

/** The profile of this name. Throws ProfileUnknownError where it is not for devices. */
export function profileNamed({ profiles }: Profiles, name: string, field?: string): Profile {
  const profile = profiles.get(name);
  if (profile?.subjectAlternativeName === "device") return profile;
  const where = field === undefined ? {} : { field };
  throw new ProfileUnknownError(`there is no profile "${name}" for devices`, where);
}

/** The same of one that anybody may ask for who may issue. Throws ProfileUnknownError. */
export function profileAskedFor(deps: Profiles, name: string): Profile {
  if (name === EMERGENCY_PROFILE)
    throw new ProfileUnknownError("the profile of emergencies is for their own way", {
      field: "profile",
    });
  return profileNamed(deps, name, "profile");
}
