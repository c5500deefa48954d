import { expect, it, vi } from "vitest";

import { pemBlocks } from "../../../src/pki/pem.ts";
import { DatabaseUnavailableError } from "../../../src/storage/errors.ts";
import type { Va } from "../../../src/va/va.ts";
import { askVa, VaDatabase } from "../../support/va-database.ts";

const away = (): Promise<never> => Promise.reject(new DatabaseUnavailableError("stopped"));

const SOON = { timeout: 10_000 };

/** What relying parties find of the issuing CA: how many blocks are in the bundles, and which addresses answer. */
function givenOutBy({ repository }: Va): Record<string, unknown> {
  const blocks = (name: string, label: string): number =>
    pemBlocks(repository.get(name)?.body.toString() ?? "", label).length;
  return {
    cas: blocks("ca/bundle.pem", "CERTIFICATE"),
    lists: blocks("crl/bundle.pem", "X509 CRL"),
    full: repository.get("crl/issuing-g1.crl") !== undefined,
    shard: repository.get("crl/issuing-g1-0b.crl") !== undefined,
    certificate: repository.get("ca/issuing-g1.cer") !== undefined,
  };
}

const ALL = { cas: 2, lists: 2, full: true, shard: true, certificate: true };

/** Its certificate stays for whoever reads old signatures; its lists would only be old. */
const REST = { cas: 1, lists: 1, full: false, shard: false, certificate: true };

it("R24 gives out all of an issuing CA that retires, and of one that has ended its certificate only", async () => {
  const world = await VaDatabase.open();
  const [serial] = await world.issue();
  if (serial === undefined) throw new Error("no serial");
  for (const scope of ["full", "0b"]) await world.publishList("issuing-g1", scope);
  await world.publishList("root-g1");
  const va = await world.openVa();
  const states = (): string[] => va.repository.issuers().map((issuer) => issuer.state);
  const moved = async (state: string): Promise<void> => {
    await world.query("update ca.issuer set state = $1 where id = 'issuing-g1'", [state]);
    await vi.waitFor(() => expect(states()).toContain(state), SOON);
  };
  await vi.waitFor(() => expect(givenOutBy(va)).toEqual(ALL), SOON);
  await moved("retiring");
  expect(givenOutBy(va)).toEqual(ALL);
  await vi.waitFor(async () => expect(await askVa(va, world.ca, serial)).toBe("good"), SOON);
  await moved("ended");
  await vi.waitFor(() => expect(givenOutBy(va)).toEqual(REST), SOON);
  expect(await askVa(va, world.ca, serial)).toBe("unauthorized");
  await va.close();

  const alone = await world.openVa({
    database: { query: away, transaction: away },
    subscribe: () => ({ close: () => Promise.resolve() }),
  });
  expect(givenOutBy(alone)).toEqual(REST);
  expect(await askVa(alone, world.ca, serial)).toBe("unauthorized");
  await alone.close();
  await world.close();
});
