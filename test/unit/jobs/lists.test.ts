import { expect, it } from "vitest";
import { publishDueLists } from "../../../src/jobs/lists.ts";

const log = { info: () => undefined, error: () => undefined };

it("publishes what is due, in its order", async () => {
  const published: string[] = [];
  await publishDueLists({
    due: async () => ["issuing-g1", "root-g1"],
    publish: async (issuerId) => {
      published.push(issuerId);
      return { number: 1n, entries: 0 };
    },
    log,
  });
  expect(published).toEqual(["issuing-g1", "root-g1"]);
});

it("goes on with the next issuer after a failure, and fails with it in the end", async () => {
  const published: string[] = [];
  const publishing = publishDueLists({
    due: async () => ["issuing-g1", "issuing-g2"],
    publish: async (issuerId) => {
      if (issuerId === "issuing-g1") throw new Error("refused");
      published.push(issuerId);
      return { number: 1n, entries: 0 };
    },
    log,
  });
  await expect(publishing).rejects.toThrow("refused");
  expect(published).toEqual(["issuing-g2"]);
});
