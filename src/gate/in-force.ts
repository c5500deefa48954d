import { type GateFolder, placeFile, readText } from "./folder.ts";
import type { ListFacts } from "./manifest.ts";

/** What the proxy works with, as far as is known here. */
export interface InForce {
  readonly generation: number;
  readonly since: Date;
  /** `proxy`: it was reloaded or told; `files`: nobody was told, because there is no reload command. */
  readonly by: "proxy" | "files";
}

/** What outlives a restart, so that a service that dies again and again does not reload the proxy each time. */
export interface GateState {
  readonly inForce?: InForce;
  /** When a reload was last tried. */
  readonly reloadedAt?: Date;
}

const FILE = "state.json";

/** RFC 3339 in the file; anything else is as if it were not there. */
function dateOf(value: unknown): Date | undefined {
  const date = typeof value === "string" ? new Date(value) : new Date(Number.NaN);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function inForceOf(value: unknown): InForce | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { by, generation, since: text } = value as Readonly<Record<string, unknown>>;
  const since = dateOf(text);
  if (typeof generation !== "number" || since === undefined) return undefined;
  return by === "proxy" || by === "files" ? { generation, since, by } : undefined;
}

/** The state that the folder holds; the empty one where there is none that can be read. */
export function readState(folder: GateFolder): GateState {
  const text = readText(folder.file(FILE));
  if (text === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return {};
  }
  if (typeof value !== "object" || value === null) return {};
  const fields = value as Readonly<Record<string, unknown>>;
  const inForce = inForceOf(fields["inForce"]);
  const reloadedAt = dateOf(fields["reloadedAt"]);
  return {
    ...(inForce !== undefined && { inForce }),
    ...(reloadedAt !== undefined && { reloadedAt }),
  };
}

/** Keeps the state in the folder. */
export function writeState(folder: GateFolder, state: GateState): void {
  placeFile(folder.file(FILE), `${JSON.stringify(state, undefined, 2)}\n`);
}

/** What the proxy works with, with the lists of that generation; undefined where nothing is in force. */
export function listsInForce(
  folder: GateFolder,
  { inForce }: GateState,
): (InForce & { readonly lists: readonly ListFacts[] }) | undefined {
  if (inForce === undefined) return undefined;
  const lists = folder.placed(inForce.generation)?.manifest.lists;
  return lists === undefined ? undefined : { ...inForce, lists };
}
