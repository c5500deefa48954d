import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { createListWorkApart } from "../../../src/cli/list-work.ts";
import { CrlEntries } from "../../../src/pki/crl-entries.ts";
import { EntryRows } from "../../../src/pki/crl-entry-rows.ts";
import { pemBlocks } from "../../../src/pki/pem.ts";
import type { Va } from "../../../src/va/va.ts";
import { VaDatabase } from "../../support/va-database.ts";

/** Enough for a thread: a list of a few hundred is worked on in place. */
const MANY = 20_000;

function manyEntries(): CrlEntries {
  const rows = new EntryRows(MANY);
  const view = new DataView(rows.octets.buffer);
  const revokedAt = Date.now() - 86_400_000;
  for (let row = 0; row < MANY; row++) {
    view.setUint32(rows.serialEnd(row) - 4, row + 1);
    rows.put(row, { revokedAt, reason: 4, shard: 0 });
  }
  return CrlEntries.sorted(rows);
}

describe("long lists, worked on in threads of their own", () => {
  let world: VaDatabase;
  let va: Va;
  let entries: CrlEntries;

  beforeAll(async () => {
    world = await VaDatabase.open();
    entries = manyEntries();
    va = await world.openVa({ apart: createListWorkApart(world.url) });
    await world.publishList("root-g1");
    await world.publishList("issuing-g1");
    await va.repository.poll();
  });
  afterAll(async () => {
    await va.close();
    await world.close();
  });

  const bundled = (): Uint8Array[] =>
    pemBlocks(va.repository.get("crl/bundle.pem")?.body.toString("latin1") ?? "", "X509 CRL");

  it("are given out with their bundle", async () => {
    const der = world.list("issuing-g1", "full", { entries });
    await world.insertList("issuing-g1", "full", der);
    await va.repository.poll();
    const given = va.repository.get("crl/issuing-g1.crl");
    expect(given?.body.equals(der)).toBe(true);
    expect(va.repository.lists().find(({ issuerId }) => issuerId === "issuing-g1")).toMatchObject({
      entryCount: MANY,
    });
    expect(bundled().map((list) => list.length)).toContain(der.length);
  });

  it("with a fault are not given out, and the one before stays", async () => {
    const before = va.repository.get("crl/issuing-g1.crl")?.etag;
    const der = Uint8Array.from(world.list("issuing-g1", "full", { entries }));
    der.set([(der.at(-1) ?? 0) ^ 1], der.length - 1);
    await world.insertList("issuing-g1", "full", der);
    await va.repository.poll();
    expect(va.repository.get("crl/issuing-g1.crl")?.etag).toBe(before);
  });

  it("are waited for when the thread does not reach the database", async () => {
    const elsewhere = new URL(world.url);
    elsewhere.pathname = "/nowhere";
    const short = await world.publishList("issuing-g1");
    const lost = await world.openVa({ apart: createListWorkApart(elsewhere.href) });
    const der = world.list("issuing-g1", "full", { entries });
    await world.insertList("issuing-g1", "full", der);
    await lost.repository.poll();
    expect(lost.repository.get("crl/issuing-g1.crl")?.body.equals(short)).toBe(true);
    await lost.close();
  });
});
