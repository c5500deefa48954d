import { PkiError, type PkiErrorCode } from "../../src/pki/errors.ts";

/** The code of the PkiError that comes out, undefined when nothing does. Everything else that is thrown goes on. */
export function errorCode(run: () => unknown): PkiErrorCode | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof PkiError) return error.code;
    throw error;
  }
}
