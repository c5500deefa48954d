import { describe, expect, it } from "vitest";

import { inThread } from "../../../src/cli/thread.ts";

const module = (code: string): URL => new URL(`data:text/javascript,${encodeURIComponent(code)}`);
const PORT = `import { parentPort, workerData } from "node:worker_threads";`;

describe("work in a thread of its own", () => {
  it("gives the answer", async () => {
    const doubled = module(`${PORT} parentPort.postMessage(2 * workerData.number);`);
    expect(await inThread(doubled, { number: 21 })).toBe(42);
  });
  it.for([
    ["throws before it answers", `throw new RangeError("no such list");`, "no such list"],
    ["rejects", `await Promise.reject(new Error("no database"));`, "no database"],
    ["ends without an answer", `process.exit(3);`, "ended with 3 and no answer"],
    ["has nothing to say", "", "ended with 0 and no answer"],
  ] as const)("rejects when it %s", async ([, code, sentence]) => {
    await expect(inThread(module(code), {})).rejects.toThrow(sentence);
  });
  it("rejects when there is no such module", async () => {
    await expect(inThread(new URL("file:///nowhere/at-all.ts"), {})).rejects.toThrow("nowhere");
  });
});
