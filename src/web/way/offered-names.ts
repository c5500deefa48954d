/** What a device runs, as the registry says it. */
export type NamedPlatform =
  | "windows"
  | "macos"
  | "ios"
  | "ipados"
  | "android"
  | "chromeos"
  | "linux"
  | "other";

/** What machines of a pharmacy are called: each as the one of this number, of which the first may have none. */
export type OfferedName =
  | "counter"
  | "counterPad"
  | "dispensingPad"
  | "dispensingPhone"
  | "dispensingTablet"
  | "checking"
  | "office";

const COMPUTER: readonly OfferedName[] = ["counter", "checking", "office"];
const PAD: readonly OfferedName[] = ["dispensingPad", "counterPad", "checking"];

/** An iPad says that it is a Mac. */
const FITTING: Readonly<Record<NamedPlatform, readonly OfferedName[]>> = {
  windows: COMPUTER,
  linux: COMPUTER,
  other: COMPUTER,
  macos: ["counter", "dispensingPad", "checking", "office"],
  chromeos: ["counter", "checking"],
  ipados: PAD,
  ios: ["dispensingPhone", "checking"],
  android: ["dispensingTablet", "checking"],
};

/** The names that are offered on a platform, each with the first number that is free. */
export function offeredNames(
  platform: NamedPlatform,
  taken: readonly string[],
  words: Readonly<Record<OfferedName, (number: number) => string>>,
): readonly string[] {
  const used = new Set(taken);
  return FITTING[platform].map((kind) => {
    let number = 1;
    while (used.has(words[kind](number))) number += 1;
    return words[kind](number);
  });
}
