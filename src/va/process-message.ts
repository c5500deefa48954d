import type { VaStatus } from "./va-status.ts";

/** What a further process of the VA is told when it starts. */
export interface VaProcessSettings {
  /** From 2: the first is the process that started it. */
  readonly number: number;
  readonly databaseUrl: string;
  /** The VA's folder, which all of them read. */
  readonly folder: string;
  readonly host: string;
  readonly port: number;
  readonly maxStaleMs: number;
  /** Whether the figures are to be had on this port. */
  readonly showsMetrics: boolean;
}

/** What a further process asks the first for. */
export type VaQuestion =
  | { readonly about: "delegate"; readonly issuerId: string; readonly spki: Uint8Array }
  | { readonly about: "readiness" }
  | { readonly about: "metrics" };

/** From the first process: the settings, answers, last that it is over. */
export type ToVaProcess =
  | { readonly kind: "start"; readonly settings: VaProcessSettings }
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | { readonly kind: "refusal"; readonly id: number; readonly reason: string }
  | { readonly kind: "stop" };

/** From a further process: that it listens or cannot, questions, and every now and then how it is. */
export type FromVaProcess =
  | { readonly kind: "listening" }
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "question"; readonly id: number; readonly question: VaQuestion }
  | { readonly kind: "status"; readonly status: VaStatus };

/** How often a process says how it is, in milliseconds. */
export const STATUS_MS = 500;
