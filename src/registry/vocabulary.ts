/** The closed sets of words that the registry's things are described with. Check constraints of the tables hold the same. */

/** What a device runs. */
export const PLATFORMS = [
  "windows",
  "macos",
  "ios",
  "ipados",
  "android",
  "chromeos",
  "linux",
  "other",
] as const;
export type Platform = (typeof PLATFORMS)[number];

/** The counter PC of a shop, or one person's machine. */
export const DEVICE_USES = ["shared", "personal"] as const;
export type DeviceUse = (typeof DEVICE_USES)[number];

/** What an account is in a pharmacy. */
export const MEMBERSHIP_ROLES = ["pharmacist", "manager", "headOffice"] as const;
export type MembershipRole = (typeof MEMBERSHIP_ROLES)[number];

/** The language that a person is written to in. */
export const LOCALES = ["ja", "en"] as const;
export type Locale = (typeof LOCALES)[number];

/** By what a relying party learns which certificates are dead. */
export const PARTY_USES = ["authorize", "file", "ocsp"] as const;
export type PartyUse = (typeof PARTY_USES)[number];

/** How strictly a product demands certificates at a pharmacy, the mildest first. */
export const STAGES = ["off", "observe", "warn", "enforce"] as const;
export type Stage = (typeof STAGES)[number];
