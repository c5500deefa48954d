import type { BundleDates, ListWork } from "./list-work.ts";
import type { Publication } from "./publication.ts";
import type { PublishedList } from "./published-list.ts";

/** Of several dates the last one. */
export const latest = (dates: readonly Date[]): Date =>
  dates.reduce((a, b) => (a > b ? a : b), new Date(0));

const earliest = (dates: readonly Date[]): Date => dates.reduce((a, b) => (a < b ? a : b));

const datesOf = (lists: readonly PublishedList[]): BundleDates => ({
  modifiedAt: latest(lists.map(({ thisUpdate }) => thisUpdate)),
  expiresAt: earliest(lists.map(({ nextUpdate }) => nextUpdate)),
});

/**
 * One full list for each live CA, and nothing else: a proxy refuses everybody where one is missing, GnuTLS lets revoked
 * certificates in where there are shards, and everything does where there are deltas.
 */
export class ListBundle {
  readonly #workFor: (octets: number) => Pick<ListWork, "bundle">;
  #current: Publication | undefined;
  #holds = "";

  /** `workFor` says who makes a bundle of so many octets. */
  constructor(workFor: (octets: number) => Pick<ListWork, "bundle">) {
    this.#workFor = workFor;
  }

  /** Undefined where a list is missing. The one before stays until the next one is ready. */
  get current(): Publication | undefined {
    return this.#current;
  }

  /** Makes it of these lists, unless it is made of them already. Undefined where one of those that belong to it is missing. */
  async renew(lists: readonly PublishedList[] | undefined): Promise<void> {
    if (lists === undefined || lists.length === 0) {
      this.#current = undefined;
      this.#holds = "";
      return;
    }
    const holds = lists.map(({ publication }) => publication.etag).join();
    if (holds === this.#holds) return;
    const ders = lists.map(({ publication }) => publication.body);
    const octets = ders.reduce((sum, { length }) => sum + length, 0);
    this.#current = await this.#workFor(octets).bundle(ders, datesOf(lists));
    this.#holds = holds;
  }
}
