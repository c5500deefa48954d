import { Gauge, type Registry } from "prom-client";
import type { SignerClient, SignerStatus } from "./signer-client.ts";

/** Who collects figures does not wait longer. */
const PATIENCE_MS = 2_000;

/** What the signer says of itself; undefined when it is away or takes too long. */
async function askStatus(signer: Pick<SignerClient, "status">): Promise<SignerStatus | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, PATIENCE_MS, undefined);
  try {
    return await Promise.race([signer.status().catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Registers the signer's figures. While it is away they stay what they were, and `suido_signer_ready` is 0. */
export function registerSignerMetrics(
  registry: Registry,
  signer: Pick<SignerClient, "status">,
): void {
  // All gauges are asked at the same time: one question is enough for them.
  let asking: Promise<SignerStatus | undefined> | undefined;
  const ask = (): Promise<SignerStatus | undefined> =>
    (asking ??= askStatus(signer).finally(() => (asking = undefined)));
  const gauge = (
    name: string,
    help: string,
    read: (status: SignerStatus | undefined) => number | undefined,
  ): Gauge =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        const value = read(await ask());
        if (value !== undefined) this.set(value);
      },
    });
  gauge(
    "suido_signer_ready",
    "1 while the signer answers, is not in quarantine, and nothing holds it up",
    (status) => (status?.state === "ready" && status.detail === undefined ? 1 : 0),
  );
  gauge(
    "suido_journal_lag_changes",
    "Changes of status that the database has and the journal has not",
    (status) => status?.journalLag,
  );
  gauge(
    "suido_signer_epoch",
    "How often a signer has taken up its work on this journal",
    (status) => status?.epoch,
  );
  gauge(
    "suido_reserved_certificates",
    "Certificates that were reserved and are not signed yet",
    (status) => status?.reserved,
  );
}
