import { createInterface, type Interface } from "node:readline";

/** Asks whoever sits at the machine, or a pipe in their place. */
export interface Asking {
  /** One line in answer; undefined where there is nobody to answer. */
  readonly ask: (question: string) => Promise<string | undefined>;
  /** Lets go of the input, so that the process can end. */
  close(): void;
}

/** Questions go to standard error: standard output is the command's. The input is touched by the first question only. */
export function createAsking(): Asking {
  let reader: Interface | undefined;
  let lines: AsyncIterator<string, undefined> | undefined;
  return {
    ask: async (question) => {
      process.stderr.write(question);
      reader ??= createInterface({ input: process.stdin });
      lines ??= reader[Symbol.asyncIterator]();
      const next = await lines.next();
      return next.done === true ? undefined : next.value;
    },
    close: () => reader?.close(),
  };
}
