import type { Logger } from "pino";

export interface ListsDeps {
  /** The issuers whose lists should be made now. */
  readonly due: () => Promise<readonly string[]>;
  readonly publish: (
    issuerId: string,
  ) => Promise<{ readonly number: bigint; readonly entries: number }>;
  readonly log: Pick<Logger, "info" | "error">;
}

/** Publishes the lists that are due. One issuer's failure does not keep the others from theirs; the first one is thrown. */
export async function publishDueLists({ due, publish, log }: ListsDeps): Promise<void> {
  const failures: unknown[] = [];
  for (const issuerId of await due()) {
    try {
      const { number, entries } = await publish(issuerId);
      log.info({ issuerId, number: number.toString(), entries }, "lists published");
    } catch (error) {
      log.error({ err: error, issuerId }, "lists not published");
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}
