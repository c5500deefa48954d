import {
  CaError,
  type CaErrorCode,
  ClockBehindError,
  InvalidStateError,
  IssuingStoppedError,
  KeyStoreError,
  ListRefusedError,
  ProfileUnknownError,
  QuarantineError,
  SignerUnavailableError,
} from "./errors.ts";
import type { SignerClient } from "./signer-client.ts";

/** What may be asked of the signer over a channel. */
export const SIGNER_METHODS = [
  "issue",
  "journal",
  "prepareLists",
  "commitLists",
  "delegate",
  "serverCertificate",
  "status",
] as const;
export type SignerMethod = (typeof SIGNER_METHODS)[number];

export interface SignerRequest {
  readonly id: number;
  readonly method: SignerMethod;
  readonly args: readonly unknown[];
}

/** An error as it crosses: what the caller may act on, and no more. */
export interface WireError {
  readonly code: WireCode;
  readonly message: string;
  readonly findings?: readonly string[];
}

export type SignerReply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: WireError };

type Rebuild = (error: Omit<WireError, "code">) => CaError;

/** The errors that a caller can act on. Every other one is the signer's own trouble: it was not done now, and may be asked again. */
const REBUILD = {
  "signer-unavailable": ({ message }) => new SignerUnavailableError(message),
  "issuing-stopped": ({ message }) => new IssuingStoppedError(message),
  quarantine: ({ message }) => new QuarantineError(message),
  "invalid-state": ({ message }) => new InvalidStateError(message),
  "profile-unknown": ({ message }) => new ProfileUnknownError(message),
  "list-refused": ({ findings }) => new ListRefusedError(findings ?? []),
  "clock-behind": ({ message }) => new ClockBehindError(message),
  "key-store": ({ message }) => new KeyStoreError(message),
  // Its words may be the database's or the file system's: they are for the log, not for whoever asked.
  failed: ({ message }) =>
    new SignerUnavailableError("the signer failed", { cause: new Error(message) }),
} satisfies Partial<Record<CaErrorCode | "failed", Rebuild>>;

type WireCode = keyof typeof REBUILD;

/** The codes of the errors that cross. */
export const WIRE_CODES = Object.keys(REBUILD) as readonly WireCode[];

const failed = (message: string): WireError => ({ code: "failed", message });

function wireError(error: unknown): WireError {
  if (!(error instanceof CaError))
    return failed(error instanceof Error ? error.message : "unknown");
  const { message } = error;
  const code = WIRE_CODES.find((known) => known === error.code);
  if (code === undefined) return failed(message);
  return error instanceof ListRefusedError
    ? { code, message, findings: error.findings }
    : { code, message };
}

/** The error of a reply, as the caller's own. */
export function errorOf(error: WireError): CaError {
  return REBUILD[error.code](error);
}

/** Does what a request asks. Never throws: what went wrong is the reply. */
export async function answerRequest(
  signer: SignerClient,
  { id, method, args }: SignerRequest,
): Promise<SignerReply> {
  try {
    if (!SIGNER_METHODS.includes(method)) throw new InvalidStateError("the signer cannot do that");
    const call = signer[method].bind(signer) as (...values: readonly unknown[]) => Promise<unknown>;
    return { id, result: await call(...args) };
  } catch (error) {
    return { id, error: wireError(error) };
  }
}
