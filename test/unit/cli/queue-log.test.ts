import { expect, it } from "vitest";

import { queueLog } from "../../../src/cli/queue-log.ts";

const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), {
  code: "ECONNREFUSED",
});

function heard() {
  const lines: [string, unknown, string][] = [];
  const { onError, onConnect } = queueLog({
    info: (...[words]: unknown[]) => void lines.push(["info", undefined, String(words)]),
    warn: (...[fields, words]: unknown[]) => void lines.push(["warn", fields, String(words)]),
  });
  return { lines, onError, onConnect };
}

it("says once that the queue is away and once that it is back, each time anew", () => {
  const { lines, onError, onConnect } = heard();
  onConnect();
  for (let round = 0; round < 2; round += 1) {
    for (let i = 0; i < 3; i += 1) onError(refused);
    onError(new Error("Connection is closed."));
    onConnect();
    onConnect();
  }
  const away = ["warn", { reason: refused.message }, expect.stringContaining("away")];
  const back = ["info", undefined, "the queue is back"];
  expect(lines).toEqual([away, back, away, back]);
});

it("names a refusal of all addresses of a host by its code", () => {
  const { lines, onError } = heard();
  onError(Object.assign(new AggregateError([refused], ""), { code: "ECONNREFUSED" }));
  expect(lines).toEqual([["warn", { reason: "ECONNREFUSED" }, expect.any(String)]]);
});

it("says other troubles with all that is known, while they are new", () => {
  const { lines, onError } = heard();
  const wrong = new Error("WRONGPASS invalid username-password pair");
  onError(wrong);
  onError(wrong);
  onError(new Error("another"));
  expect(lines.map(([, fields]) => fields)).toEqual([
    { err: wrong },
    { err: new Error("another") },
  ]);
});
