import { type Transferable, Worker } from "node:worker_threads";

/** The one message that a thread posts. Rejects with what it threw, and with a sentence when it ends without an answer. */
export function answerOf<T>(thread: Worker, entry: URL): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    thread.once("message", resolve);
    thread.once("messageerror", reject);
    thread.once("error", reject);
    thread.once("exit", (code) =>
      reject(new Error(`the thread of ${entry.pathname} ended with ${code} and no answer`)),
    );
  });
}

/**
 * Does one piece of work in a thread of its own, which ends with it: what it takes in time and memory is gone afterwards.
 * The thread finds the job in `workerData`, of which it may be given parts for good, and posts one answer. Rejects as
 * `answerOf`.
 */
export async function inThread<T>(
  entry: URL,
  job: object,
  given: readonly Transferable[] = [],
): Promise<T> {
  const thread = new Worker(entry, { workerData: job, transferList: [...given] });
  try {
    return await answerOf<T>(thread, entry);
  } finally {
    await thread.terminate();
  }
}
