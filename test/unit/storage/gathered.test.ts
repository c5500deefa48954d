import { setImmediate as turn } from "node:timers/promises";
import { expect, it } from "vitest";
import { gathered } from "../../../src/storage/gathered.ts";

/** Doubles numbers, and notes which came together; each call ends when it is let go. */
function doubling(options: { readonly most: number; readonly atOnce: number }) {
  const calls: { readonly asked: readonly number[]; readonly end: () => void }[] = [];
  const double = gathered<number, number>({
    ...options,
    async many(asked) {
      const { promise, resolve } = Promise.withResolvers<void>();
      calls.push({ asked, end: resolve });
      await promise;
      return asked.map((n) => (n < 0 ? Promise.reject(new RangeError(`${n}`)) : 2 * n));
    },
  });
  return { double, calls };
}

it("asks at once for what one turn brings in, and together for what comes meanwhile", async () => {
  const { double, calls } = doubling({ most: 10, atOnce: 1 });
  const first = [double(1), double(2)];
  await turn();
  const later = [double(3)];
  await turn();
  later.push(double(4));
  await turn();
  expect(calls.map(({ asked }) => asked)).toEqual([[1, 2]]);
  calls[0]?.end();
  expect(await Promise.all(first)).toEqual([2, 4]);
  await turn();
  expect(calls.map(({ asked }) => asked)).toEqual([
    [1, 2],
    [3, 4],
  ]);
  calls[1]?.end();
  expect(await Promise.all(later)).toEqual([6, 8]);
});

it("asks no more at once than it may, in as many calls at a time as it may", async () => {
  const { double, calls } = doubling({ most: 2, atOnce: 2 });
  const answers = [1, 2, 3].map(double);
  await turn();
  const more = [4, 5].map(double);
  await turn();
  expect(calls.map(({ asked }) => asked)).toEqual([[1, 2], [3]]);
  for (const call of calls) call.end();
  expect(await Promise.all(answers)).toEqual([2, 4, 6]);
  await turn();
  for (const call of calls) call.end();
  expect(await Promise.all(more)).toEqual([8, 10]);
});

it("tells one of its own failure, and all of a failure of the call", async () => {
  const { double, calls } = doubling({ most: 10, atOnce: 1 });
  const mixed = Promise.allSettled([double(1), double(-1)]);
  await turn();
  calls[0]?.end();
  expect(await mixed).toEqual([
    { status: "fulfilled", value: 2 },
    { status: "rejected", reason: new RangeError("-1") },
  ]);
  const failing = gathered<number, number>({
    most: 10,
    atOnce: 1,
    many: () => Promise.reject(new Error("away")),
  });
  await expect(Promise.allSettled([failing(1), failing(2)])).resolves.toMatchObject([
    { reason: { message: "away" } },
    { reason: { message: "away" } },
  ]);
  await expect(failing(3)).rejects.toThrow("away");
});
