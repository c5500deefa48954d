import type { BundleDates, ListWork, LoadedList, WantedList } from "../va/list-work.ts";
import type { Publication } from "../va/publication.ts";
import { inThread } from "./thread.ts";

const ENTRY = new URL("list-work-worker.ts", import.meta.url);

/** What a thread is started with, one or the other. */
export type ListWorkJob =
  | {
      readonly kind: "load";
      readonly databaseUrl: string;
      readonly wanted: readonly WantedList[];
    }
  | {
      readonly kind: "bundle";
      readonly lists: readonly Uint8Array[];
      readonly dates: BundleDates;
    };

/** A Buffer crosses as the octets that it is a view of. */
const withBuffer = (publication: Publication): Publication => {
  const { buffer, byteOffset, length } = publication.body;
  return { ...publication, body: Buffer.from(buffer, byteOffset, length) };
};

const withBuffers = ({ judged, wanted }: LoadedList): LoadedList =>
  "publication" in judged
    ? { wanted, judged: { ...judged, publication: withBuffer(judged.publication) } }
    : { wanted, judged };

const run = <T>(job: ListWorkJob): Promise<T> => inThread<T>(ENTRY, job);

/** The VA's work with long lists, each in a thread of its own: nobody waits for OCSP meanwhile. */
export function createListWorkApart(databaseUrl: string): ListWork {
  return {
    load: async (wanted) => {
      const loaded = await run<readonly LoadedList[]>({ kind: "load", databaseUrl, wanted });
      return loaded.map(withBuffers);
    },
    bundle: async (lists, dates) => withBuffer(await run({ kind: "bundle", lists, dates })),
  };
}
