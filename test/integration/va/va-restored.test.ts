import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Serial } from "../../../src/pki/serial.ts";
import type { Va } from "../../../src/va/va.ts";
import { VaDatabase, askVa } from "../../support/va-database.ts";

let world: VaDatabase;
const opened: Va[] = [];

async function openVa(): Promise<Va> {
  const va = await world.openVa();
  opened.push(va);
  await vi.waitFor(() => expect(va.notReady()).toEqual([]), 5_000);
  return va;
}

const ask = (va: Va, serial: Serial): Promise<string> => askVa(va, world.ca, serial);

/** A certificate on hold that the VA knows of, in a database that has forgotten it. */
async function forgottenHold(va: Va): Promise<Serial> {
  const [other, serial] = await world.issue(2);
  if (other === undefined || serial === undefined) throw new Error("no serials");
  await world.setState(other, "revoked", 4);
  const before = await world.lastChange();
  // What is in memory already learns of its changes from the feed alone.
  expect(await ask(va, serial)).toBe("good");
  await world.setState(serial, "hold", 6);
  await vi.waitFor(async () => expect(await ask(va, serial)).toBe("revoked"), 1_000);
  await world.restoreTo(before);
  return serial;
}

beforeEach(async () => {
  world = await VaDatabase.open();
});
afterEach(async () => {
  for (const va of opened.splice(0)) await va.close();
  await world.close();
});

describe("with a database that was restored to before a hold", () => {
  it("the hold stays, and revocations are heard as before", async () => {
    const va = await openVa();
    const serial = await forgottenHold(va);
    const [later] = await world.issue();
    if (later === undefined) throw new Error("no serial");
    expect(await ask(va, later)).toBe("good");
    await world.setState(later, "revoked", 1);
    await vi.waitFor(async () => expect(await ask(va, later)).toBe("revoked"), 2_000);
    expect(await va.compare()).toBe("different");
    expect(await ask(va, serial)).toBe("revoked");
  });

  it("the hold stays over a restart of the VA", async () => {
    const first = await openVa();
    const serial = await forgottenHold(first);
    await first.close();
    opened.length = 0;
    const second = await openVa();
    expect(await second.compare()).toBe("different");
    expect(await ask(second, serial)).toBe("revoked");
  });

  it("a release under a number that was seen already does not end it; one above it does", async () => {
    const va = await openVa();
    const [serial, ...others] = await world.issue(3);
    if (serial === undefined) throw new Error("no serial");
    const before = await world.lastChange();
    for (const issued of [serial, ...others]) expect(await ask(va, issued)).toBe("good");
    await world.setState(serial, "hold", 6);
    for (const other of others) await world.setState(other, "revoked", 4);
    for (const stopped of [serial, ...others])
      await vi.waitFor(async () => expect(await ask(va, stopped)).toBe("revoked"), 1_000);
    await world.restoreTo(before);

    await world.setState(serial, "hold", 6);
    await world.setState(serial, "good");
    expect(await world.lastChange()).toBe(before + 2n);
    expect(await va.compare()).toBe("different");
    expect(await ask(va, serial)).toBe("revoked");

    await world.setState(serial, "hold", 6);
    await world.setState(serial, "good");
    expect(await world.lastChange()).toBe(before + 4n);
    await vi.waitFor(async () => expect(await ask(va, serial)).toBe("good"), 1_000);
  });
});
