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
const SIGNER_METHODS = [
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
  readonly code: CaErrorCode | "failed";
  readonly message: string;
  readonly findings?: readonly string[];
}

export type SignerReply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: WireError };

type Rebuild = (error: WireError) => CaError;

/** The errors that a caller can act on. Every other one is the signer's own trouble: it was not done now, and may be asked again. */
const REBUILD: Partial<Record<WireError["code"], Rebuild>> = {
  "signer-unavailable": ({ message }) => new SignerUnavailableError(message),
  "issuing-stopped": ({ message }) => new IssuingStoppedError(message),
  quarantine: ({ message }) => new QuarantineError(message),
  "invalid-state": ({ message }) => new InvalidStateError(message),
  "profile-unknown": ({ message }) => new ProfileUnknownError(message),
  "list-refused": ({ findings }) => new ListRefusedError(findings ?? []),
  "clock-behind": ({ message }) => new ClockBehindError(message),
  "key-store": ({ message }) => new KeyStoreError(message),
};

function wireError(error: unknown): WireError {
  if (error instanceof ListRefusedError)
    return { code: error.code, message: error.message, findings: error.findings };
  if (error instanceof CaError) return { code: error.code, message: error.message };
  return { code: "failed", message: error instanceof Error ? error.message : "unknown" };
}

/** The error of a reply, as the caller's own. */
export function errorOf(error: WireError): CaError {
  return (
    REBUILD[error.code]?.(error) ??
    new SignerUnavailableError(`the signer failed: ${error.message}`)
  );
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
