const MINUTES = 60;
const MINUTE_MS = 60_000;

/** How often something happened within the last hour, to the minute, in a fixed amount of memory. */
export class HourlyCount {
  readonly #minutes = new Float64Array(MINUTES).fill(-1);
  readonly #counts = new Float64Array(MINUTES);

  /** One more, at this time in milliseconds. */
  add(at: number): void {
    const minute = Math.floor(at / MINUTE_MS);
    const slot = minute % MINUTES;
    if (this.#minutes[slot] !== minute) this.#counts[slot] = 0;
    this.#minutes[slot] = minute;
    this.#counts[slot] = (this.#counts[slot] ?? 0) + 1;
  }

  /** How many within the hour that ends at this time. */
  total(now: number): number {
    const oldest = Math.floor(now / MINUTE_MS) - MINUTES;
    let total = 0;
    for (const [slot, minute] of this.#minutes.entries()) {
      if (minute > oldest) total += this.#counts[slot] ?? 0;
    }
    return total;
  }
}
