import { InvalidSerialError } from "../pki/errors.ts";
import { parseSerial, type Serial } from "../pki/serial.ts";
import { canonicalUuid } from "../registry/principal.ts";
import { type Given, UsageError } from "./command.ts";

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
