import type { InHand } from "../lifecycle/enrolment-visits.ts";
import { LifecycleError } from "../lifecycle/errors.ts";
import { RegistryError } from "../registry/errors.ts";
import { HttpError } from "./errors.ts";

/** Throws HttpError unless it is exactly one of the two. */
export function inHandOf({
  token,
  code,
}: {
  readonly token?: string;
  readonly code?: string;
}): InHand {
  if (token !== undefined && code === undefined) return { kind: "link", text: token };
  if (code !== undefined && token === undefined) return { kind: "code", text: code };
  const detail = "or code is needed, and not both";
  throw new HttpError("invalid-request", `token ${detail}`, [{ field: "token", detail }]);
}

/** What a page says of nobody's device. */
export const NOBODY = { warnings: [], isOtherKind: false } as const;

/** Whether it is a refusal that the page of the state explains better than a problem document. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof LifecycleError || error instanceof RegistryError;
