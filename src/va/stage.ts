/** How strictly a product demands certificates at a pharmacy today. */
export const STAGES = ["off", "observe", "warn", "enforce"] as const;
export type Stage = (typeof STAGES)[number];

/** A stage of a product for a corporation's pharmacies, or for one of them, from a time on. */
export interface StageRow {
  readonly product: string;
  readonly corporationId: string;
  readonly pharmacyId: string | null;
  readonly stage: Stage;
  /** In milliseconds since 1970. */
  readonly effectiveFrom: number;
}

/** Of which pharmacy one asks, as far as that is known. */
export interface Place {
  readonly pharmacyId?: string;
  readonly corporationId?: string;
}

/** Finds the stage that counts: a pharmacy's own before its corporation's, of each the newest whose time has come. */
export class StageTable {
  /** By product and place, each in the order of their times. */
  readonly #rows: ReadonlyMap<string, readonly StageRow[]>;

  constructor(rows: readonly StageRow[]) {
    const byPlace = new Map<string, StageRow[]>();
    for (const row of rows.toSorted((a, b) => a.effectiveFrom - b.effectiveFrom)) {
      const name = `${row.product} ${row.pharmacyId ?? row.corporationId}`;
      byPlace.set(name, [...(byPlace.get(name) ?? []), row]);
    }
    this.#rows = byPlace;
  }

  /** Undefined where nothing is set. */
  find(product: string, { pharmacyId, corporationId }: Place, now: number): Stage | undefined {
    for (const place of [pharmacyId, corporationId]) {
      const rows = place === undefined ? [] : (this.#rows.get(`${product} ${place}`) ?? []);
      const counts = rows.findLast(({ effectiveFrom }) => effectiveFrom <= now);
      if (counts !== undefined) return counts.stage;
    }
    return undefined;
  }
}
