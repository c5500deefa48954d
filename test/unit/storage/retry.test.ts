import { expect, it } from "vitest";
import { retryConflicts } from "../../../src/storage/retry.ts";

const conflict = (): Error => Object.assign(new Error("deadlock detected"), { code: "40P01" });

/** Fails that often before it succeeds; the number of calls. */
async function callsAfter(failures: number, error: () => Error): Promise<number> {
  let calls = 0;
  await retryConflicts(async () => {
    calls += 1;
    if (calls <= failures) throw error();
  }).catch(() => undefined);
  return calls;
}

it.for([
  { name: "succeeds at once", failures: 0, calls: 1 },
  { name: "succeeds after two conflicts", failures: 2, calls: 3 },
  { name: "gives up after the sixth", failures: 100, calls: 6 },
])("$name", async ({ failures, calls }) => {
  expect(await callsAfter(failures, conflict)).toBe(calls);
});

it("does nothing again that was refused for its own sake", async () => {
  expect(await callsAfter(1, () => Object.assign(new Error("exists"), { code: "23505" }))).toBe(1);
});

it("gives the result, or the last error as it came", async () => {
  expect(await retryConflicts(async () => 7)).toBe(7);
  const error = conflict();
  await expect(retryConflicts(() => Promise.reject(error))).rejects.toBe(error);
});
