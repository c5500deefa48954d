import { parseReason } from "../ca/revocation.ts";
import { InvalidSerialError } from "../pki/errors.ts";
import { REASON_CODES, type RevocationReason } from "../pki/revocation-reason.ts";
import { parseSerial, type Serial } from "../pki/serial.ts";
import { InvalidValueError } from "../registry/errors.ts";
import { canonicalUuid } from "../registry/principal.ts";
import { type Given, textOption, UsageError } from "./command.ts";

/** The serial number behind the command's words. Throws UsageError. */
export function givenSerial({ positionals: [text = ""] }: Given): Serial {
  try {
    return parseSerial(text);
  } catch (error) {
    if (!(error instanceof InvalidSerialError)) throw error;
    throw new UsageError(error.message, { cause: error });
  }
}

/** The id behind the command's words. Throws UsageError. */
export function givenId({ positionals: [text = ""] }: Given): string {
  const id = canonicalUuid(text);
  if (id === undefined) throw new UsageError("an id is a UUID, as lists and answers show it");
  return id;
}

/** The reason that `--reason` names; `unspecified` where it is not given. Throws UsageError. */
export function givenReason(given: Given): RevocationReason {
  try {
    return parseReason(textOption(given, "reason") ?? "unspecified");
  } catch (error) {
    if (!(error instanceof InvalidValueError)) throw error;
    const names = Object.keys(REASON_CODES).join(", ");
    throw new UsageError(`--reason is one of ${names}`, { cause: error });
  }
}

/** The two people whom `--by` names. Throws UsageError. */
export function givenWitnesses(given: Given): readonly [string, string] {
  const [first = "", second = "", ...more] = (textOption(given, "by") ?? "")
    .split(",")
    .map((name) => name.trim());
  const isTwo = first !== "" && second !== "" && first.toLowerCase() !== second.toLowerCase();
  if (!isTwo || more.length > 0)
    throw new UsageError("--by names two people, with a comma between them");
  return [first, second];
}
