import { setTimeout as sleep } from "node:timers/promises";
import type { SignerClient } from "../../src/ca/signer-client.ts";

/** Waits until a signer answers, for five seconds. */
export async function reached<Client extends Pick<SignerClient, "status">>(
  signer: Client,
): Promise<Client> {
  for (let left = 250; ; left--) {
    try {
      await signer.status();
      return signer;
    } catch (error) {
      if (left === 0) throw error;
      await sleep(20);
    }
  }
}
