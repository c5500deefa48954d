import { describe, expect, it } from "vitest";

import { runCommand, wordsOf } from "../../../src/gate/reload.ts";

describe("wordsOf", () => {
  it.for([
    { line: "nginx -s reload", words: ["nginx", "-s", "reload"] },
    { line: "  nginx   -t ", words: ["nginx", "-t"] },
    { line: `sh -c "nginx -t && nginx"`, words: ["sh", "-c", "nginx -t && nginx"] },
    { line: `echo 'a "b"' c`, words: ["echo", 'a "b"', "c"] },
    { line: `x --name="a b"c`, words: ["x", "--name=a bc"] },
    { line: `x ""`, words: ["x", ""] },
    { line: "x $HOME * | y", words: ["x", "$HOME", "*", "|", "y"] },
  ])("$line", ({ line, words }) => {
    expect(wordsOf(line)).toEqual(words);
  });

  it.for([{ line: "" }, { line: "  " }, { line: `x "y` }, { line: "x 'y" }])(
    "is nothing for '$line'",
    ({ line }) => {
      expect(wordsOf(line)).toBeUndefined();
    },
  );
});

describe("runCommand", () => {
  it.for([
    {
      name: "that fails",
      words: ["/bin/sh", "-c", "echo why >&2; exit 3"],
      says: '"/bin/sh" ended with 3: why',
    },
    { name: "that is not there", words: ["/no/such"], says: '"/no/such" cannot be run' },
    {
      name: "that is killed",
      words: ["/bin/sh", "-c", "kill -9 $$"],
      says: '"/bin/sh" ended with SIGKILL',
    },
    {
      name: "that does not end",
      words: ["/bin/sleep", "60"],
      says: '"/bin/sleep" did not end within 0.3 s',
    },
  ])("tells of a command $name", async ({ says, words }) => {
    await expect(runCommand(words, 300)).rejects.toMatchObject({
      code: "reload-failed",
      message: expect.stringContaining(says) as string,
    });
  });

  it("does not wait for a daemon that the command leaves behind", async () => {
    const began = performance.now();
    await runCommand(["/bin/sh", "-c", "sleep 5 & exit 0"]);
    expect(performance.now() - began).toBeLessThan(3_000);
  });
});
